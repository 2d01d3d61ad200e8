//! What `docs/formats.md` shows is what the program prints.

use serde_json::{Value, json};

use crate::support::{TestRepo, without_times};

const PAGE: &str = include_str!("../docs/formats.md");

/// The first block with this fence in `text`.
fn block<'t>(text: &'t str, fence: &str) -> &'t str {
    let start = format!("\n```{fence}\n");
    let (_, rest) = text.split_once(&start).unwrap();
    rest.split_once("\n```").unwrap().0
}

/// Without what differs from run to run, or is left out on the page.
fn normal(format: &str, text: &str) -> String {
    match format {
        "sarif" => {
            let mut report: Value = serde_json::from_str(text).unwrap();
            report["runs"][0]["tool"]["driver"]["rules"] = json!(["…"]);
            report["runs"][0]["tool"]["driver"]["semanticVersion"] = json!("…");
            report.to_string()
        }
        "json" | "gitlab" => serde_json::from_str::<Value>(text).unwrap().to_string(),
        "junit" => {
            let time = regex::Regex::new("time=\"[0-9.]+\"").unwrap();
            time.replace_all(text, "time").trim().to_owned()
        }
        _ => without_times(text.trim()),
    }
}

#[test]
fn each_example_is_what_is_printed() {
    let repo = TestRepo::with_policy();
    repo.write("train.py", format!("{}\n", block(PAGE, "python")));
    let mut seen = Vec::new();
    for section in PAGE.split("\n## ").skip(1) {
        let command = section.split('`').nth(1).unwrap();
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let (format, fence) = match words.last().copied().unwrap() {
            "scan" => ("human", "text"),
            format @ ("json" | "sarif" | "gitlab") => (format, "json"),
            "junit" => ("junit", "xml"),
            format => (format, "text"),
        };
        let run = repo.gpuguard(&words);
        assert_eq!(run.code, 1, "{run}");
        assert_eq!(
            normal(format, block(section, fence)),
            normal(format, &run.stdout),
            "{command}"
        );
        seen.push(format);
    }
    let all = [
        "human", "concise", "json", "sarif", "github", "gitlab", "junit",
    ];
    assert_eq!(seen, all);
}
