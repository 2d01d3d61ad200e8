//! What has to hold for every archive and every manifest, whoever made them: no panic, memory and
//! time within what the input is worth, nothing written outside the folder that was asked for,
//! and nothing restored that is not what the manifest says.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::sync::Mutex;

use gpuguard::backup::{BackupId, Sum, look};
use gpuguard::git::FileMode;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

/// The backup that every input is the archive of.
const ID: &str = "20261127T120000Z-0a1b2c3d";
/// The backup that every input is the reference of.
const REFERENCE: &str = "20261127T120001Z-0a1b2c3d";
/// What the archives around a manifest hold.
const MEMBERS: [(&str, &[u8]); 4] = [
    ("worktree/a", b"a"),
    ("worktree/d/x.py", b"import torch\n"),
    ("staged/a", b"b"),
    ("index", b"DIRC"),
];

/// A folder for archives, and one to restore into with a sign beside it.
pub struct Store {
    folder: TempDir,
    store: gpuguard::backup::Store,
    alone: Mutex<()>,
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

impl Store {
    /// An empty one.
    ///
    /// # Panics
    /// Where no folder can be made.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder for archives");
        let store = gpuguard::backup::Store::at(folder.path());
        fs::create_dir_all(store.folder()).expect("the store's folder");
        Self {
            folder,
            store,
            alone: Mutex::new(()),
        }
    }

    /// Holds an archive.
    pub fn hold(&self, archive: &[u8]) {
        let _alone = self.alone.lock();
        self.write(archive);
        self.check(ID);
    }

    /// Holds the archive with a manifest.
    pub fn hold_manifest(&self, manifest: &[u8]) {
        self.hold(&archive_with(manifest));
    }

    /// Holds a reference to a whole archive.
    pub fn hold_reference(&self, reference: &[u8]) {
        let _alone = self.alone.lock();
        self.write(&archive_with(&self.manifest_with(b"[]")));
        let path = self.store.folder().join(format!("{REFERENCE}.ref.json"));
        fs::write(&path, reference).expect("a reference");
        self.check(REFERENCE);
        fs::remove_file(path).expect("the reference goes");
    }

    /// A manifest around entries.
    pub fn manifest_with(&self, entries: &[u8]) -> Vec<u8> {
        let head = format!(
            "{{\"version\":1,\"id\":\"{ID}\",\"created\":\"2026-11-27T12:00:00Z\",\"trigger\":\"manual\",\
             \"commit\":null,\"branch\":null,\"tool\":\"x\",\"entries\":"
        );
        [head.as_bytes(), entries, b"}"].concat()
    }

    fn write(&self, archive: &[u8]) {
        let id = BackupId::parse(ID).expect("an id");
        fs::write(self.store.archive_path(&id), archive).expect("an archive");
        let line = format!("{}  {ID}.zip\n", Sum::of(archive));
        fs::write(self.store.sidecar_path(&id), line).expect("a sum");
    }

    fn check(&self, id: &str) {
        let id = BackupId::parse(id).expect("an id");
        let _ = self.store.listed(&id);
        let _ = self.store.archive_of(&id);
        let _ = self.store.list();
        let Ok(mut backup) = self.store.verify(&id, &mut |_| ()) else {
            return;
        };
        let manifest = backup.manifest().clone();
        let refused = manifest.refused();
        let (_, _) = (manifest.files(), manifest.bytes());
        let _ = manifest.side(&[], None);
        let Ok(chosen) = manifest.choose(&[], None) else {
            return;
        };
        let outside = TempDir::new_in(self.folder.path()).expect("a folder");
        let inside = outside.path().join("inside");
        fs::create_dir(&inside).expect("a folder in it");
        let restored = backup.restore_beside(&inside, &chosen);
        assert_eq!(names(outside.path()), ["inside"], "something was written outside");
        match restored {
            Ok(count) => {
                assert_eq!(count, chosen.len());
                assert!(
                    chosen.iter().all(|entry| !refused
                        .iter()
                        .any(|(path, _)| *path == entry.path.to_path())),
                    "what is refused was written"
                );
                for entry in &chosen {
                    let file = entry.path.to_path().below(&inside).expect("a name");
                    let found = look(&file).expect("a file").expect("the file");
                    assert_eq!((found.sum, found.size), (entry.sha256, entry.size));
                    let saved = entry.mode().map(FileMode::is_file);
                    assert_eq!(Some(found.mode.is_file()), saved);
                }
            }
            Err(_) if names(&inside).is_empty() => {}
            // The disk's own limits, such as the length of a whole path.
            Err(gpuguard::backup::BackupError::Halted { .. }) => {}
            Err(error) => panic!("refused after something was written: {error}"),
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("a name").file_name().to_string_lossy().into_owned())
        .collect()
}

fn archive_with(manifest: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for (name, content) in MEMBERS.iter().chain([&("manifest.json", manifest)]) {
        zip.start_file(*name, options).expect("a member");
        zip.write_all(content).expect("its content");
    }
    zip.finish().expect("an archive").into_inner()
}
