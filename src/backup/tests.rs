//! Backups made, damaged in every way that fits into a loop, and restored.

mod hostile;

use std::fs;
use std::io::Write as _;

use tempfile::TempDir;

use super::*;
use crate::sys::clock::Timestamp;

fn now() -> Timestamp {
    "2026-11-23T18:01:02.5Z".parse().unwrap()
}

fn head() -> Head {
    Head {
        branch: Some("main".to_owned()),
        commit: None,
    }
}

fn entry(path: &[u8], version: Version, mode: FileMode, content: &[u8]) -> SnapshotEntry {
    SnapshotEntry {
        path: RepoPath::new(path),
        version,
        mode,
        content: content.to_vec().into(),
    }
}

/// A small backup with each kind of file.
fn small(store: &Store) -> BackupId {
    let mut request = SnapshotRequest::new("manual", head());
    request.entries = vec![
        entry(b"b/x.py", Version::Worktree, FileMode::Regular, b"second\n"),
        entry(
            b"a/x.py",
            Version::Worktree,
            FileMode::Executable,
            b"first\n",
        ),
        entry(b"a/x.py", Version::Before, FileMode::Regular, b"zeroth\n"),
        entry(b"empty", Version::Staged, FileMode::Regular, b""),
        entry(b"link", Version::Worktree, FileMode::Symlink, b"a/x.py"),
    ];
    request.absent = vec![(RepoPath::new(&b"gone"[..]), Version::Staged)];
    let summary = store.create(&request, now()).unwrap();
    assert_eq!(summary.files, 4);
    BackupId::parse(&summary.id).unwrap()
}

fn store() -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let store = Store::at(folder.path());
    (folder, store)
}

fn verify(store: &Store, id: &BackupId) -> Result<VerifiedBackup, BackupError> {
    store.verify(id, &mut |_| ())
}

fn damage(store: &Store, id: &BackupId) -> Option<Damage> {
    match verify(store, id) {
        Ok(_) => None,
        Err(BackupError::Damaged { damage, .. }) => Some(damage),
        Err(other) => panic!("{other}"),
    }
}

/// Replaces an archive by other bytes with the right sum beside it.
fn forge(store: &Store, id: &BackupId, bytes: &[u8]) {
    fs::write(store.archive_path(id), bytes).unwrap();
    let line = format!("{}  {id}.zip\n", Sum::of(bytes));
    fs::write(store.sidecar_path(id), line).unwrap();
}

/// An archive of members as given.
fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn manifest_with(id: &BackupId, entries: &serde_json::Value) -> Vec<u8> {
    serde_json::json!({
        "version": 1, "id": id.as_str(), "created": "2026-11-23T18:01:02Z", "trigger": "manual",
        "commit": null, "branch": null, "tool": "x", "entries": entries,
    })
    .to_string()
    .into_bytes()
}

#[test]
fn equal_files_give_equal_archives_but_for_id_and_time() {
    let (_folder, store) = store();
    let (first, second) = (small(&store), small(&store));
    assert_ne!(first, second, "two backups of one moment must not collide");
    let read = |id: &BackupId| {
        let bytes = fs::read(store.archive_path(id)).unwrap();
        let at = bytes
            .windows(13)
            .position(|w| w == b"manifest.json")
            .unwrap();
        // The manifest's own header holds its sum: it begins 30 bytes before the name.
        bytes[..at - 30].to_vec()
    };
    assert_eq!(read(&first), read(&second));
}

#[test]
fn a_backup_gives_back_every_kind_of_file() {
    let (_folder, store) = store();
    let id = small(&store);
    let mut backup = verify(&store, &id).unwrap();
    let entries = backup.manifest().choose(&[], None).unwrap();
    let target = TempDir::new().unwrap();
    assert_eq!(backup.restore_beside(target.path(), &entries).unwrap(), 4);
    let read = |path: &str| fs::read(target.path().join(path)).unwrap();
    assert_eq!(read("a/x.py"), b"first\n");
    assert_eq!(read("b/x.py"), b"second\n");
    assert_eq!(read("empty"), b"");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str| {
            fs::metadata(target.path().join(path))
                .unwrap()
                .permissions()
                .mode()
        };
        assert_eq!(mode("a/x.py") & 0o777, 0o755);
        assert_eq!(mode("b/x.py") & 0o777, 0o644);
        assert_eq!(
            fs::read_link(target.path().join("link")).unwrap(),
            std::path::Path::new("a/x.py")
        );
    }
    let again = backup.restore_beside(target.path(), &entries);
    assert!(
        matches!(again, Err(BackupError::Exists { .. })),
        "{again:?}"
    );
    let absent = &backup.manifest().absent;
    assert_eq!(absent[0].path.to_path(), RepoPath::new(&b"gone"[..]));
}

