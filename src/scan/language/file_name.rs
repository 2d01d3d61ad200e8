//! Which language a file is in: its name, its extension, or its first line. Never its content.

use crate::git::RepoPath;

/// Whether the file's extension is one of these, in any case.
pub(super) fn has_extension(path: &RepoPath, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|own| {
        extensions
            .iter()
            .any(|extension| own.eq_ignore_ascii_case(extension.as_bytes()))
    })
}

/// Whether the file is called one of these, in any case.
pub(super) fn is_called(path: &RepoPath, names: &[&str]) -> bool {
    let own = path.file_name();
    names
        .iter()
        .any(|name| own.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether a folder of this name is on the file's path.
pub(super) fn is_below(path: &RepoPath, folder: &str) -> bool {
    let mut parts = path.as_bytes().split(|byte| *byte == b'/').rev().skip(1);
    parts.any(|part| part == folder.as_bytes())
}

/// Whether the file has no extension, and its first line (`#!`) names one of these programs, with
/// or without a version.
pub(super) fn is_started_by(path: &RepoPath, content: &[u8], programs: &[&str]) -> bool {
    path.extension().is_none()
        && interpreter(content).is_some_and(|own| {
            let own = own.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            programs.contains(&own)
        })
}

/// The program that the first line names: `bash` of `#!/usr/bin/env -S bash -e`.
pub(super) fn interpreter(content: &[u8]) -> Option<&str> {
    let line = content.strip_prefix(b"#!")?.split(|byte| *byte == b'\n');
    let line = std::str::from_utf8(line.take(1).next()?).ok()?;
    let mut words = line.split_ascii_whitespace();
    let name = |word: &'_ str| word.rfind('/').map_or(0, |at| at + 1);
    let first = words.next()?;
    let first = &first[name(first)..];
    if first != "env" {
        return Some(first);
    }
    let program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    let program = &program[name(program)..];
    // `uv run --script` of PEP 723's scripts, which are Python's.
    if program == "uv" && words.next() == Some("run") {
        return Some("python");
    }
    Some(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_a_program() {
        for (line, program) in [
            ("#!/bin/sh\n", Some("sh")),
            ("#! /usr/bin/env bash", Some("bash")),
            ("#!/usr/bin/env -S PATH=/x fish -l\r\n", Some("fish")),
            ("#!/usr/local/bin/zsh -f", Some("zsh")),
            ("#!/usr/bin/env -S uv run --script", Some("python")),
            ("#!/usr/bin/env -S just --justfile", Some("just")),
            ("#!", None),
            ("#!/usr/bin/env", None),
            ("# !/bin/sh", None),
            ("echo #!/bin/sh", None),
        ] {
            assert_eq!(interpreter(line.as_bytes()), program, "{line}");
        }
        let path = RepoPath::new("a/run");
        assert!(is_started_by(&path, b"#!/usr/bin/python3.11", &["python"]));
        assert!(!is_started_by(
            &RepoPath::new("run.x"),
            b"#!/bin/sh",
            &["sh"]
        ));
    }

    #[test]
    fn names_count_in_any_case() {
        let path = RepoPath::new("a/Deploy.YML");
        assert!(has_extension(&path, &["yaml", "yml"]) && !has_extension(&path, &["ml"]));
        assert!(is_called(&path, &["deploy.yml"]) && !is_called(&path, &["eploy.yml"]));
        assert!(is_below(&path, "a") && !is_below(&path, "Deploy.YML"));
    }
}
