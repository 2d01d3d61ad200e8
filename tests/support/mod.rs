//! Real repositories in temporary folders, and the real binary run in them.

#[cfg(target_os = "linux")]
pub mod fake_driver;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

#[cfg(target_os = "linux")]
use fake_driver::FakeDriver;

/// What a finished program printed, and its exit code.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// What it printed, with `(… ms)` for how long that took.
    pub fn stdout_without_times(&self) -> String {
        without_times(&self.stdout)
    }
}

/// `text` with `… ms` where it says how long something took.
pub fn without_times(text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    let mut times = Vec::new();
    for at in 1..words.len() {
        let is_unit = words[at].starts_with("ms");
        let number = words[at - 1].trim_start_matches('(');
        if is_unit && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            times.push(at - 1);
        }
    }
    for at in times {
        words[at] = if words[at].starts_with('(') {
            "(…"
        } else {
            "…"
        };
    }
    words.join(" ")
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "exit code {}\n--- stdout\n{}\n--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}

/// The `gpuguard` built for these tests.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gpuguard"))
}

/// What starts it from a script. Under wine, where Git is that of Linux (`tests/wine/git.rs`), that
/// needs one word more.
pub fn program_in_sh() -> String {
    let starter = std::env::var("LINUX_GIT_STARTS").unwrap_or_default();
    format!("{starter} '{}'", program().display())
}

/// Runs `gpuguard` in `directory`, with a clean environment.
pub fn gpuguard<A: AsRef<OsStr>>(directory: &Path, arguments: &[A]) -> Run {
    let home = TempDir::new().unwrap();
    Run::from(
        command(program(), directory, home.path())
            .args(arguments)
            .output()
            .unwrap(),
    )
}

/// What hides a real driver from the tests, for as long as they run. On Windows a driver is looked
/// for in the system's folder alone.
#[cfg(target_os = "linux")]
static NO_DRIVER: LazyLock<FakeDriver> = LazyLock::new(FakeDriver::absent);

/// This machine's PATH without a `gpuguard` that is installed on it, for as long as the tests run.
static SEARCH_PATH: LazyLock<SearchPath> = LazyLock::new(SearchPath::without_gpuguard);

struct SearchPath {
    path: OsString,
    /// Stand-ins for the folders that hold a `gpuguard`.
    _folders: Vec<TempDir>,
}

impl SearchPath {
    fn without_gpuguard() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = Vec::new();
        let parts: Vec<PathBuf> = std::env::split_paths(&path)
            .map(|folder| {
                if !folder.join("gpuguard").exists() {
                    return folder;
                }
                let shadow = TempDir::new().unwrap();
                let stand_in = shadow.path().to_owned();
                for program in std::fs::read_dir(&folder).unwrap().flatten() {
                    if program.file_name() != "gpuguard" {
                        #[cfg(unix)]
                        std::os::unix::fs::symlink(
                            program.path(),
                            stand_in.join(program.file_name()),
                        )
                        .unwrap();
                    }
                }
                folders.push(shadow);
                stand_in
            })
            .collect();
        Self {
            path: std::env::join_paths(parts).unwrap(),
            _folders: folders,
        }
    }
}

/// A command that sees nothing of this machine's configuration: own HOME, no system or global
/// Git configuration, fixed author and dates, no terminal, no colours, no GPU driver.
pub fn command(program: &Path, directory: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    let foreign = std::env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        [
            "GIT_",
            "GPUGUARD",
            "CUDA_",
            "NVIDIA_",
            "FAKE_",
            "LD_LIBRARY",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
            || ["SKIP", "NO_COLOR", "CLICOLOR_FORCE", "CI"].contains(&&*name)
    });
    for name in foreign {
        command.env_remove(name);
    }
    command
        .current_dir(directory)
        .env("HOME", home)
        .env("USERPROFILE", home)
        .env("XDG_CONFIG_HOME", home.join(".config"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
        .env("GIT_CEILING_DIRECTORIES", std::env::temp_dir())
        .env("GIT_AUTHOR_NAME", "Ada Example")
        .env("GIT_AUTHOR_EMAIL", "ada@example.org")
        .env("GIT_COMMITTER_NAME", "Ada Example")
        .env("GIT_COMMITTER_EMAIL", "ada@example.org")
        .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
        .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
        .env("PATH", &SEARCH_PATH.path)
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "dumb")
        .stdin(Stdio::null());
    #[cfg(target_os = "linux")]
    command.env("LD_LIBRARY_PATH", NO_DRIVER.folder());
    command
}