#[test]
fn the_version_nearest_to_the_working_tree_is_chosen() {
    let (_folder, store) = store();
    let id = small(&store);
    let manifest = store.listed(&id).unwrap().manifest;
    let path = RepoPath::new(&b"a"[..]);
    let chosen = manifest.choose(std::slice::from_ref(&path), None).unwrap();
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].version, Version::Worktree);
    let before = manifest.choose(&[path], Some(Version::Before)).unwrap();
    assert_eq!(before[0].version, Version::Before);
    let nothing = manifest.choose(&[RepoPath::new(&b"none"[..])], None);
    assert!(matches!(nothing, Err(BackupError::NotHeld { .. })));
}

#[test]
fn one_flipped_bit_in_a_reference_is_found() {
    let (_folder, store) = store();
    let mut request = SnapshotRequest::new("manual", head());
    request.entries = vec![entry(b"a", Version::Worktree, FileMode::Regular, b"x")];
    request.missing = vec![RepoPath::new(&b"caf\xe9"[..])];
    request.may_refer = true;
    let first = store.create(&request, now()).unwrap();
    let second = store.create(&request, now()).unwrap();
    assert_eq!(second.path, first.path);
    let id = BackupId::parse(&second.id).unwrap();
    let file = store.folder().join(format!("{id}.ref.json"));
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        for flip in [1 << (at % 8), 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            fs::write(&file, &bytes).unwrap();
            let found = verify(&store, &id);
            assert!(
                matches!(
                    found,
                    Err(BackupError::Damaged { .. } | BackupError::Newer { .. })
                ),
                "byte {at} ^ {flip:#x}: {found:?}"
            );
        }
    }
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        assert!(damage(&store, &id).is_some(), "{length} bytes");
    }
    fs::write(&file, &whole).unwrap();
    let verified = verify(&store, &id).unwrap();
    assert_eq!(verified.manifest().id, second.id);
    assert_eq!(
        verified.manifest().missing,
        request
            .missing
            .iter()
            .map(StoredPath::new)
            .collect::<Vec<_>>()
    );
}

#[test]
fn an_archive_cut_short_anywhere_is_found_even_with_a_fitting_sum() {
    let (_folder, store) = store();
    let id = small(&store);
    let whole = fs::read(store.archive_path(&id)).unwrap();
    for length in 0..whole.len() {
        forge(&store, &id, &whole[..length]);
        assert!(damage(&store, &id).is_some(), "cut at {length}");
    }
}

#[test]
fn an_archive_with_something_before_or_behind_it_is_refused() {
    let (_folder, store) = store();
    let id = small(&store);
    let whole = fs::read(store.archive_path(&id)).unwrap();
    forge(&store, &id, &[b"junk", whole.as_slice()].concat());
    assert!(matches!(damage(&store, &id), Some(Damage::Archive(_))));
    forge(&store, &id, &[whole.as_slice(), b"junk"].concat());
    assert!(matches!(damage(&store, &id), Some(Damage::Archive(_))));
}

#[test]
fn members_and_manifest_must_agree() {
    let (_folder, store) = store();
    let id = small(&store);
    let good = serde_json::json!([{"path": "a", "version": "worktree", "member": "worktree/a",
        "mode": "100644", "size": 1, "sha256": Sum::of(b"a").to_string()}]);
    let manifest = manifest_with(&id, &good);
    let check = |members: &[(&str, &[u8])]| {
        forge(&store, &id, &zip_of(members));
        damage(&store, &id)
    };
    assert_eq!(check(&[("worktree/a", b"a"), (MANIFEST, &manifest)]), None);
    let found = check(&[("worktree/a", b"b"), (MANIFEST, &manifest)]);
    assert!(matches!(found, Some(Damage::Content(_))), "{found:?}");
    let found = check(&[("worktree/a", b"aa"), (MANIFEST, &manifest)]);
    assert!(matches!(found, Some(Damage::Content(_))), "{found:?}");
    let found = check(&[(MANIFEST, &manifest)]);
    assert!(matches!(found, Some(Damage::Missing(_))), "{found:?}");
    let found = check(&[("worktree/a", b"a"), ("x", b""), (MANIFEST, &manifest)]);
    assert!(matches!(found, Some(Damage::Unlisted(_))), "{found:?}");
    let twice = serde_json::json!([good[0], good[0]]);
    let found = check(&[
        ("worktree/a", b"a"),
        (MANIFEST, &manifest_with(&id, &twice)),
    ]);
    assert!(matches!(found, Some(Damage::Manifest(_))), "{found:?}");
    let other = BackupId::parse("20200101T000000Z-00000000").unwrap();
    let found = check(&[
        ("worktree/a", b"a"),
        (MANIFEST, &manifest_with(&other, &good)),
    ]);
    assert!(matches!(found, Some(Damage::Manifest(_))), "{found:?}");
}

const MANIFEST: &str = archive::MANIFEST;

