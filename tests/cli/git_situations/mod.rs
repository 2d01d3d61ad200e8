//! The situations in which Git calls a hook, one by one: `docs/git-support.md` has the table. Git
//! itself makes each, and the hook is watched: index, working tree and refs are the same before and
//! after gpuguard, byte for byte, whatever it decides.
#![cfg(target_os = "linux")]

mod commits;
mod contents;
mod repositories;
mod surroundings;
mod table;

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Run, TestRepo, command, git, program};

const HEADER: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                      os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n";

fn good() -> String {
    format!("{HEADER}device = torch.device(\"cuda:0\")\n")
}

fn bad() -> String {
    format!("{HEADER}device = torch.device(\"cuda:1\")\n")
}

/// What surrounds Git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    /// Nothing of its own.
    Plain,
    /// A user's configuration that changes what Git's commands print and do.
    Hostile,
    /// A PATH with nothing on it but `git`, as graphical clients have it.
    NarrowPath,
}

const SETTINGS: [Setting; 3] = [Setting::Plain, Setting::Hostile, Setting::NarrowPath];

/// Runs a situation in each setting.
fn in_each_setting(situation: fn(&Place)) {
    for setting in SETTINGS {
        let place = Place::new(setting, &[]);
        situation(&place);
    }
}

/// A repository with the founding policy, whose hooks are watched.
struct Place {
    repo: TestRepo,
    /// Where commands run.
    folder: PathBuf,
    setting: Setting,
}

impl Place {
    fn new(setting: Setting, init: &[&str]) -> Self {
        let place = Self::try_new(setting, init);
        place.expect("this Git can make it")
    }

    /// `None` where this Git cannot make such a repository.
    fn try_new(setting: Setting, init: &[&str]) -> Option<Self> {
        let repo = TestRepo::new();
        let folder = repo.path();
        let place = Self {
            repo,
            folder,
            setting,
        };
        std::fs::create_dir(place.repo.beside("seen")).unwrap();
        place.surround();
        if !init.is_empty() {
            std::fs::remove_dir_all(place.folder.join(".git")).unwrap();
            let init = [&["init", "--quiet", "--initial-branch=main"][..], init].concat();
            if place.try_git(&init).code != 0 {
                return None;
            }
        }
        let hooks = place.git(&["rev-parse", "--git-path", "hooks"]);
        place.wire(&place.folder.join(hooks.trim_end()));
        place.write(
            "gpuguard.toml",
            include_str!("../../../src/policy/preset_rtx3090.toml"),
        );
        place.slip("policy");
        Some(place)
    }

    /// The same hooks and surroundings in another working tree.
    fn at(self, folder: PathBuf) -> Self {
        Self { folder, ..self }
    }

    fn surround(&self) {
        match self.setting {
            Setting::Plain => {}
            Setting::Hostile => {
                let gpg = self.repo.beside("gpg");
                executable(
                    &gpg,
                    "#!/bin/sh\ncat >/dev/null\nprintf '\\n[GNUPG:] SIG_CREATED D\\n' >&2\n\
                     echo signature\n",
                );
                let configuration = include_str!("hostile.gitconfig");
                let configuration = configuration.replace("@GPG@", gpg.to_str().unwrap());
                std::fs::write(self.repo.home().join(".gitconfig"), configuration).unwrap();
            }
            Setting::NarrowPath => {
                let bin = self.repo.beside("bin");
                std::fs::create_dir(&bin).unwrap();
                let search = std::env::var_os("PATH").unwrap();
                let git = std::env::split_paths(&search)
                    .map(|folder| folder.join(git()))
                    .find(|file| file.is_file())
                    .unwrap();
                // Some Gits have the two sides of a transport on PATH only.
                for name in ["git", "git-upload-pack", "git-receive-pack"] {
                    let file = git.with_file_name(name);
                    if file.exists() {
                        std::os::unix::fs::symlink(file, bin.join(name)).unwrap();
                    }
                }
            }
        }
    }

