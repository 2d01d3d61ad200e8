//! What a release is made of fits together: names of archives, pinned actions, the wheel.

use toml::Table;

use super::Page;

/// Who may write a step of a workflow: GitHub itself.
const OWNERS: [&str; 1] = ["actions"];

fn table(path: &str) -> Table {
    toml::from_str(&Page::read(path.into()).text).unwrap()
}

fn workflow() -> String {
    Page::read(".github/workflows/release.yml".into()).text
}

/// The values of all lines `key: value` of the workflow.
fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    text.lines()
        .map(|line| line.trim_start().trim_start_matches("- "))
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
        .collect()
}

#[test]
fn each_action_is_of_a_known_owner_and_of_one_version() {
    let text = workflow();
    let actions = values(&text, "uses");
    assert!(actions.len() > 8, "{actions:?}");
    for action in actions {
        let (name, version) = action.split_once('@').unwrap();
        let (owner, _) = name.split_once('/').unwrap();
        assert!(OWNERS.contains(&owner), "{action}");
        let parts: Vec<&str> = version.strip_prefix('v').unwrap().split('.').collect();
        assert_eq!(parts.len(), 3, "{action}: a whole version");
        assert!(
            parts.iter().all(|part| part.parse::<u32>().is_ok()),
            "{action}"
        );
    }
}

#[test]
fn the_wheel_carries_the_program_and_is_described_by_cargo() {
    let project = table("pyproject.toml");
    let cargo = table("Cargo.toml");
    assert_eq!(project["project"]["name"], cargo["package"]["name"]);
    assert_eq!(project["tool"]["maturin"]["bindings"].as_str(), Some("bin"));
    let dynamic = project["project"]["dynamic"].as_array().unwrap();
    for key in ["version", "license", "description"] {
        assert!(dynamic.contains(&key.into()), "{key}");
        assert!(cargo["package"].get(key).is_some(), "{key}");
    }
}

#[test]
fn what_the_release_uploads_is_what_binstall_looks_for() {
    let cargo = table("Cargo.toml");
    let binstall = &cargo["package"]["metadata"]["binstall"];
    let url = binstall["pkg-url"].as_str().unwrap();
    assert!(
        url.ends_with("/{ name }-{ target }{ archive-suffix }"),
        "{url}"
    );
    assert_eq!(binstall["pkg-fmt"].as_str(), Some("tgz"));
    let text = workflow();
    let targets = values(&text, "target");
    assert!(targets.len() >= 5, "{targets:?}");
    for target in targets {
        // `scripts/archive.sh` makes a zip of these, and a tgz of all others.
        let zip = target.contains("windows");
        let overridden = binstall["overrides"].get(target);
        let format = overridden.and_then(|one| one["pkg-fmt"].as_str());
        assert_eq!(format, zip.then_some("zip"), "{target}");
    }
}

#[cfg(unix)]
#[test]
fn an_archive_has_the_program_where_binstall_looks() {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use crate::docs::root;
    use crate::support::{Run, TestRepo, command, program};

    let repo = TestRepo::new();
    let target = "x86_64-unknown-linux-gnu";
    // Only starts the program, which is large before it is stripped.
    let stand_in = repo.beside("target").join(target).join("release/gpuguard");
    std::fs::create_dir_all(stand_in.parent().unwrap()).unwrap();
    let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", program().display());
    std::fs::write(&stand_in, script).unwrap();
    std::fs::set_permissions(&stand_in, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run: Run = command(Path::new("bash"), &repo.path(), repo.home())
        .arg(root().join("scripts/archive.sh"))
        .args([target, "dist"])
        .env("CARGO_TARGET_DIR", repo.beside("target"))
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 0, "{run}");
    let list: Run = command(Path::new("tar"), &repo.path(), repo.home())
        .args(["-tzf", "dist/gpuguard-x86_64-unknown-linux-gnu.tgz"])
        .output()
        .unwrap()
        .into();
    let files: Vec<&str> = list.stdout.lines().collect();
    for name in [
        "gpuguard",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "README.md",
        "man/gpuguard.1",
        "completions/gpuguard.bash",
    ] {
        let path = format!("gpuguard-{target}/{name}");
        assert!(files.contains(&path.as_str()), "{path}: {list}");
    }
}
