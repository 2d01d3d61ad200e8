//! `install.sh`, run by the real sh with a `cargo` that only pretends to build.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Run, TestRepo, command, program};

/// What the script needs besides cargo and git.
const TOOLS: [&str; 12] = [
    "cat", "cc", "chmod", "cp", "dirname", "git", "mkdir", "mv", "rm", "sed", "sh", "uname",
];

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh")
}

/// A folder of programs to be the whole PATH: the tools, and with `builds` a cargo whose build
/// is the program under test.
fn tools(repo: &TestRepo, builds: bool) -> PathBuf {
    let bin = repo.beside("tools");
    fs::create_dir_all(&bin).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for tool in TOOLS {
        let link = bin.join(tool);
        let found = std::env::split_paths(&path)
            .map(|folder| folder.join(tool))
            .find(|file| file.is_file());
        if let Some(found) = found
            && !link.exists()
        {
            symlink(found, link).unwrap();
        }
    }
    if builds {
        let release = repo.beside("target/release");
        fs::create_dir_all(&release).unwrap();
        if !release.join("gpuguard").exists() {
            symlink(program(), release.join("gpuguard")).unwrap();
        }
        let body = format!(
            "#!/bin/sh\n[ \"$1\" != metadata ] || echo '{{\"target_directory\":\"{}\",\"x\":1}}'\n",
            repo.beside("target").display()
        );
        // Written by a child, see `tests/cli/install.rs`.
        let status = Command::new("sh")
            .args([
                "-c",
                r#"printf %s "$2" >"$1" && chmod 755 "$1""#,
                "sh",
                bin.join("cargo").to_str().unwrap(),
                &body,
            ])
            .status()
            .unwrap();
        assert!(status.success());
    }
    bin
}

fn run(repo: &TestRepo, path: &Path, arguments: &[&str]) -> Run {
    command(Path::new("/bin/sh"), &repo.path(), repo.home())
        .arg(script())
        .args(arguments)
        .env("PATH", path)
        .env_remove("CARGO_HOME")
        .env_remove("CC")
        .output()
        .unwrap()
        .into()
}

#[test]
fn the_program_is_copied_and_wired_in_however_often() {
    let repo = TestRepo::new();
    let path = tools(&repo, true);
    let prefix = repo.beside("my prefix");
    for _ in 0..2 {
        let run = run(&repo, &path, &["--prefix", prefix.to_str().unwrap(), "."]);
        assert_eq!(run.code, 0, "{run}");
        let installed = prefix.join("bin/gpuguard");
        let said = format!("installed: {} (gpuguard ", installed.display());
        assert!(run.stdout.contains(&said), "{run}");
        assert!(run.stdout.contains("is not on PATH"), "{run}");
        let mode = fs::metadata(&installed).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(fs::read(&installed).unwrap(), fs::read(program()).unwrap());
        assert_eq!(fs::read_dir(prefix.join("bin")).unwrap().count(), 1);
    }
    let commands = repo.try_git(&["config", "--local", "hook.gpuguard.command"]);
    let wired = commands.code == 0 || repo.exists(".git/hooks/pre-commit");
    assert!(wired, "{commands}");
}

#[test]
fn without_a_prefix_the_program_goes_where_cargo_puts_programs() {
    let repo = TestRepo::new();
    let run = run(&repo, &tools(&repo, true), &[]);
    assert_eq!(run.code, 0, "{run}");
    assert!(repo.home().join(".cargo/bin/gpuguard").is_file(), "{run}");
    assert!(run.stdout.contains("install REPO wires it"), "{run}");
}

#[test]
fn what_is_missing_is_named() {
    let repo = TestRepo::new();
    let missing_cargo = run(&repo, &tools(&repo, false), &[]);
    assert_eq!(missing_cargo.code, 2, "{missing_cargo}");
    assert!(
        missing_cargo.stderr.contains("cargo is missing"),
        "{missing_cargo}"
    );
    let path = tools(&repo, true);
    fs::remove_file(path.join("git")).unwrap();
    let missing_git = run(&repo, &path, &[]);
    assert_eq!(missing_git.code, 2, "{missing_git}");
    assert!(
        missing_git.stderr.contains("git is missing"),
        "{missing_git}"
    );
    let no_folder = run(&repo, &path, &["nowhere"]);
    assert_eq!(no_folder.code, 2, "{no_folder}");
    assert!(
        no_folder.stderr.contains("not a folder: nowhere"),
        "{no_folder}"
    );
}

#[test]
fn help_and_mistakes_build_nothing() {
    let repo = TestRepo::new();
    let path = tools(&repo, false);
    let help = run(&repo, &path, &["--help"]);
    assert_eq!(help.code, 0, "{help}");
    assert!(help.stdout.contains("--prefix DIR"), "{help}");
    for mistake in [&["--prefiks"][..], &["--prefix"], &["a", "b"]] {
        let run = run(&repo, &path, mistake);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.starts_with("install.sh: "), "{run}");
    }
}

#[test]
fn places_that_cannot_be_are_refused_before_the_build() {
    let repo = TestRepo::new();
    let path = tools(&repo, true);
    let place = repo.beside("plain folder");
    fs::create_dir(&place).unwrap();
    let folder = place.to_str().unwrap();
    repo.write("file", "");
    for (arguments, reason) in [
        (&[folder][..], "not in the working tree of a Git repository"),
        (&[".git"], "not in the working tree of a Git repository"),
        (&[""], "empty name"),
        (&["--prefix", ""], "--prefix needs a folder"),
        (&["--prefix="], "--prefix needs a folder"),
        (&["--prefix", "file"], "not a folder: file"),
    ] {
        let run = run(&repo, &path, arguments);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(reason), "{run}");
        assert_eq!(run.stdout, "", "{run}");
    }
}

#[test]
fn a_folder_on_path_is_recognised_however_it_is_written() {
    let repo = TestRepo::new();
    let tools = tools(&repo, true);
    let prefix = repo.beside("prefix");
    for end in ["", "/"] {
        let path = format!("{}:{}/bin{end}", tools.display(), prefix.display());
        let arguments = ["--prefix", prefix.to_str().unwrap()];
        let run = run(&repo, Path::new(&path), &arguments);
        assert_eq!(run.code, 0, "{run}");
        assert!(!run.stdout.contains("is not on PATH"), "{run}");
    }
}

/// The parts of `whole` that end at each of `ends`, run one after the other.
fn run_cut_off(repo: &TestRepo, path: &Path, whole: &str, ends: impl Iterator<Item = usize>) {
    for end in ends {
        let run: Run = command(Path::new("/bin/sh"), &repo.path(), repo.home())
            .args(["-c", &whole[..end]])
            .arg(script())
            .args(["--prefix", "made"])
            .env("PATH", path)
            .env_remove("CARGO_HOME")
            .output()
            .unwrap()
            .into();
        assert_eq!(run.stdout, "", "cut off at {end}: {run}");
        assert!(!repo.exists("made"), "cut off at {end}");
        assert!(!repo.home().join(".cargo").exists(), "cut off at {end}");
    }
}

#[test]
fn a_script_that_was_cut_off_does_nothing() {
    const THREADS: usize = 4;
    let repo = TestRepo::new();
    let path = tools(&repo, true);
    let whole = fs::read_to_string(script()).unwrap();
    let last = whole.rfind('}').unwrap();
    assert_eq!(&whole[last..], "}\n");
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            let (repo, path, whole) = (&repo, &path, &whole);
            scope.spawn(move || run_cut_off(repo, path, whole, (first..=last).step_by(THREADS)));
        }
    });
}
