//! Runs the console blocks of the README and of the book, each page in a repository of its own and in its order.
//!
//! A line that starts with `$ ` is a command, what follows is what it prints; where nothing follows, all is right. `…` stands for
//! anything. Times, ids of backups and of commits may differ. A command has to end with 0. Comments, which readers do not see, say more:
//!
//! - `<!-- not run: REASON -->` before a block that cannot be run here,
//! - `<!-- exit code 1 -->` before a block whose last command ends with that,
//! - `<!-- file: NAME -->` before a block that is the content of that file from there on,
//! - `<!-- before: COMMANDS -->` runs commands for `sh` that nobody needs to read.
//!
//! The driver is the stand-in of two cards, `gpuguard` is on PATH.

use std::path::PathBuf;

use super::{Page, readme_and_book};
use crate::support::fake_driver::FakeDriver;
use crate::support::{Run, TestRepo, program, without_times};

/// What a page asks for, in its order.
#[derive(Debug, PartialEq)]
enum Step {
    /// Commands that are not shown.
    Before(String),
    /// A file with its content.
    File(String, String),
    /// A shown block of commands, and the code that its last one ends with.
    Block(Vec<Shown>, i32),
    /// A block that is not run, and why.
    NotRun(String),
}

/// A command and what is shown of its output.
#[derive(Debug, PartialEq)]
struct Shown {
    command: String,
    output: String,
}

/// Reads the steps of a page.
fn steps(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut note: Option<String> = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(start) = line.strip_prefix("<!-- ") {
            let mut comment = start.to_owned();
            while !comment.ends_with("-->") {
                let more = lines.next().expect("a comment ends");
                comment = format!("{comment}\n{more}");
            }
            let comment = comment.trim_end_matches("-->").trim();
            match comment.strip_prefix("before: ") {
                Some(commands) => steps.push(Step::Before(commands.to_owned())),
                None => note = Some(comment.to_owned()),
            }
        } else if let Some(fence) = line.trim_start().strip_prefix("```") {
            let body: Vec<&str> = lines
                .by_ref()
                .take_while(|line| line.trim() != "```")
                .collect();
            let note = note.take();
            let note = note.as_deref().unwrap_or_default();
            if let Some(reason) = note.strip_prefix("not run: ") {
                steps.push(Step::NotRun(reason.to_owned()));
            } else if let Some(name) = note.strip_prefix("file: ") {
                steps.push(Step::File(name.to_owned(), body.join("\n") + "\n"));
            } else if fence == "console" {
                let code = note.strip_prefix("exit code ");
                let code = code.map_or(0, |code| code.parse().expect("a code"));
                steps.push(Step::Block(shown(&body), code));
            }
        } else if !line.trim().is_empty() {
            // A comment speaks of the block that it stands before.
            note = None;
        }
    }
    steps
}

/// The commands of a block, each with what it prints.
fn shown(body: &[&str]) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    for line in body {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push(Shown {
                command: command.to_owned(),
                output: String::new(),
            });
        } else {
            let last = commands.last_mut().expect("a block starts with a command");
            last.output.push_str(line);
            last.output.push('\n');
        }
    }
    commands
}

/// Whether `printed` is what a page shows as `expected`.
fn is_shown(expected: &str, printed: &str) -> bool {
    let expected: Vec<String> = without_times(expected)
        .split_whitespace()
        .map(|word| if varies(word) { "…" } else { word }.to_owned())
        .collect();
    let expected = expected.join(" ");
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    let (first, parts) = match expected.split_once('…') {
        None => return expected == printed,
        Some((first, rest)) => (first, rest.split('…')),
    };
    let Some(mut rest) = printed.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let (last, between) = parts.split_last().expect("split gives one part at least");
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Ids of backups and of commits.
fn varies(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let backup = word.len() == 25 && word.as_bytes()[8] == b'T';
    let commit = (7..=40).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte.is_ascii_digit());
    backup || commit
}

/// A shell in a repository, that remembers its folder from one command to the next.
struct Session {
    repo: TestRepo,
    driver: FakeDriver,
    folder: PathBuf,
}

impl Session {
    fn new() -> Self {
        let repo = TestRepo::new();
        let programs = repo.beside("programs");
        std::fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(program(), programs.join("gpuguard")).unwrap();
        let folder = repo.path();
        Self {
            repo,
            driver: FakeDriver::new(),
            folder,
        }
    }

