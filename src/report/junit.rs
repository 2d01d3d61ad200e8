//! JUnit's XML, in the form that Jenkins, GitLab and Azure read: each finding and each clean file
//! is a test. What does not block is no failure, so that the report and the exit code agree.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::{path_text, with_help};
use crate::outcome::Outcome;
use crate::policy::FILE_NAME;
use crate::scan::{FileScan, Finding, Reading};
use crate::text::printable;

type Xml = Writer<Vec<u8>>;

pub(super) fn render(outcome: &Outcome) -> String {
    text(outcome, None)
}

pub(super) fn unjudged(told: &str) -> String {
    text(&Outcome::default(), Some(told))
}

/// The document, with an error where it could not be judged.
fn text(outcome: &Outcome, told: Option<&str>) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Written to memory, which cannot fail.
    let _ = document(&mut xml, outcome, told);
    let mut text = String::from_utf8(xml.into_inner()).unwrap_or_default();
    text.push('\n');
    text
}

fn document(xml: &mut Xml, outcome: &Outcome, told: Option<&str>) -> std::io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let counts = counts(outcome, usize::from(told.is_some()));
    for name in ["testsuites", "testsuite"] {
        let mut tag = BytesStart::new(name);
        tag.push_attribute(("name", "gpuguard"));
        for (key, value) in &counts {
            tag.push_attribute((*key, value.as_str()));
        }
        xml.write_event(Event::Start(tag))?;
    }
    if let Some(told) = told {
        let mut tag = BytesStart::new("testcase");
        tag.push_attribute(("classname", "gpuguard"));
        tag.push_attribute(("name", "scan"));
        xml.write_event(Event::Start(tag))?;
        let mut tag = BytesStart::new("error");
        tag.push_attribute(("type", "could not be judged"));
        let first = told.lines().next().unwrap_or_default();
        tag.push_attribute(("message", allowed(first).as_str()));
        xml.write_event(Event::Start(tag))?;
        xml.write_event(Event::Text(BytesText::new(&allowed(told))))?;
        xml.write_event(Event::End(BytesEnd::new("error")))?;
        xml.write_event(Event::End(BytesEnd::new("testcase")))?;
    }
    for weakening in outcome.refused_weakenings() {
        let mut tag = BytesStart::new("testcase");
        tag.push_attribute(("classname", FILE_NAME));
        tag.push_attribute(("name", "weakened"));
        xml.write_event(Event::Start(tag))?;
        let mut tag = BytesStart::new("failure");
        tag.push_attribute(("type", "policy weakened"));
        tag.push_attribute(("message", allowed(&weakening.what).as_str()));
        xml.write_event(Event::Empty(tag))?;
        xml.write_event(Event::End(BytesEnd::new("testcase")))?;
    }
    for file in &outcome.files {
        match &file.reading {
            Reading::Skipped(reason) => {
                case(xml, file, None, |xml| {
                    let mut tag = BytesStart::new("skipped");
                    tag.push_attribute(("message", allowed(&reason.to_string()).as_str()));
                    xml.write_event(Event::Empty(tag))
                })?;
            }
            Reading::Whole | Reading::WithErrors { .. } => scanned(xml, file)?,
        }
    }
    for name in ["testsuite", "testsuites"] {
        xml.write_event(Event::End(BytesEnd::new(name)))?;
    }
    Ok(())
}

fn counts(outcome: &Outcome, errors: usize) -> [(&'static str, String); 5] {
    let clean = |file: &&FileScan| !file.findings.iter().any(|finding| finding.introduced);
    let findings = outcome.introduced().count();
    let weakened = outcome.refused_weakenings().count();
    let tests = outcome.files.iter().filter(clean).count() + findings + errors + weakened;
    let failures = outcome.introduced().filter(|(_, it)| it.blocks()).count() + weakened;
    [
        ("tests", tests.to_string()),
        ("failures", failures.to_string()),
        ("errors", errors.to_string()),
        ("skipped", outcome.skipped().count().to_string()),
        ("time", format!("{:.3}", outcome.elapsed.as_secs_f64())),
    ]
}

fn scanned(xml: &mut Xml, file: &FileScan) -> std::io::Result<()> {
    let mut clean = true;
    for finding in file.findings.iter().filter(|finding| finding.introduced) {
        clean = false;
        case(xml, file, Some(finding), |xml| {
            let words = with_help(finding);
            if !finding.blocks() {
                xml.write_event(Event::Start(BytesStart::new("system-out")))?;
                let text = allowed(&format!("warning: {words}"));
                xml.write_event(Event::Text(BytesText::new(&text)))?;
                return xml.write_event(Event::End(BytesEnd::new("system-out")));
            }
            let mut tag = BytesStart::new("failure");
            tag.push_attribute(("type", finding.rule));
            tag.push_attribute(("message", allowed(&finding.message).as_str()));
            xml.write_event(Event::Start(tag))?;
            let text = format!("{words}\n{}", finding.source);
            xml.write_event(Event::Text(BytesText::new(&allowed(&text))))?;
            xml.write_event(Event::End(BytesEnd::new("failure")))
        })?;
    }
    if clean {
        case(xml, file, None, |_| Ok(()))?;
    }
    Ok(())
}

fn case(
    xml: &mut Xml,
    file: &FileScan,
    finding: Option<&Finding>,
    inside: impl FnOnce(&mut Xml) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let path = allowed(&path_text(file));
    let mut tag = BytesStart::new("testcase");
    tag.push_attribute(("classname", path.as_str()));
    let name = match finding {
        Some(finding) => {
            let start = finding.start;
            format!("{} at {}:{}", finding.rule, start.line, start.column)
        }
        None => "scan".to_owned(),
    };
    tag.push_attribute(("name", name.as_str()));
    tag.push_attribute(("file", path.as_str()));
    if let Some(finding) = finding {
        tag.push_attribute(("line", finding.start.line.to_string().as_str()));
    }
    xml.write_event(Event::Start(tag))?;
    inside(xml)?;
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

/// `text` without the characters that XML 1.0 cannot have (section 2.2), however they are written.
fn allowed(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let line = printable(line.trim_end_matches('\r').as_bytes());
        line.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
    });
    lines.collect::<Vec<_>>().join("\n")
}
