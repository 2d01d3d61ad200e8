//! The book is whole: each page is in its summary, and each link within the repository leads somewhere.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::{Page, book, root};

/// Pages whose links are looked at, besides the book's.
const FURTHER: [&str; 5] = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/SUMMARY.md",
];

/// Text without what stands in fences and in code spans.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            for piece in line.split('`').step_by(2) {
                prose.push_str(piece);
            }
            prose.push('\n');
        }
    }
    prose
}

/// Where the links of a page lead: `page.md#heading` of `[words](page.md#heading)`.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let ends = prose.split("](").skip(1);
    ends.filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut anchors = BTreeSet::new();
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        let heading = line.trim_start_matches('#');
        if fenced || heading.len() == line.len() {
            continue;
        }
        let letters = heading.trim().to_lowercase();
        let kept = letters.chars().filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c => c.is_alphanumeric().then_some(c),
        });
        anchors.insert(kept.collect());
    }
    anchors
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                assert!(plain.pop(), "{} leaves the repository", path.display());
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn each_page_is_in_the_summary_and_each_of_the_summary_is_there() {
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let listed = links(&summary);
    let listed: BTreeSet<PathBuf> = listed
        .iter()
        .map(|link| Path::new("docs").join(link))
        .collect();
    let there: BTreeSet<PathBuf> = book().into_iter().map(|page| page.path).collect();
    assert_eq!(listed, there);
}

#[test]
fn each_link_within_the_repository_leads_somewhere() {
    let further = FURTHER.iter().map(|path| Page::read(PathBuf::from(path)));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in book().into_iter().chain(further) {
        for link in links(&page.text) {
            if link.contains("://") {
                continue;
            }
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = page.path.parent().unwrap();
            let path = match target {
                "" => page.path.clone(),
                target => plain(&folder.join(target)),
            };
            // What lies outside is not in the book that mdBook makes.
            let in_the_book = path.starts_with("docs") || !page.path.starts_with("docs");
            let there = root().join(&path);
            let found = in_the_book
                && there.exists()
                && (anchor.is_empty()
                    || anchors(&std::fs::read_to_string(there).unwrap()).contains(anchor));
            if !found {
                wrong.push(format!("{}: {link}", page.path.display()));
            }
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 40, "{seen}");
}

/// The parts of a page that stand in the README too, by their names.
fn shared(page: &Page) -> Vec<(String, String)> {
    let parts = page.text.split("<!-- shared: ").skip(1);
    let parts = parts.map(|rest| {
        let (name, rest) = rest.split_once(" -->\n").unwrap();
        let end = format!("\n<!-- end of shared: {name} -->\n");
        let part = rest.split_once(&end).map(|(part, _)| part);
        let part = part.unwrap_or_else(|| panic!("{}: {name} has no end", page.path.display()));
        (name.to_owned(), part.to_owned())
    });
    parts.collect()
}

#[test]
fn what_two_pages_tell_is_the_same_in_both() {
    let readme = Page::read("README.md".into());
    let told = shared(&readme);
    let mut seen = BTreeSet::new();
    for page in book() {
        for (name, part) in shared(&page) {
            let own = told.iter().find(|(other, _)| *other == name);
            let (_, own) = own.unwrap_or_else(|| panic!("{name} is not in the README"));
            assert!(
                *own == part,
                "{name} in {} is not as in the README:\n{own}",
                page.path.display()
            );
            // A link of it would be read from another folder.
            assert_eq!(links(&part), Vec::<String>::new(), "{name}");
            seen.insert(name);
        }
    }
    let all: BTreeSet<String> = told.into_iter().map(|(name, _)| name).collect();
    assert_eq!(seen, all);
    assert!(seen.len() > 7, "{seen:?}");
}

#[test]
fn pages_are_whole_as_they_are_read_on_the_disk() {
    for page in book() {
        assert!(!page.text.contains("{{#"), "{}", page.path.display());
    }
}

#[test]
fn links_and_anchors_are_those_that_are_meant() {
    let text =
        "# A page: its `code`, *all*\n[a](b.md#c) `[x](no)` [d](e)\n```\n[f](no)\n# no\n```\n";
    assert_eq!(links(text), ["b.md#c", "e"]);
    let anchors: Vec<String> = anchors(text).into_iter().collect();
    assert_eq!(anchors, ["a-page-its-code-all"]);
}
