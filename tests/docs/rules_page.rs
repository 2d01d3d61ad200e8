//! `docs/rules.md` lists the rules as the program does, and takes each one's page from the rule itself.

use super::Page;
use crate::support::gpuguard;

#[test]
fn each_rule_is_listed_and_its_page_is_included() {
    let page = Page::read("docs/rules.md".into());
    let run = gpuguard(std::path::Path::new("."), &["rule"]);
    assert_eq!(run.code, 0, "{run}");
    let mut rest = page.text.as_str();
    let mut rules = 0;
    for line in run.stdout.lines() {
        // `GG006  index-beyond-mask: a card index that …`
        let (code, rule) = line.split_once("  ").unwrap();
        let (name, summary) = rule.split_once(": ").unwrap();
        let file = format!("../src/scan/rule/{}.md", name.replace('-', "_"));
        let row = format!("| {code} | {name} | {summary} |\n");
        assert!(page.text.contains(&row), "no row:\n{row}");
        // In the order of the codes.
        let include = format!("\n{{{{#include {file}}}}}\n");
        let at = rest.find(&include);
        assert!(at.is_some(), "not included, or not in its place: {file}");
        rest = &rest[at.unwrap_or_default() + include.len() - 1..];
        rules += 1;
    }
    assert_eq!(page.text.matches("{{#include ../src/").count(), rules);
}
