//! Files that this process and all that it starts can never open again, by Landlock: without
//! root, and without a way back.
//!
//! Landlock knows no forbidden file, only allowed ones: what is allowed is everything else, so
//! beside each forbidden file its neighbours are named one by one. Making device files is
//! forbidden as well, since a new one could stand for the same device.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use landlock::{
    AccessFs, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, make_bitflags, path_beneath_rules,
};

/// Why the files can still be opened. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// The kernel cannot do it.
    #[error(
        "this kernel cannot keep a program from opening files (it needs Landlock of Linux 5.19, switched on)"
    )]
    NoLandlock {
        /// What it said.
        #[source]
        source: RulesetError,
    },
    /// A file that is to be forbidden is not known.
    #[error("`{}` cannot be looked at", path.display())]
    Unknown {
        /// The file, which must be named from the root on.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is open already, and stays so.
    #[error("`{}` is open already, by descriptor {descriptor}, which the program would get", path.display())]
    AlreadyOpen {
        /// The file.
        path: PathBuf,
        /// The number of its descriptor.
        descriptor: u32,
    },
    /// A folder on the way to a forbidden file cannot be listed.
    #[error("the neighbours of `{}` cannot be listed", path.display())]
    Neighbours {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file was opened nevertheless.
    #[error("`{}` can still be opened", path.display())]
    StillOpen {
        /// The file.
        path: PathBuf,
    },
}

/// Reading and writing are what opening a device takes. To link and rename across folders must
/// be handled too, or it is denied everywhere.
const EVERYWHERE_ELSE: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{ReadFile | WriteFile | Refer});

/// What is allowed nowhere.
const NOWHERE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{MakeChar | MakeBlock});

/// Whether the kernel can do it.
pub fn is_possible() -> Result<(), ConfineError> {
    ruleset().map(|_| ())
}

fn ruleset() -> Result<landlock::RulesetCreated, ConfineError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(EVERYWHERE_ELSE | NOWHERE)
        .and_then(Ruleset::create)
        .map_err(|source| ConfineError::NoLandlock { source })
}

/// Keeps this thread, and every program that it starts or becomes, from opening the `forbidden`
/// files, under whatever name they are mounted. The process must have no other thread.
pub fn never_open(forbidden: &[PathBuf]) -> Result<(), ConfineError> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let identities = forbidden
        .iter()
        .map(|path| Identity::of_named(path))
        .collect::<Result<BTreeSet<Identity>, ConfineError>>()?;
    for path in forbidden {
        if let Some(descriptor) = descriptor_of(&Identity::of_named(path)?) {
            let path = path.clone();
            return Err(ConfineError::AlreadyOpen { path, descriptor });
        }
    }
    let all: BTreeSet<PathBuf> = forbidden
        .iter()
        .cloned()
        .chain(nodes_below(Path::new("/dev"), &identities))
        .flat_map(|path| other_names(&path, &mounts))
        .collect();
    let allowed = all_but(&all, Path::new("/"))?;
    let unsupported = |source| ConfineError::NoLandlock { source };
    let status = ruleset()?
        .add_rules(path_beneath_rules(allowed, EVERYWHERE_ELSE))
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(unsupported)?;
    // Trust is good; this also notices a name that was missed.
    for path in all {
        if status.ruleset != RulesetStatus::FullyEnforced || can_be_opened(&path) {
            return Err(ConfineError::StillOpen { path });
        }
    }
    Ok(())
}

/// What a file is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    /// A device, by its number.
    Characters(u64),
    Blocks(u64),
    /// Another file, by its file system and its number there.
    File(u64, u64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        let kind = metadata.file_type();
        if kind.is_char_device() {
            Self::Characters(metadata.rdev())
        } else if kind.is_block_device() {
            Self::Blocks(metadata.rdev())
        } else {
            Self::File(metadata.dev(), metadata.ino())
        }
    }

    fn of_named(path: &Path) -> Result<Self, ConfineError> {
        let found = if path.is_absolute() {
            path.metadata()
        } else {
            Err(io::ErrorKind::InvalidFilename.into())
        };
        found
            .map(|found| Self::of(&found))
            .map_err(|source| ConfineError::Unknown {
                path: path.to_owned(),
                source,
            })
    }
}

/// The descriptor by which this process has a file open.
fn descriptor_of(file: &Identity) -> Option<u32> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?;
    open.flatten().find_map(|entry| {
        let found = entry.path().metadata().ok()?;
        let number = entry.file_name().to_str()?.parse().ok();
        number.filter(|_| Identity::of(&found) == *file)
    })
}

