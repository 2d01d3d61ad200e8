//! Kinds of repositories: the same verdict in each.

use super::{HEADER, Place, SETTINGS, Setting, bad, executable, good};
use crate::support::{Run, command, git};

/// Makes a repository of a kind; `None` where this Git cannot.
type Make = fn(Setting) -> Option<Place>;

const KINDS: [(&str, Make); 13] = [
    ("sparse checkout", |setting| {
        sparse(setting, "--no-sparse-index")
    }),
    ("sparse index", |setting| sparse(setting, "--sparse-index")),
    ("split index", |setting| {
        configured(setting, "core.splitIndex", "true")
    }),
    ("index version 4", |setting| {
        configured(setting, "index.version", "4")
    }),
    ("untracked cache", |setting| {
        configured(setting, "core.untrackedCache", "true")
    }),
    ("fsmonitor", fsmonitor),
    ("partial clone", |setting| {
        cloned(setting, "--filter=blob:none")
    }),
    ("shallow clone", |setting| cloned(setting, "--depth=1")),
    ("borrowed objects", |setting| cloned(setting, "--shared")),
    ("reftable", |setting| {
        Place::try_new(setting, &["--ref-format=reftable"])
    }),
    ("SHA-256", |setting| {
        Place::try_new(setting, &["--object-format=sha256"])
    }),
    ("linked worktree", linked),
    ("separate Git directory", |setting| {
        Place::try_new(setting, &["--separate-git-dir=../git-dir"])
    }),
];

fn configured(setting: Setting, key: &str, value: &str) -> Option<Place> {
    let place = Place::new(setting, &[]);
    place.git(&["config", key, value]);
    // Git 2.47 itself gets confused by these beside a split index.
    if key == "core.splitIndex" {
        place.git(&["config", "core.fsmonitor", "false"]);
        place.git(&["config", "index.skipHash", "false"]);
    }
    // Written anew, with what was asked for.
    place.stage("filler.txt", "filler\n");
    place.git(&["update-index", "--force-write-index"]);
    place.slip("filler");
    Some(place)
}

fn fsmonitor(setting: Setting) -> Option<Place> {
    let place = Place::new(setting, &[]);
    // It says that anything may have changed.
    let monitor = place.repo.beside("monitor");
    executable(&monitor, "#!/bin/sh\nprintf 'now\\0/\\0'\n");
    place.git(&["config", "core.fsmonitor", monitor.to_str().unwrap()]);
    place.git(&["update-index", "--fsmonitor"]);
    Some(place)
}

fn sparse(setting: Setting, index: &str) -> Option<Place> {
    let place = Place::new(setting, &[]);
    place.write("far/away.py", bad());
    place.write("near/a.py", good());
    place.slip("files");
    let set = ["sparse-checkout", "set", "--cone", index, "near"];
    (place.try_git(&set).code == 0).then_some(place)
}

fn cloned(setting: Setting, option: &str) -> Option<Place> {
    let place = Place::new(setting, &[]);
    place.write("old.py", format!("{HEADER}\n"));
    place.slip("old");
    place.git(&["config", "uploadpack.allowFilter", "true"]);
    let from = format!("file://{}", place.folder.display());
    let from = if option == "--shared" {
        place.folder.to_str().unwrap()
    } else {
        &from
    };
    let clone = place.repo.beside("clone");
    place.git(&["clone", "--quiet", option, from, clone.to_str().unwrap()]);
    let place = place.at(clone);
    place.wire(&place.folder.join(".git/hooks"));
    Some(place)
}

fn linked(setting: Setting) -> Option<Place> {
    let place = Place::new(setting, &[]);
    let folder = place.repo.beside("linked");
    place.git(&[
        "worktree",
        "add",
        "--quiet",
        "-b",
        "side",
        folder.to_str().unwrap(),
    ]);
    Some(place.at(folder))
}

#[test]
fn the_verdict_is_the_same_in_each_kind_of_repository() {
    std::thread::scope(|scope| {
        for (name, make) in KINDS {
            scope.spawn(move || {
                for setting in SETTINGS {
                    if let Some(place) = make(setting) {
                        judge(name, &place);
                    }
                }
            });
        }
    });
}