    /// Runs a command as a terminal shows it: both outputs are one.
    fn run(&mut self, command: &str) -> Run {
        let place = self.repo.beside("folder");
        let script = format!(
            "exec 2>&1\n{command}\ncode=$?; pwd -P >'{}'; exit $code",
            place.display()
        );
        let mut shell = self.repo.command("sh");
        self.driver.add_to(&mut shell);
        let path = shell
            .get_envs()
            .find(|(name, _)| *name == "PATH")
            .and_then(|(_, value)| value)
            .expect("a PATH is given")
            .to_owned();
        let mut path: Vec<PathBuf> = std::env::split_paths(&path).collect();
        path.insert(0, self.repo.beside("programs"));
        let run: Run = shell
            .args(["-c", &script])
            .current_dir(&self.folder)
            .env("PATH", std::env::join_paths(path).unwrap())
            // A busy machine changes no answer.
            .env("GPUGUARD_GPU_CHECK_DEADLINE_MS", "120000")
            .output()
            .unwrap()
            .into();
        if let Ok(folder) = std::fs::read_to_string(place) {
            self.folder = PathBuf::from(folder.trim_end());
        }
        run
    }

    fn play(&mut self, page: &Page) {
        let name = page.path.display();
        for step in steps(&page.text) {
            match step {
                Step::NotRun(reason) => assert!(reason.len() > 10, "{name}: {reason}"),
                Step::File(file, content) => {
                    let file = self.folder.join(file);
                    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                    std::fs::write(file, content).unwrap();
                }
                Step::Before(commands) => {
                    let run = self.run(&format!("set -e\n{commands}"));
                    assert_eq!(run.code, 0, "{name}: {commands}\n{run}");
                }
                Step::Block(shown, code) => {
                    let last = shown.len() - 1;
                    for (at, shown) in shown.iter().enumerate() {
                        let run = self.run(&shown.command);
                        let expected = if at == last { code } else { 0 };
                        let command = &shown.command;
                        assert_eq!(run.code, expected, "{name}: {command}\n{run}");
                        assert!(
                            shown.output.is_empty() || is_shown(&shown.output, &run.stdout),
                            "{name}: {command}\n--- shown\n{}\n{run}",
                            shown.output
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn each_block_does_what_the_page_shows() {
    let mut run = 0;
    for page in readme_and_book() {
        let blocks = page.text.matches("\n```console").count();
        let steps = steps(&page.text);
        let known = steps
            .iter()
            .filter(|step| matches!(step, Step::Block(..) | Step::NotRun(_)))
            .count();
        assert!(known >= blocks, "{}", page.path.display());
        run += steps
            .iter()
            .filter(|step| matches!(step, Step::Block(..)))
            .count();
        if !steps.is_empty() {
            Session::new().play(&page);
        }
    }
    assert!(run > 15, "{run} blocks were run");
}

#[test]
fn pages_are_read_as_they_are_meant() {
    let page = "<!-- file: a.py -->\n\n```python\nx = 1\n```\n<!-- before: one\ntwo -->\nText\n<!-- exit code 1 -->\n\
                ```console\n$ a\nsays\n$ b\n```\n<!-- not run: it needs a card -->\n```console\n$ c\n```\n```text\n$ d\n```\n";
    let block = |command: &str, output: &str| Shown {
        command: command.to_owned(),
        output: output.to_owned(),
    };
    assert_eq!(
        steps(page),
        [
            Step::File("a.py".to_owned(), "x = 1\n".to_owned()),
            Step::Before("one\ntwo".to_owned()),
            Step::Block(vec![block("a", "says\n"), block("b", "")], 1),
            Step::NotRun("it needs a card".to_owned()),
        ]
    );
}

#[test]
fn what_differs_is_seen_and_what_varies_is_not() {
    assert!(is_shown(
        "saved as `20261127T101500Z-cae2cbca`\n",
        "saved as `20260102T030405Z-00000000`"
    ));
    assert!(is_shown("[main 5764895] Train", "[main 1234abc] Train"));
    assert!(is_shown("1 file (3 ms)", "1 file (12 ms)"));
    assert!(is_shown("a\n…\nz\n", "a\nb c\nz"));
    assert!(!is_shown("1 file (3 ms)", "2 files (3 ms)"));
    assert!(!is_shown("a …", "b c"));
    assert!(!is_shown("a … z", "a b"));
    assert!(!is_shown("a", "a b"));
}