/// The nodes below a folder that stand for one of the `devices` too.
fn nodes_below(folder: &Path, devices: &BTreeSet<Identity>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // What cannot be listed here, the program cannot either.
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            match Identity::of(&metadata) {
                Identity::File(..) if metadata.is_dir() => folders.push(entry.path()),
                Identity::File(..) => {}
                device if devices.contains(&device) => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

/// Landlock answers before the device's driver is asked, so that a device is not touched.
fn can_be_opened(path: &Path) -> bool {
    match File::open(path) {
        Ok(_) => true,
        Err(error) => !matches!(
            error.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound
        ),
    }
}

/// Everything below `folder` but the `forbidden` files, in as few paths as possible. Symbolic
/// links are left out: what they point to is there by itself.
fn all_but(forbidden: &BTreeSet<PathBuf>, folder: &Path) -> Result<Vec<PathBuf>, ConfineError> {
    let mut allowed = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |source| ConfineError::Neighbours {
            path: folder.clone(),
            source,
        };
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if forbidden.contains(&path) || entry.file_type().map_err(failed)?.is_symlink() {
                continue;
            }
            if forbidden.iter().any(|file| file.starts_with(&path)) {
                folders.push(path);
            } else {
                allowed.push(path);
            }
        }
    }
    Ok(allowed)
}

/// `path` and its other names: the same file system can be mounted in several places, as a
/// whole or in part. `mounts` is what `/proc/self/mountinfo` says, see proc(5).
fn other_names(path: &Path, mounts: &str) -> Vec<PathBuf> {
    let mounts: Vec<Mount> = mounts.lines().filter_map(Mount::read).collect();
    // The last of those at the same place hides the others.
    let own = mounts
        .iter()
        .filter(|mount| path.starts_with(&mount.place))
        .max_by_key(|mount| mount.place.components().count());
    let mut names = vec![path.to_owned()];
    let Some(own) = own else { return names };
    let Some(inside) = own.inside(path) else {
        return names;
    };
    names.extend(
        mounts
            .iter()
            .filter(|mount| mount.device == own.device)
            .filter_map(|mount| {
                let rest = inside.strip_prefix(&mount.root).ok()?;
                Some(joined(&mount.place, rest))
            }),
    );
    names
}

/// `join` of an empty path would add a `/`.
fn joined(place: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() {
        place.to_owned()
    } else {
        place.join(rest)
    }
}

/// One line of `mountinfo`.
struct Mount {
    /// Major and minor number of the file system.
    device: String,
    /// What of the file system is shown, as a path inside it.
    root: PathBuf,
    /// Where it is shown.
    place: PathBuf,
}

impl Mount {
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split(' ').skip(2);
        Some(Self {
            device: fields.next()?.to_owned(),
            root: unescaped(fields.next()?),
            place: unescaped(fields.next()?),
        })
    }

    /// `path` as seen inside the file system.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let rest = path.strip_prefix(&self.place).ok()?;
        Some(joined(&self.root, rest))
    }
}

/// Blanks and the like are written as three octal digits.
fn unescaped(field: &str) -> PathBuf {
    PathBuf::from(
        field
            .replace("\\040", " ")
            .replace("\\011", "\t")
            .replace("\\012", "\n")
            .replace("\\134", "\\"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
        20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
        21 20 0:5 / /dev rw,nosuid shared:2 - devtmpfs dev rw\n\
        22 21 0:23 / /dev/pts rw - devpts devpts rw\n\
        23 20 0:5 / /srv/a\\040b/dev rw - devtmpfs dev rw\n\
        24 20 0:5 /nvidia0 /opt/card rw - devtmpfs dev rw\n\
        25 20 0:5 /dri /opt/dri rw - devtmpfs dev rw\n";

    #[test]
    fn a_node_is_found_wherever_its_file_system_is_mounted() {
        let names = |path: &str| {
            let names = other_names(Path::new(path), MOUNTS);
            let unique: BTreeSet<PathBuf> = names.into_iter().collect();
            unique.into_iter().collect::<Vec<_>>()
        };
        let expected = ["/dev/nvidia0", "/opt/card", "/srv/a b/dev/nvidia0"];
        assert_eq!(names("/dev/nvidia0"), expected.map(PathBuf::from));
        let expected = ["/dev/dri/card1", "/opt/dri/card1", "/srv/a b/dev/dri/card1"];
        assert_eq!(names("/dev/dri/card1"), expected.map(PathBuf::from));
        assert_eq!(
            other_names(Path::new("/dev/x"), ""),
            [PathBuf::from("/dev/x")]
        );
    }

    #[test]
    fn the_neighbours_of_a_forbidden_file_are_allowed_one_by_one() {
        let folder = tempfile::TempDir::new().unwrap();
        let root = folder.path();
        for path in ["dri", "other/deep"] {
            #[expect(clippy::disallowed_methods, reason = "a test makes its folder")]
            std::fs::create_dir_all(root.join(path)).unwrap();
        }
        for path in [
            "nvidia0",
            "nvidia1",
            "dri/card0",
            "dri/card1",
            "other/deep/file",
        ] {
            #[expect(clippy::disallowed_methods, reason = "a test makes its files")]
            std::fs::write(root.join(path), "").unwrap();
        }
        std::os::unix::fs::symlink("nvidia0", root.join("link")).unwrap();
        let forbidden = ["nvidia0", "dri/card1"].map(|path| root.join(path)).into();
        let mut allowed = all_but(&forbidden, root).unwrap();
        allowed.sort();
        let expected = ["dri/card0", "nvidia1", "other"].map(|path| root.join(path));
        assert_eq!(allowed, expected);
    }
}
