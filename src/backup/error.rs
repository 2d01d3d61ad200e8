//! Why a backup could not be made, found, trusted or restored.

use std::io;
use std::path::PathBuf;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The folder of the backups cannot be made or read.
    #[error("the backup folder `{}` cannot be used", path.display())]
    Store {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No backups may lie where the policy says.
    #[error("no backups can lie in `{setting}`: {reason}; nothing was saved")]
    Place {
        /// The policy's words.
        setting: String,
        /// Why not.
        reason: super::PlaceFault,
    },
    /// The archive cannot be written.
    #[error("the backup cannot be written to `{}`; none was made", path.display())]
    Unwritable {
        /// Where it was to lie.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that was to be saved cannot be read.
    #[error("`{path}` cannot be read; no backup was made")]
    Source {
        /// The file, made safe to print.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the working tree cannot be compared.
    #[error("`{path}` cannot be read; nothing was compared")]
    NotCompared {
        /// The file, made safe to print.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// No backup has this id.
    #[error("there is no backup `{word}`")]
    Unknown {
        /// The id asked for.
        word: String,
    },
    /// There are no backups at all.
    #[error("there are no backups in `{}`", folder.display())]
    None {
        /// The folder.
        folder: PathBuf,
    },
    /// There are only backups that a restore, a rollback or an undo made.
    #[error("all backups in `{}` are what a restore, a rollback or an undo replaced", folder.display())]
    OnlySafety {
        /// The folder.
        folder: PathBuf,
    },
    /// More than one id begins like this.
    #[error("`{word}` is the beginning of {count} backups")]
    Ambiguous {
        /// The beginning.
        word: String,
        /// How many ids begin with it.
        count: usize,
    },
    /// The archive is not what was written.
    #[error("the backup `{id}` is damaged: {damage}")]
    Damaged {
        /// The backup.
        id: String,
        /// In which way.
        damage: Damage,
    },
    /// The backup was made by a later gpuguard.
    #[error("the backup `{id}` has manifest version {version}, which this gpuguard cannot read")]
    Newer {
        /// The backup.
        id: String,
        /// Its manifest's version.
        version: u64,
    },
    /// A name in the manifest must not be written.
    #[error("the name `{path}` must not be written: {reason}; nothing was restored")]
    UnsafeName {
        /// The name, made safe to print.
        path: String,
        /// Why not.
        reason: NameFault,
    },
    /// The backup does not hold what was asked for.
    #[error("the backup `{id}` does not hold `{path}`{}", version.map(|v| format!(" in version `{v}`")).unwrap_or_default())]
    NotHeld {
        /// The backup.
        id: String,
        /// The path asked for, made safe to print.
        path: String,
        /// The version asked for.
        version: Option<super::Version>,
    },
    /// The backup holds no file in the version that was asked for.
    #[error("the backup `{id}` holds no file in version `{version}`")]
    NoVersion {
        /// The backup.
        id: String,
        /// The version asked for.
        version: super::Version,
    },
    /// Something stands where a file was to be written.
    #[error("`{}` exists already; nothing was restored", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file system takes two names for one.
    #[error("`{first}` and `{second}` are one name on this file system; nothing was restored")]
    Collide {
        /// One name, made safe to print.
        first: String,
        /// The other.
        second: String,
    },
    /// The backup holds a file of one time and, from another, one below that name.
    #[error("`{below}` cannot be written beside `{file}`; nothing was restored")]
    Clash {
        /// The file, made safe to print.
        file: String,
        /// What would need a folder of that name.
        below: String,
    },
    /// Backups cannot be removed while others use the folder.
    #[error("the backups in `{}` are in use by another gpuguard; nothing was removed", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// Backups cannot be removed safely.
    #[error("the backups in `{}` cannot be locked; nothing was removed", folder.display())]
    NoLock {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A backup that no rule keeps cannot be removed.
    #[error("the backup `{id}` cannot be removed")]
    Stays {
        /// The backup.
        id: String,
        /// What the system said.
        source: io::Error,
    },
    /// Whether Git has what a backup holds cannot be asked.
    #[error("Git cannot be asked what it holds; nothing was removed")]
    Git(#[from] crate::git::GitError),
    /// Some files are restored already.
    #[error("{written} of {total} files were restored, then one could not be")]
    Halted {
        /// How many are there, whole.
        written: usize,
        /// How many there were to be.
        total: usize,
        /// What happened.
        source: Box<Self>,
    },
    /// A restored file cannot be written.
    #[error("`{}` cannot be written", path.display())]
    Target {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// In which way an archive is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Only its sum is left.
    #[error("its archive is missing")]
    Gone,
    /// The archive cannot be read from the disk.
    #[error("its file cannot be read ({0})")]
    Unreadable(String),
    /// The `.sha256` file is missing or not one line of that form.
    #[error("its `.sha256` file is missing or not readable as one")]
    Sidecar,
    /// The archive's sum is another one.
    #[error("its SHA-256 is not the one in its `.sha256` file")]
    Sum,
    /// It is no zip archive, or one with something before or behind it.
    #[error("it is not a whole zip archive ({0})")]
    Archive(String),
    /// The manifest is missing or cannot be read.
    #[error("its manifest cannot be read ({0})")]
    Manifest(String),
    /// What refers to another backup's archive cannot be read, or is not what was written.
    #[error("what says whose content it has is not what was written ({0})")]
    Reference(String),
    /// A file that the manifest names is missing.
    #[error("`{0}` is missing from the archive")]
    Missing(String),
    /// A file is not what the manifest says.
    #[error("`{0}` in the archive is not what was saved")]
    Content(String),
    /// The archive holds what the manifest does not name.
    #[error("`{0}` is in the archive but not in its manifest")]
    Unlisted(String),
}

/// Why a name must not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// It begins with `/`, or has an empty part.
    #[error("it is absolute or has an empty part")]
    EmptyPart,
    /// A part is `.` or `..`.
    #[error("a part of it is `.` or `..`")]
    Relative,
    /// It holds NUL, or on Windows `\` or `:`, which the system reads as more than a name.
    #[error("it holds a character that this system reads as more than a name")]
    Character,
    /// A part is `.git`, or some file system takes it for that.
    #[error("a part of it names Git's own folder")]
    GitFolder,
    /// A part is longer than file systems take.
    #[error("a part of it is longer than 255 bytes")]
    TooLong,
    /// The system has such a name reserved.
    #[error("this system cannot have a file of that name")]
    Reserved,
    /// A folder on the way is a symbolic link or no folder.
    #[error("a folder on the way to it is a symbolic link or a file")]
    Parent,
    /// A folder stands at the place of the file.
    #[error("a folder stands in its place")]
    Folder,
    /// Git itself refuses such a link (gitmodules(5), "NOTES").
    #[error("Git writes no `.gitmodules` that is a link")]
    LinkedModules,
    /// The entry is no file or link, but a submodule.
    #[error("it is a submodule, which a backup does not hold")]
    Submodule,
}