    /// Hooks that look at everything before and after gpuguard.
    fn wire(&self, hooks: &Path) {
        std::fs::create_dir_all(hooks).unwrap();
        let script = include_str!("watching-hook.sh")
            .replace("@SEEN@", self.repo.beside("seen").to_str().unwrap())
            .replace("@PROGRAM@", program().to_str().unwrap());
        for event in ["pre-commit", "pre-merge-commit", "pre-push"] {
            executable(&hooks.join(event), &script.replace("@EVENT@", event));
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = command(program, &self.folder, self.repo.home());
        if self.setting == Setting::NarrowPath {
            command.env("PATH", self.repo.beside("bin"));
        }
        command
    }

    fn run<A: AsRef<OsStr>>(&self, program: &Path, arguments: &[A]) -> Run {
        let mut command = self.command(program);
        command.args(arguments).output().unwrap().into()
    }

    fn try_git<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        let mut all: Vec<&OsStr> = vec!["-c".as_ref(), "protocol.file.allow=always".as_ref()];
        all.extend(arguments.iter().map(AsRef::as_ref));
        self.run(&git(), &all)
    }

    #[track_caller]
    fn git<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let run = self.try_git(arguments);
        assert_eq!(run.code, 0, "{:?}: {run}", self.setting);
        run.stdout
    }

    /// The same for the subcommands that are shell scripts and need more on PATH than Git.
    #[track_caller]
    fn git_with_tools(&self, arguments: &[&str]) {
        let mut git = command(&git(), &self.folder, self.repo.home());
        git.args(["-c", "protocol.file.allow=always"])
            .args(arguments);
        let run = Run::from(git.output().unwrap());
        assert_eq!(run.code, 0, "{:?}: {run}", self.setting);
    }

    fn gpuguard(&self, arguments: &[&str]) -> Run {
        self.run(program(), arguments)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    fn stage(&self, path: &str, content: impl AsRef<[u8]>) {
        self.write(path, content);
        self.git(&["add", "--", path]);
    }

    /// Commits everything, past the hooks.
    #[track_caller]
    fn slip(&self, message: &str) {
        self.git(&["add", "--all"]);
        let commit = [
            "commit",
            "--quiet",
            "--no-verify",
            "--allow-empty",
            "-m",
            message,
        ];
        self.git(&commit);
    }

    /// The exit codes of gpuguard in the hooks since the last look; that they changed nothing is
    /// certain then.
    #[track_caller]
    fn seen(&self) -> Vec<String> {
        let seen = self.repo.beside("seen");
        if let Ok(changed) = std::fs::read_to_string(seen.join("changed")) {
            panic!("{:?}: gpuguard changed something: {changed}", self.setting);
        }
        let codes = std::fs::read_to_string(seen.join("codes")).unwrap_or_default();
        let _ = std::fs::remove_file(seen.join("codes"));
        codes.lines().map(str::to_owned).collect()
    }

    /// `git ARGUMENTS` is refused by gpuguard, which says all that is expected.
    #[track_caller]
    fn assert_refused<A: AsRef<OsStr>>(&self, arguments: &[A], expected: &[&str]) -> Run {
        let head = self.try_git(&["rev-parse", "--verify", "--quiet", "HEAD"]);
        let run = self.try_git(arguments);
        assert_ne!(run.code, 0, "{:?}: {run}", self.setting);
        assert_eq!(self.seen().last().unwrap(), "1", "{run}");
        for part in expected {
            assert!(
                run.stderr.contains(part),
                "{:?}: no {part:?} in {run}",
                self.setting
            );
        }
        let now = self.try_git(&["rev-parse", "--verify", "--quiet", "HEAD"]);
        assert_eq!(now.stdout, head.stdout, "{run}");
        run
    }

    /// `git ARGUMENTS` is asked about once and passes.
    #[track_caller]
    fn assert_passes<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        let run = self.try_git(arguments);
        assert_eq!(run.code, 0, "{:?}: {run}", self.setting);
        assert_eq!(self.seen(), ["0"], "{:?}: {run}", self.setting);
        run
    }
}

fn executable(path: &Path, content: &str) {
    // Written by a child: a program that this process has open for writing while another test
    // forks cannot be started.
    let status = Command::new("sh")
        .args(["-c", r#"printf %s "$2" >"$1" && chmod 755 "$1""#, "sh"])
        .args([path.as_os_str(), content.as_ref()])
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o755);
}
