//! Archives as nobody should make them: damaged anywhere, and made to do harm. Whoever made them
//! also made the sum beside them right.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tempfile::TempDir;

use super::*;

/// What lies below a folder: each file's bytes, each link's target.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            if path.is_symlink() {
                found.insert(name, crate::sys::file::link_target(&path).unwrap());
            } else if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// What a verified backup restores into a new folder.
fn restored(backup: &mut VerifiedBackup) -> BTreeMap<PathBuf, Vec<u8>> {
    let target = TempDir::new().unwrap();
    let entries = backup.manifest().choose(&[], None).unwrap();
    backup.restore_beside(target.path(), &entries).unwrap();
    tree(target.path())
}

#[test]
fn every_bit_of_every_byte_is_missed_when_it_is_another() {
    let (_folder, store) = store();
    let id = small(&store);
    let archive = fs::read(store.archive_path(&id)).unwrap();
    let sum = fs::read(store.sidecar_path(&id)).unwrap();
    let flips: Vec<u8> = (0..8).map(|bit| 1 << bit).chain([0xff]).collect();
    let places = (0..archive.len()).into_par_iter();
    places.for_each_init(super::store, |(_folder, store), at| {
        fs::create_dir_all(store.folder()).unwrap();
        fs::write(store.sidecar_path(&id), &sum).unwrap();
        for flip in &flips {
            let mut bytes = archive.clone();
            bytes[at] ^= flip;
            fs::write(store.archive_path(&id), &bytes).unwrap();
            let found = damage(store, &id);
            assert_eq!(found, Some(Damage::Sum), "byte {at} ^ {flip:#x}");
        }
    });
    for at in 0..sum.len() {
        for flip in &flips {
            let mut bytes = sum.clone();
            bytes[at] ^= flip;
            fs::write(store.sidecar_path(&id), &bytes).unwrap();
            assert!(damage(&store, &id).is_some(), "sum: byte {at} ^ {flip:#x}");
        }
    }
}

#[test]
fn with_a_fitting_sum_a_damaged_archive_is_refused_or_restores_what_was_saved() {
    let (_folder, store) = store();
    let id = small(&store);
    let whole = fs::read(store.archive_path(&id)).unwrap();
    let saved = restored(&mut verify(&store, &id).unwrap());
    assert_eq!(saved.len(), 4);
    // Behind this, a flipped bit may turn a word of the manifest into another that is as good:
    // another trigger, another executable bit.
    let manifest = whole
        .windows(MANIFEST.len())
        .position(|name| name == MANIFEST.as_bytes())
        .unwrap();
    let refused: usize = (0..whole.len())
        .into_par_iter()
        .map_init(super::store, |(_folder, store), at| {
            fs::create_dir_all(store.folder()).unwrap();
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            forge(store, &id, &bytes);
            match verify(store, &id) {
                Err(_) => 1,
                Ok(mut backup) => {
                    assert_eq!(restored(&mut backup), saved, "byte {at}");
                    0
                }
            }
        })
        .sum();
    assert!(
        refused > manifest,
        "only {refused} of {} are refused",
        whole.len()
    );
}

/// A store with one backup, whose archive holds `members` and says `entries`.
fn forged(members: &[(&str, &[u8])], entries: &serde_json::Value) -> (TempDir, Store, BackupId) {
    let (folder, store) = store();
    let id = small(&store);
    let manifest = manifest_with(&id, entries);
    let mut all = members.to_vec();
    all.push((MANIFEST, &manifest));
    forge(&store, &id, &zip_of(&all));
    (folder, store, id)
}

fn said(path: &str, content: &[u8]) -> serde_json::Value {
    serde_json::json!({
        "path": path, "version": "worktree", "member": format!("worktree/{path}"),
        "mode": "100644", "size": content.len(), "sha256": Sum::of(content).to_string(),
    })
}

#[test]
fn a_local_header_that_disagrees_with_the_table_of_contents_is_refused() {
    let entries = serde_json::json!([said("a", b"content")]);
    let (_folder, store, id) = forged(&[("worktree/a", b"content")], &entries);
    let whole = fs::read(store.archive_path(&id)).unwrap();
    assert_eq!(damage(&store, &id), None);
    // APPNOTE.TXT 4.3.7: method at 8, sum at 14, sizes at 18 and 22, lengths at 26 and 28, then
    // the name.
    for (what, at) in [
        ("method", 8),
        ("sum", 14),
        ("compressed size", 18),
        ("size", 22),
        ("length of the name", 26),
        ("length of the rest", 28),
        ("name", 30),
        ("end of the name", 39),
    ] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        forge(&store, &id, &bytes);
        let found = damage(&store, &id);
        assert!(
            matches!(found, Some(Damage::Archive(_))),
            "{what}: {found:?}"
        );
    }
}

/// The bytes of an archive with one name put in the place of another of the same length.
fn renamed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    bytes
}

#[test]
fn two_members_of_one_name_and_two_in_one_place_are_refused() {
    let entries = serde_json::json!([said("a", b"1")]);
    let members: [(&str, &[u8]); 2] = [("worktree/a", b"1"), ("worktree/b", b"2")];
    let (_folder, store, id) = forged(&members, &entries);
    let whole = fs::read(store.archive_path(&id)).unwrap();
    forge(&store, &id, &renamed(&whole, "worktree/b", "worktree/a"));
    let found = damage(&store, &id);
    assert!(matches!(found, Some(Damage::Archive(_))), "{found:?}");
    // The second one's place in the table of contents (APPNOTE.TXT 4.3.12: 42 into the entry,
    // 4 before the name) is that of the first.
    let name = whole.windows(10).rposition(|name| name == b"worktree/b");
    let mut bytes = whole.clone();
    bytes[name.unwrap() - 4..name.unwrap()].fill(0);
    forge(&store, &id, &bytes);
    let found = damage(&store, &id);
    assert!(matches!(found, Some(Damage::Archive(_))), "{found:?}");
}

