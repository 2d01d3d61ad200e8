//! The table of `docs/git-support.md`: every situation has its row, and every row its tests.

use std::collections::BTreeSet;
use std::path::Path;

/// How many there are.
const SITUATIONS: usize = 41;

#[test]
fn every_situation_has_a_row_and_its_tests_exist() {
    let page = include_str!("../../../docs/git-support.md");
    let (_, page) = page.split_once("## Situations").unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| |"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let numbers: Vec<usize> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=SITUATIONS).collect::<Vec<_>>());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut known = BTreeSet::new();
    for folder in ["src", "tests"] {
        tests_below(&root.join(folder), &mut known);
    }
    for (number, row) in numbers.iter().zip(&rows) {
        let tests: Vec<&str> = row.last().unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{row:?}");
        for test in tests {
            assert!(known.contains(test), "{number}: there is no test `{test}`");
        }
    }
}

/// The names of the tests in the files below a folder.
fn tests_below(folder: &Path, known: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_below(&path, known);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for part in text.split("#[test]").skip(1) {
                let name = part.split("fn ").nth(1).unwrap_or_default();
                known.insert(name.split('(').next().unwrap().to_owned());
            }
        }
    }
}