fn judge(name: &str, place: &Place) {
    place.stage("near/new.py", bad());
    place.stage("near/old.txt", "text\n");
    place.assert_refused(
        &["commit", "-m", "x"],
        &["1 new problem in 1 file", "near/new.py:5:23"],
    );
    place.stage("near/new.py", good());
    let run = place.assert_passes(&["commit", "-m", "good"]);
    assert!(
        run.stderr.contains("1 file scanned, nothing new found"),
        "{name}: {run}"
    );
    // What is there is not new; a bigger one of it is.
    place.write("near/new.py", bad());
    place.slip("slipped");
    place.stage("near/new.py", format!("{}# more\n", bad()));
    place.assert_passes(&["commit", "-m", "more"]);
    place.write(
        "near/new.py",
        format!("{}x = torch.device('cuda:3')\n", bad()),
    );
    place.assert_refused(&["commit", "-am", "x"], &["1 new problem", "near/new.py:6"]);
    let verify = place.gpuguard(&["backup", "verify", "--all"]);
    assert_eq!(verify.code, 0, "{name}: {verify}");
    notes(name, place);
}

/// What was judged is told from what was not, whoever read the index and the commit.
fn notes(name: &str, place: &Place) {
    let after_commit = || {
        let run = place.gpuguard(&["hook", "run", "post-commit"]);
        assert_eq!(run.code, 0, "{name}: {run}");
        run.stderr.contains("was not judged")
    };
    assert!(!after_commit(), "notes begin here");
    place.git(&["checkout", "--quiet", "HEAD", "--", "near"]);
    place.stage("near/more.py", good());
    place.git(&["rm", "--quiet", "near/old.txt"]);
    place.assert_passes(&["commit", "-m", "judged"]);
    assert!(!after_commit(), "{name}: it was judged");
    place.stage("near/more.py", "print(1)\n");
    place.assert_passes(&["commit", "--amend", "-m", "judged, too"]);
    assert!(!after_commit(), "{name}: it was judged");
    place.write("near/more.py", "print(2)\n");
    place.slip("slipped");
    assert!(after_commit(), "{name}: it was not judged");
}

#[test]
fn a_file_outside_of_a_sparse_checkout_is_judged_from_the_index() {
    for setting in SETTINGS {
        for index in ["--no-sparse-index", "--sparse-index"] {
            let Some(place) = sparse(setting, index) else {
                continue;
            };
            let bad = place.repo.beside("bad.py");
            std::fs::write(
                &bad,
                format!("{}x = torch.device('cuda:3')\n", super::bad()),
            )
            .unwrap();
            let blob = place.git(&["hash-object", "-w", bad.to_str().unwrap()]);
            let entry = format!("100644,{},far/away.py", blob.trim());
            place.git(&["update-index", "--cacheinfo", &entry]);
            place.assert_refused(&["commit", "-m", "x"], &["1 new problem", "far/away.py:6"]);
        }
    }
}

#[test]
fn working_trees_of_one_repository_share_backups_and_commit_at_once() {
    for setting in SETTINGS {
        let place = linked(setting).unwrap();
        let main = place.repo.path();
        let at = |folder: &std::path::Path, arguments: &[&str]| -> Run {
            let mut git = command(&git(), folder, place.repo.home());
            if setting == Setting::NarrowPath {
                git.env("PATH", place.repo.beside("bin"));
            }
            git.args(arguments).output().unwrap().into()
        };
        std::thread::scope(|scope| {
            for (folder, name) in [(&main, "main.py"), (&place.folder, "side.py")] {
                let at = &at;
                scope.spawn(move || {
                    for n in 0..5 {
                        std::fs::write(folder.join(name), format!("{}# {n}\n", good())).unwrap();
                        assert_eq!(at(folder, &["add", name]).code, 0);
                        let run = at(folder, &["commit", "-m", "x"]);
                        assert_eq!(run.code, 0, "{run}");
                    }
                });
            }
        });
        // Lines of two hooks that end at once may stand in any order.
        assert_eq!(place.seen(), ["0"; 10]);
        let listed = place.gpuguard(&["backup", "list", "--format", "json"]);
        let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        assert_eq!(listed["backups"].as_array().unwrap().len(), 10);
        assert_eq!(place.gpuguard(&["backup", "verify", "--all"]).code, 0);
    }
}