#[test]
fn names_that_lead_out_of_the_folder_are_refused_before_anything_is_written() {
    let (_folder, store) = store();
    let id = small(&store);
    for evil in [
        "../evil",
        "/tmp/evil",
        "a/../../evil",
        ".git/hooks/pre-commit",
        #[cfg(windows)]
        "c:evil",
    ] {
        let sum = Sum::of(b"a").to_string();
        let entries = serde_json::json!([
            {"path": "good", "version": "worktree", "member": "worktree/good",
             "mode": "100644", "size": 1, "sha256": sum},
            {"path": evil, "version": "worktree", "member": "worktree/x",
             "mode": "100644", "size": 1, "sha256": sum}]);
        let manifest = manifest_with(&id, &entries);
        let members: [(&str, &[u8]); 3] = [
            ("worktree/good", b"a"),
            ("worktree/x", b"a"),
            (MANIFEST, &manifest),
        ];
        forge(&store, &id, &zip_of(&members));
        let mut backup = verify(&store, &id).unwrap();
        let entries = backup.manifest().choose(&[], None).unwrap();
        let target = TempDir::new().unwrap();
        let inner = target.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let refused = backup.restore_beside(&inner, &entries);
        assert!(
            matches!(refused, Err(BackupError::UnsafeName { .. })),
            "{evil}"
        );
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 0, "{evil}");
        assert_eq!(fs::read_dir(target.path()).unwrap().count(), 1, "{evil}");
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_linked_folder() {
    let (_folder, store) = store();
    let id = small(&store);
    let mut backup = verify(&store, &id).unwrap();
    let entries = backup.manifest().choose(&[], None).unwrap();
    let (target, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::os::unix::fs::symlink(outside.path(), target.path().join("b")).unwrap();
    let refused = backup.restore_beside(target.path(), &entries);
    assert!(
        matches!(
            refused,
            Err(BackupError::UnsafeName {
                reason: NameFault::Parent,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert!(!target.path().join("a").exists());
}

#[test]
fn ids_are_found_by_their_beginning_and_latest_is_the_newest() {
    let (_folder, store) = store();
    let missing = store.find("latest");
    assert!(matches!(missing, Err(BackupError::None { .. })));
    let request = SnapshotRequest::new("manual", head());
    let at = |time: &str| {
        let summary = store.create(&request, time.parse().unwrap()).unwrap();
        BackupId::parse(&summary.id).unwrap()
    };
    let old = at("2026-01-01T00:00:00Z");
    let late = at("2026-11-23T10:00:00.9Z");
    let early = at("2026-11-23T10:00:00.1Z");
    assert_eq!(store.find("latest").unwrap(), late);
    assert_eq!(store.find("202601").unwrap(), old);
    assert!(matches!(
        store.find("2026"),
        Err(BackupError::Ambiguous { count: 3, .. })
    ));
    assert!(matches!(
        store.find("1999"),
        Err(BackupError::Unknown { .. })
    ));
    assert!(matches!(store.find(""), Err(BackupError::Unknown { .. })));
    let listed: Vec<_> = store
        .list()
        .unwrap()
        .backups
        .into_iter()
        .map(|b| b.id)
        .collect();
    assert_eq!(listed, [late, early, old]);
}

#[test]
fn a_large_file_streams_through_and_a_compressed_one_is_stored() {
    let (folder, store) = store();
    let mut noise = b"\x1f\x8b".to_vec();
    let mut random = fastrand::Rng::with_seed(7);
    noise.extend(std::iter::repeat_with(|| random.u8(..)).take(9 * 1024 * 1024));
    let path = folder.path().join("model.gz");
    fs::write(&path, &noise).unwrap();
    let mut request = SnapshotRequest::new("manual", head());
    request.entries.push(SnapshotEntry {
        path: RepoPath::new(&b"model.gz"[..]),
        version: Version::Worktree,
        mode: FileMode::Regular,
        content: ContentSource::File(path),
    });
    let id = BackupId::parse(&store.create(&request, now()).unwrap().id).unwrap();
    let backup = verify(&store, &id).unwrap();
    assert_eq!(backup.manifest().entries[0].sha256, Sum::of(&noise));
    let file = fs::File::open(store.archive_path(&id)).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let member = archive.by_name("worktree/model.gz").unwrap();
    assert_eq!(member.compression(), zip::CompressionMethod::Stored);
}

#[test]
fn a_file_that_cannot_be_read_leaves_no_backup() {
    let (folder, store) = store();
    let mut request = SnapshotRequest::new("manual", head());
    request.entries.push(SnapshotEntry {
        path: RepoPath::new(&b"gone"[..]),
        version: Version::Worktree,
        mode: FileMode::Regular,
        content: ContentSource::File(folder.path().join("gone")),
    });
    let failed = store.create(&request, now());
    assert!(matches!(failed, Err(BackupError::Source { .. })));
    assert_eq!(fs::read_dir(store.folder()).unwrap().count(), 0);
}
