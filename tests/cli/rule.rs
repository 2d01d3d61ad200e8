//! `gpuguard rule` with the real binary.

use std::path::Path;

use crate::support::gpuguard;

#[test]
fn rules_are_listed_and_explained() {
    let here = Path::new(".");
    let list = gpuguard(here, &["rule"]);
    assert_eq!(list.code, 0, "{list}");
    let codes: Vec<String> = (1..=18).map(|number| format!("GG{number:03}")).collect();
    let listed: Vec<&str> = list.stdout.lines().map(|line| &line[..5]).collect();
    assert_eq!(listed, codes);
    for code in &codes {
        let page = gpuguard(here, &["rule", &code.to_lowercase()]);
        assert_eq!(page.code, 0, "{page}");
        assert!(page.stdout.starts_with(&format!("# {code}: ")), "{page}");
    }
}

#[test]
fn an_unknown_rule_is_answered_with_the_nearest() {
    let run = gpuguard(Path::new("."), &["rule", "GG06"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
    assert_eq!(
        run.stderr,
        "error: there is no rule `GG06`\n  hint: did you mean `GG006`?\n"
    );
    let run = gpuguard(Path::new("."), &["rule", "whatever"]);
    assert!(
        run.stderr.contains("`gpuguard rule` lists them all"),
        "{run}"
    );
}
