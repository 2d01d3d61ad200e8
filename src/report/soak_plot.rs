//! A soak as a picture: memory and temperature over time, in one SVG file without anything from
//! elsewhere, readable on light and on dark ground.

use std::fmt::Write as _;

use crate::gpu::{Health, SoakReport};

/// The picture, in pixels.
const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 420.0;
/// Where the panels begin and end from left to right, and how high each is.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 780.0;
const PANEL: f64 = 140.0;
/// Where each panel begins from above.
const TOPS: [f64; 2] = [60.0, 240.0];

/// More points than this are not told apart in the picture.
const MOST_POINTS: usize = 1000;

/// Light or dark, as the reader's system is. Everything is below a class, so that nothing else of a
/// page that the picture stands in is changed.
const STYLE: &str = ".soak{background:#fff;color:#24292f;font:12px system-ui,sans-serif}\
.soak text{fill:currentColor}.soak .grid{stroke:currentColor;opacity:.15}\
.soak .memory{stroke:#0969da}.soak .heat{stroke:#cf222e}.soak .line{fill:none;stroke-width:1.5}\
@media(prefers-color-scheme:dark){.soak{background:#0d1117;color:#e6edf3}\
.soak .memory{stroke:#58a6ff}.soak .heat{stroke:#ff7b72}}";

/// Draws a soak. Without samples, the panels are empty and say so.
pub fn soak_plot(report: &SoakReport) -> String {
    let name = report
        .card
        .as_ref()
        .map_or("no card", |card| card.name.as_str());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" class=\"soak\" role=\"img\">\n<style>{STYLE}</style>\n\
         <title>gpuguard gpu soak: {name}</title>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{name}: {message}</text>\n",
        name = escaped(name),
        message = escaped(verdict(report)),
    );
    let last = report.samples.last().map_or(0.0, |sample| sample.seconds);
    let end = last.max(1.0);
    panel(
        &mut svg,
        &Panel {
            top: TOPS[0],
            title: "memory used (MiB)",
            class: "memory",
            points: points(report, |health| Some(mib(health.memory_used_bytes?))),
            end,
        },
    );
    panel(
        &mut svg,
        &Panel {
            top: TOPS[1],
            title: "temperature (°C)",
            class: "heat",
            points: points(report, |health| health.temperature_celsius.map(f64::from)),
            end,
        },
    );
    svg.push_str("</svg>\n");
    svg
}

fn verdict(report: &SoakReport) -> &'static str {
    use crate::gpu::CardStatus::{Busy, NoDriver, Ok, Skipped, Timeout, Unhealthy, WrongCard};
    match report.status {
        Ok if report.finished => "all results right",
        Ok => "ended early, all results right",
        WrongCard => "wrong card",
        Unhealthy => "unhealthy",
        Timeout => "the driver did not answer",
        Busy | NoDriver | Skipped => "not soaked",
    }
}

#[expect(clippy::cast_precision_loss, reason = "for a picture")]
fn mib(bytes: u64) -> f64 {
    (bytes >> 20) as f64
}

/// Seconds and values; of many, as many as can be told apart.
fn points(report: &SoakReport, value: impl Fn(&Health) -> Option<f64>) -> Vec<(f64, f64)> {
    let step = report.samples.len().div_ceil(MOST_POINTS).max(1);
    report
        .samples
        .chunks(step)
        .filter_map(|samples| {
            // The highest of those that fall together: a peak must not be lost.
            samples
                .iter()
                .filter_map(|sample| Some((sample.seconds, value(&sample.health)?)))
                .max_by(|a, b| a.1.total_cmp(&b.1))
        })
        .collect()
}

/// One of the two.
struct Panel {
    top: f64,
    title: &'static str,
    class: &'static str,
    points: Vec<(f64, f64)>,
    /// The last second.
    end: f64,
}