#[test]
fn a_bomb_is_given_up_at_the_size_that_the_manifest_says() {
    let zeros = vec![0; 4 << 20];
    let mut entry = said("a", b"1");
    for size in [1, 1 << 20, (4 << 20) - 1, 1 << 40, u64::MAX] {
        entry["size"] = size.into();
        let entries = serde_json::json!([entry]);
        let (_folder, store, id) = forged(&[("worktree/a", &zeros)], &entries);
        let mut given_up = 0;
        let result = store.verify(&id, &mut |read| given_up += read);
        let found = match result {
            Err(BackupError::Damaged { damage, .. }) => damage,
            other => panic!("{other:?}"),
        };
        assert!(matches!(found, Damage::Content(_)), "{size}: {found:?}");
    }
}

#[test]
fn only_files_and_links_are_written_and_never_with_special_bits() {
    for mode in ["060000", "020000", "010000", "040000", "140000", "rwx", ""] {
        let mut entry = said("a", b"1");
        entry["mode"] = mode.into();
        let entries = serde_json::json!([entry]);
        let (_folder, store, id) = forged(&[("worktree/a", b"1")], &entries);
        let found = damage(&store, &id);
        assert!(
            matches!(found, Some(Damage::Manifest(_))),
            "{mode}: {found:?}"
        );
    }
    let mut entry = said("a", b"1");
    entry["mode"] = "104755".into();
    entry["permissions"] = "7777".into();
    let entries = serde_json::json!([entry]);
    let (_folder, store, id) = forged(&[("worktree/a", b"1")], &entries);
    let mut backup = verify(&store, &id).unwrap();
    let target = TempDir::new().unwrap();
    let entries = backup.manifest().choose(&[], None).unwrap();
    assert_eq!(entries[0].permission_bits(), 0o777);
    backup.restore_beside(target.path(), &entries).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(target.path().join("a"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7000, 0);
    }
    let mut entry = said("sub", b"1");
    entry["mode"] = "160000".into();
    let entries = serde_json::json!([said("good", b"1"), entry]);
    let members: [(&str, &[u8]); 2] = [("worktree/good", b"1"), ("worktree/sub", b"1")];
    let (_folder, store, id) = forged(&members, &entries);
    refused_before_the_first_byte(&store, &id, "a submodule");
}

/// A restore fails by the name of something, and writes nothing.
fn refused_before_the_first_byte(store: &Store, id: &BackupId, what: &str) {
    let mut backup = verify(store, id).unwrap();
    let entries = backup.manifest().choose(&[], None).unwrap();
    assert!(!backup.manifest().refused().is_empty(), "{what}");
    let target = TempDir::new().unwrap();
    let inner = target.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let result = backup.restore_beside(&inner, &entries);
    assert!(
        matches!(result, Err(BackupError::UnsafeName { .. })),
        "{what}: {result:?}"
    );
    assert_eq!(tree(target.path()), BTreeMap::new(), "{what}");
}

#[test]
fn names_that_do_harm_are_refused_before_the_first_byte() {
    let long = "x".repeat(256);
    let mut names: Vec<String> = [
        "../evil",
        "d/../../evil",
        "/etc/passwd",
        "//server/share/x",
        "a//b",
        "./a",
        "a/.",
        "a\0b",
        ".git/hooks/pre-commit",
        "sub/.git/config",
        ".GIT/config",
        ".Git",
        ".git./x",
        ".git /x",
        ".git. . ./x",
        "git~1/config",
        "GIT~2",
        ".git::$INDEX_ALLOCATION/x",
        ".git:x",
        "a\\.git\\config",
        ".g\u{200c}it/config",
        ".gi\u{feff}t/config",
        "\u{202e}.git/config",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push(format!("d/{long}"));
    for name in &names {
        let mut entry = said("x", b"1");
        entry["path"] = name.as_str().into();
        let entries = serde_json::json!([said("good", b"1"), entry]);
        let members: [(&str, &[u8]); 2] = [("worktree/good", b"1"), ("worktree/x", b"1")];
        let (_folder, store, id) = forged(&members, &entries);
        refused_before_the_first_byte(&store, &id, &format!("{name:?}"));
        // The bytes count, not the text beside them.
        let mut entry = said("x", b"1");
        entry["path_bytes"] = name.as_bytes().into();
        let entries = serde_json::json!([said("good", b"1"), entry]);
        let (_folder, store, id) = forged(&members, &entries);
        refused_before_the_first_byte(&store, &id, &format!("{name:?} as bytes"));
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link_that_the_backup_itself_brings() {
    let outside = TempDir::new().unwrap();
    let target = outside.path().to_str().unwrap().as_bytes();
    let mut link = said("d", target);
    link["mode"] = "120000".into();
    let entries = serde_json::json!([link, said("d/x", b"1")]);
    let members: [(&str, &[u8]); 2] = [("worktree/d", target), ("worktree/d/x", b"1")];
    let (_folder, store, id) = forged(&members, &entries);
    let mut backup = verify(&store, &id).unwrap();
    let into = TempDir::new().unwrap();
    let entries = backup.manifest().choose(&[], None).unwrap();
    let result = backup.restore_beside(into.path(), &entries);
    assert!(
        matches!(result, Err(BackupError::Clash { .. })),
        "{result:?}"
    );
    assert_eq!(tree(into.path()).len() + tree(outside.path()).len(), 0);
}
