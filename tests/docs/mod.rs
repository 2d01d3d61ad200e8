//! The README and the book under `docs/`: what they show is what the program does, what they link to is there.

mod commands;
#[cfg(target_os = "linux")]
mod console;
mod packaging;
mod pages;
mod policy_page;
mod rules_page;

use std::path::{Path, PathBuf};

/// The checkout.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page: its path below the checkout, and its text.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        Self { path, text }
    }
}

/// All pages of the book, in the order of their paths. `SUMMARY.md` is their list, and no page.
fn book() -> Vec<Page> {
    let mut paths = Vec::new();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md")
                && !path.ends_with("SUMMARY.md")
            {
                paths.push(path);
            }
        }
    }
    paths.sort();
    assert!(paths.len() > 10, "the pages were not found");
    paths.into_iter().map(Page::read).collect()
}

/// The README and all pages of the book.
fn readme_and_book() -> Vec<Page> {
    let mut pages = vec![Page::read(PathBuf::from("README.md"))];
    pages.extend(book());
    pages
}
