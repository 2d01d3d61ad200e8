//! `docs/rules.md` lists the rules as the program does, and each has a page that is the rule's own.

use super::{Page, root};
use crate::support::gpuguard;

#[test]
fn each_rule_is_listed_and_has_a_page() {
    let list = Page::read("docs/rules.md".into()).text;
    let summary = Page::read("docs/SUMMARY.md".into()).text;
    let run = gpuguard(std::path::Path::new("."), &["rule"]);
    assert_eq!(run.code, 0, "{run}");
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    for line in run.stdout.lines() {
        // `GG006  index-beyond-mask: a card index that …`
        let (code, rule) = line.split_once("  ").unwrap();
        let (name, finds) = rule.split_once(": ").unwrap();
        let own = format!("src/scan/rule/{}.md", name.replace('-', "_"));
        let page = Page::read(format!("docs/rules/{code}.md").into());
        let text = std::fs::read_to_string(root().join(&own)).unwrap();
        assert!(page.text == text, "{} is not as {own}", page.path.display());
        let title = text.lines().next().unwrap().trim_start_matches("# ");
        rows.push(format!(
            "| [{code}](rules/{code}.md) | {name} | {finds} |\n"
        ));
        lines.push(format!("  - [{title}](rules/{code}.md)\n"));
    }
    let (rows, lines) = (rows.concat(), lines.concat());
    assert!(list.contains(&rows), "these rows:\n{rows}");
    assert!(summary.contains(&lines), "these lines:\n{lines}");
}