fn panel(svg: &mut String, panel: &Panel) {
    let Panel {
        top,
        title,
        class,
        points,
        end,
    } = panel;
    let bottom = top + PANEL;
    let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\">{title}</text>", top - 8.0);
    let most = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let step = tick(most);
    let ceiling = (most / step).ceil().max(1.0) * step;
    let y = |value: f64| bottom - value / ceiling * PANEL;
    let x = |seconds: f64| LEFT + seconds / end * (RIGHT - LEFT);
    for number in 0..=5_u32 {
        let value = f64::from(number) * step;
        if value > ceiling {
            break;
        }
        let at = y(value);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    let (unit, length) = if *end >= 300.0 {
        ("min", 60.0)
    } else {
        ("s", 1.0)
    };
    let step = tick(end / length);
    for number in 0..=5_u32 {
        let value = f64::from(number) * step;
        if value * length > *end {
            break;
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{value} {unit}</text>",
            x(value * length),
            bottom + 16.0
        );
    }
    if points.is_empty() {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\">nothing was measured</text>",
            LEFT + 20.0,
            top + PANEL / 2.0
        );
        return;
    }
    let line: Vec<String> = points
        .iter()
        .map(|(seconds, value)| format!("{:.1},{:.1}", x(*seconds), y(*value)))
        .collect();
    let _ = writeln!(
        svg,
        "<polyline class=\"line {class}\" points=\"{}\"/>",
        line.join(" ")
    );
}

/// A step of 1, 2 or 5 times a power of ten with which five steps reach `most`.
pub(super) fn tick(most: f64) -> f64 {
    let mut step = 1.0;
    while step < 1e15 {
        for factor in [1.0, 2.0, 5.0] {
            if step * factor * 5.0 >= most {
                return step * factor;
            }
        }
        step *= 10.0;
    }
    step
}

fn escaped(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::{CardFacts, CardStatus, Progress, Sample};

    fn report(samples: usize) -> SoakReport {
        SoakReport {
            status: CardStatus::Ok,
            finished: true,
            card: Some(CardFacts {
                name: "A <card> & \"more\"".to_owned(),
                uuid: "GPU-1".to_owned(),
                pci_bus_id: "0".to_owned(),
                memory_bytes: None,
                compute_capability: None,
            }),
            message: String::new(),
            hint: None,
            notes: Vec::new(),
            asked_seconds: 1.0,
            progress: Progress::default(),
            hottest_celsius: None,
            phases: Vec::new(),
            samples: (0..samples)
                .map(|number| Sample {
                    seconds: f64::from(u32::try_from(number).unwrap()),
                    health: Health {
                        uuid: "GPU-1".to_owned(),
                        temperature_celsius: Some(if number == 4321 { 93 } else { 41 }),
                        sm_clock_mhz: None,
                        memory_clock_mhz: None,
                        power_milliwatts: None,
                        memory_used_bytes: Some(512 << 20),
                        slowed_by: Vec::new(),
                        uncorrected_ecc_errors: None,
                    },
                })
                .collect(),
        }
    }

    #[test]
    fn it_is_well_formed_whatever_the_driver_says() {
        for samples in [0, 1, 2, 5000] {
            let svg = soak_plot(&report(samples));
            let mut reader = quick_xml::Reader::from_str(&svg);
            let mut lines = 0;
            loop {
                match reader.read_event().unwrap() {
                    quick_xml::events::Event::Eof => break,
                    quick_xml::events::Event::Empty(tag) => {
                        lines += usize::from(tag.name().as_ref() == "polyline");
                    }
                    _ => {}
                }
            }
            assert_eq!(lines, if samples == 0 { 0 } else { 2 });
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn a_peak_among_many_samples_is_not_lost() {
        let points = points(&report(5000), |health| {
            health.temperature_celsius.map(f64::from)
        });
        assert_eq!(points.len(), 1000);
        assert!(points.contains(&(4321.0, 93.0)));
    }

    #[test]
    fn five_steps_reach_the_most() {
        for (most, step) in [
            (0.0, 1.0),
            (5.0, 1.0),
            (5.1, 2.0),
            (93.0, 20.0),
            (24576.0, 5000.0),
        ] {
            assert!((tick(most) - step).abs() < f64::EPSILON, "{most}");
        }
    }
}