/// A Git repository in a temporary folder, removed when dropped.
pub struct TestRepo {
    home: TempDir,
    folder: TempDir,
}

impl TestRepo {
    /// An empty repository on branch `main`.
    pub fn new() -> Self {
        let repo = Self {
            home: TempDir::new().unwrap(),
            folder: TempDir::new().unwrap(),
        };
        std::fs::create_dir(repo.path()).unwrap();
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// A repository with the founding rig's policy committed.
    pub fn with_policy() -> Self {
        let repo = Self::new();
        repo.write(
            "gpuguard.toml",
            include_str!("../../src/policy/preset_rtx3090.toml"),
        );
        repo.commit_all("policy");
        repo
    }

    /// Another repository with the same files, refs and index.
    pub fn copy(&self) -> Self {
        let copy = Self {
            home: TempDir::new().unwrap(),
            folder: TempDir::new().unwrap(),
        };
        copy_folder(&self.path(), &copy.path());
        copy
    }

    /// The root of the working tree.
    pub fn path(&self) -> PathBuf {
        // Canonical, since Git prints canonical paths (macOS has its folder behind a link).
        canonical(self.folder.path()).join("repo")
    }

    /// A folder beside the repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        canonical(self.folder.path()).join(name)
    }

    /// The HOME that all programs started here have.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A command in this repository, to be completed and started.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        command(program.as_ref(), &self.path(), self.home())
    }

    /// Runs `git`; it must succeed. Gives its stdout.
    pub fn git<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let run = self.try_git(arguments);
        assert_eq!(run.code, 0, "git failed: {run}");
        run.stdout
    }

    /// Runs `git`, whatever comes of it.
    pub fn try_git<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        self.command(git()).args(arguments).output().unwrap().into()
    }

    /// Runs `gpuguard` at the root.
    pub fn gpuguard<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        self.command(program())
            .args(arguments)
            .output()
            .unwrap()
            .into()
    }

    /// Writes a file, making its folders.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    /// A file's bytes.
    pub fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.path().join(path)).unwrap()
    }

    /// Whether there is such a file (or link).
    pub fn exists(&self, path: &str) -> bool {
        self.path().join(path).symlink_metadata().is_ok()
    }

    /// Stages everything and commits it.
    pub fn commit_all(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&[
            "commit",
            "--quiet",
            "--no-verify",
            "--allow-empty",
            "-m",
            message,
        ]);
    }
}

/// The path without links, as programs print it: on Windows without `\\?\`.
pub fn canonical(path: &Path) -> PathBuf {
    let canonical = path.canonicalize().unwrap();
    let plain = canonical
        .to_str()
        .and_then(|path| path.strip_prefix(r"\\?\"));
    plain.map(PathBuf::from).unwrap_or(canonical)
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_folder(&source, &target);
        } else if kind.is_symlink() {
            #[cfg(unix)]
            std::os::unix::fs::symlink(std::fs::read_link(&source).unwrap(), target).unwrap();
        } else {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}

/// The `git` under test: `GPUGUARD_TEST_GIT`, or the one on PATH.
pub fn git() -> PathBuf {
    std::env::var_os("GPUGUARD_TEST_GIT").map_or_else(|| "git".into(), PathBuf::from)
}
