//! The gates beside `pre-commit`: a clean merge, what was committed unchecked, a push on both of
//! its sides. All are wired by `gpuguard install`, and Git starts them.
#![cfg(unix)]

mod default_branch;
mod known_remote;
mod merge;
mod policy;
mod push;
mod receive;
mod taken_over;
mod unchecked;
mod wiring;

use std::path::{Path, PathBuf};

use crate::support::{Run, TestRepo, command, git, program};

const HEADER: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                      os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n";

fn good() -> String {
    format!("{HEADER}device = torch.device(\"cuda:0\")\n")
}

fn bad() -> String {
    format!("{HEADER}device = torch.device(\"cuda:1\")\n")
}

const RIG: &str = include_str!("../../../src/policy/preset_rtx3090.toml");

/// The founding policy without the rule that `bad()` breaks.
fn loose() -> String {
    RIG.replace("[rules]\n", "[rules]\nGG006 = \"off\"\n")
}

/// A repository with the founding policy, every gate, and a bare one to push to.
struct Pair {
    repo: TestRepo,
    server: PathBuf,
}

fn server_of(repo: &TestRepo) -> PathBuf {
    let server = repo.beside("server.git");
    let path = server.to_str().unwrap();
    repo.git(&["init", "--quiet", "--bare", "--initial-branch=main", path]);
    repo.git(&["remote", "add", "origin", path]);
    server
}

/// With the policy pushed and gates on the side that pushes.
fn guarded() -> Pair {
    let repo = TestRepo::with_policy();
    let server = server_of(&repo);
    repo.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
    install(&repo, &[]);
    Pair { repo, server }
}

fn install(repo: &TestRepo, more: &[&str]) {
    let run = repo.gpuguard(&[&["install", "--hooks", "all"][..], more].concat());
    assert_eq!(run.code, 0, "{run}");
}

impl Pair {
    fn commit(&self, path: &str, content: impl AsRef<[u8]>, options: &[&str]) -> Run {
        self.repo.write(path, content);
        self.repo.git(&["add", "--all"]);
        let run = self
            .repo
            .try_git(&[&["commit", "--quiet", "-m", path][..], options].concat());
        assert_eq!(run.code, 0, "{run}");
        run
    }

    /// Commits past every gate.
    fn slip(&self, path: &str, content: impl AsRef<[u8]>) -> Run {
        self.commit(path, content, &["--no-verify"])
    }

    fn push(&self, arguments: &[&str]) -> Run {
        self.repo.try_git(&[&["push"][..], arguments].concat())
    }

    fn on_server(&self, arguments: &[&str]) -> String {
        let run = at(&self.server, &self.repo, &git(), arguments);
        assert_eq!(run.code, 0, "{run}");
        run.stdout
    }

    fn server_head(&self, branch: &str) -> String {
        let run = at(
            &self.server,
            &self.repo,
            &git(),
            &["rev-parse", "--verify", "--quiet", branch],
        );
        run.stdout
    }

    /// Wires the server's gate and takes away the sender's.
    fn guard_server_only(&self) {
        let server = self.server.to_str().unwrap();
        for arguments in [&["uninstall"][..], &["install", server]] {
            let run = self.repo.gpuguard(arguments);
            assert_eq!(run.code, 0, "{run}");
        }
    }

    #[track_caller]
    fn assert_push_refused(&self, arguments: &[&str], expected: &[&str]) -> Run {
        let before = self.on_server(&["for-each-ref"]);
        let run = self.push(arguments);
        assert_eq!(run.code, 1, "{run}");
        for part in expected {
            assert!(run.stderr.contains(part), "no {part:?} in {run}");
        }
        assert_eq!(self.on_server(&["for-each-ref"]), before, "a ref moved");
        run
    }

    #[track_caller]
    fn assert_pushed(&self, arguments: &[&str]) -> Run {
        let run = self.push(arguments);
        assert_eq!(run.code, 0, "{run}");
        run
    }
}

fn at(folder: &Path, repo: &TestRepo, program: &Path, arguments: &[&str]) -> Run {
    command(program, folder, repo.home())
        .args(arguments)
        .output()
        .unwrap()
        .into()
}

/// The gate, told of new tags.
fn pre_push_of(pair: &Pair, tags: &[&str], options: &[&str]) -> Run {
    let none = "0".repeat(40);
    let told: String = tags
        .iter()
        .flat_map(|tag| {
            let commit = pair.repo.git(&["rev-parse", tag]);
            let line = format!("refs/tags/{tag} {} refs/tags/{tag} {none}", commit.trim());
            [line, "\n".to_owned()]
        })
        .collect();
    pre_push_with(&pair.repo, options, &told)
}

/// The gate as Git starts it, told of a push.
fn pre_push(repo: &TestRepo, told: &str) -> Run {
    pre_push_with(repo, &[], told)
}

fn pre_push_with(repo: &TestRepo, options: &[&str], told: &str) -> Run {
    pre_push_called(
        repo,
        &[options, &["hook", "run", "pre-push"]].concat(),
        told,
    )
}

/// By a command line that what Git passes to the hook comes behind.
fn pre_push_called(repo: &TestRepo, called: &[&str], told: &str) -> Run {
    use std::io::Write as _;
    use std::process::Stdio;
    let address = repo.try_git(&["config", "remote.origin.url"]).stdout;
    let mut child = repo
        .command(program())
        .args(called)
        .args(["origin", address.trim()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(told.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap().into()
}

fn write_hook(path: &Path, content: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Every file below a folder, with its content.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.push((path.clone(), Vec::new()));
            found.extend(tree(&path));
        } else {
            let content = std::fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found.sort();
    found
}
