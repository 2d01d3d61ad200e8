//! Running the `git` program with nothing left to chance: no prompts, no locks, no hooks, no
//! colours, no pathspec magic, no lazy downloads.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::GitError;
use crate::text::printable;

/// What a finished `git` printed.
#[derive(Debug)]
pub struct Output {
    /// Standard output, as bytes.
    pub stdout: Vec<u8>,
}

impl Output {
    /// The output as one line of text, without its line end.
    pub fn line(&self) -> String {
        String::from_utf8_lossy(&self.stdout)
            .trim_end_matches(['\n', '\r'])
            .to_owned()
    }

    /// The output as one path, without its line end; `None` where this system cannot have it.
    pub fn path(&self) -> Option<PathBuf> {
        let bytes = self.stdout.strip_suffix(b"\n").unwrap_or(&self.stdout);
        gix::path::from_bstr(gix::bstr::BStr::new(bytes))
            .ok()
            .map(std::borrow::Cow::into_owned)
    }

    /// The NUL-terminated records of a `-z` output.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        let body = self.stdout.strip_suffix(b"\0").unwrap_or(&self.stdout);
        body.split(|byte| *byte == 0)
            .take(if body.is_empty() { 0 } else { usize::MAX })
    }
}

/// The `git` program, run in one folder, perhaps on an index of its own.
#[derive(Clone, Debug)]
pub struct GitProgram {
    directory: PathBuf,
    variables: Vec<(OsString, OsString)>,
    hooks: Hooks,
}

/// Which hooks a `git` knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hooks {
    /// None: no command of ours may start the user's programs.
    None,
    /// Those of the user's configuration, to ask about them.
    Configured,
}

impl GitProgram {
    /// Runs `git` in `directory`, with the repository that is found from there.
    pub fn in_directory(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            variables: Vec::new(),
            hooks: Hooks::None,
        }
    }

    /// The same with the `core.hooksPath` that is configured in sight, for questions about hooks;
    /// not for commands that would run them.
    #[must_use]
    pub fn with_configured_hooks(mut self) -> Self {
        self.hooks = Hooks::Configured;
        self
    }

    /// The same with one more environment variable, such as `GIT_INDEX_FILE`.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables
            .push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Runs `git ARGUMENTS`, feeding it `input`; an exit code other than 0 is an error.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A], input: &[u8]) -> Result<Output, GitError> {
        match self.run_for_code(arguments, input)? {
            (Some(0), output, _) => Ok(output),
            (code, _, stderr) => Err(GitError::Program {
                command: subcommand(arguments),
                code,
                stderr,
            }),
        }
    }

    /// Runs `git ARGUMENTS` and gives its exit code, output and (printable) complaint.
    pub fn run_for_code<A: AsRef<OsStr>>(
        &self,
        arguments: &[A],
        input: &[u8],
    ) -> Result<(Option<i32>, Output, String), GitError> {
        let unstarted = |source| GitError::NoProgram { source };
        let mut child = self.command(arguments).spawn().map_err(unstarted)?;
        // Written from a thread of its own: `git` may fill its output before it read all input.
        let writer = child.stdin.take().map(|mut pipe| {
            let input = input.to_vec();
            // A `git` that ends early closes the pipe; its exit code tells why.
            std::thread::spawn(move || drop(pipe.write_all(&input)))
        });
        let output = child.wait_with_output().map_err(unstarted)?;
        if let Some(writer) = writer {
            let _ = writer.join();
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let complaint: Vec<String> = stderr
            .lines()
            .map(|line| printable(line.trim().as_bytes()))
            .filter(|line| !line.is_empty())
            .collect();
        Ok((
            output.status.code(),
            Output {
                stdout: output.stdout,
            },
            complaint.join("; "),
        ))
    }

    #[expect(clippy::disallowed_methods, reason = "this is where `git` is started")]
    fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(&self.directory)
            .args(["--no-pager", "--literal-pathspecs"])
            .args(["-c", "core.fsmonitor=false"])
            .args(["-c", "core.quotePath=false"])
            // An index copied elsewhere must stand alone, and writing it must not make Git throw
            // away the shared part of the repository's own.
            .args(["-c", "core.splitIndex=false"])
            .args(["-c", "splitIndex.sharedIndexExpire=never"])
            .args(["-c", "submodule.recurse=false"]);
        if self.hooks == Hooks::None {
            command.args(["-c", "core.hooksPath=/dev/null"]);
        }
        command
            .args(arguments)
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASK_YESNO", "false")
            .env("GIT_NO_LAZY_FETCH", "1")
            // A program started from the repository must not be found through it.
            .env_remove("GIT_PREFIX")
            .env_remove("GIT_EXTERNAL_DIFF")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }
}

/// The subcommand among the arguments, for messages.
fn subcommand<A: AsRef<OsStr>>(arguments: &[A]) -> String {
    arguments
        .iter()
        .map(|argument| argument.as_ref().to_string_lossy())
        .find(|argument| !argument.starts_with('-') && !argument.contains('='))
        .unwrap_or_default()
        .into_owned()
}
