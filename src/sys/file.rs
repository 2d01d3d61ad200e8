//! Files written so that a crash leaves the old content or the new, whole.

mod output;
mod taken;
mod together;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use output::Output;
pub use together::{WrittenFile, commit_all_new};

use self::taken::taking;
use super::fault::{Needs, point};

/// A file being written under a temporary name in the folder where it will lie; dropping it
/// without [`PendingFile::commit_new`] or [`PendingFile::commit_replacing`] removes it.
#[derive(Debug)]
pub struct PendingFile {
    temporary: NamedTempFile,
    target: PathBuf,
}

/// What the system said, without the passing name that nobody has chosen.
fn without_passing_name(error: io::Error) -> io::Error {
    use io::ErrorKind as Kind;
    match error.kind() {
        kind @ (Kind::NotFound
        | Kind::NotADirectory
        | Kind::PermissionDenied
        | Kind::QuotaExceeded
        | Kind::ReadOnlyFilesystem
        | Kind::StorageFull) => kind.into(),
        _ => error,
    }
}

impl PendingFile {
    /// Starts a file that will become `target`; only its owner can read it (mode 0600).
    pub fn create(target: &Path) -> io::Result<Self> {
        Self::create_named(target, ".gpuguard-")
    }

    /// The same with another beginning of the temporary name, which ends in `.tmp`.
    pub fn create_named(target: &Path, prefix: &str) -> io::Result<Self> {
        Self::make(target, tempfile::Builder::new().prefix(prefix))
    }

    /// The same, to be read by whom the process's umask allows.
    fn create_shared(target: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        Self::make(target, builder.prefix(".gpuguard-"))
    }

    fn make(target: &Path, builder: &mut tempfile::Builder<'_, '_>) -> io::Result<Self> {
        point("make", target, Needs::Space)?;
        Ok(Self {
            temporary: builder
                .suffix(".tmp")
                .tempfile_in(parent_of(target))
                .map_err(without_passing_name)?,
            target: target.to_owned(),
        })
    }

    /// The open file, to write and seek in.
    pub fn file_mut(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// A writer of its own for what is written in pieces.
    pub fn writer(&self) -> io::Result<Writer> {
        Ok(Writer {
            file: self.temporary.as_file().try_clone()?,
            path: self.temporary.path().to_owned(),
        })
    }

    /// Writes all of `content` behind what is there.
    pub fn write_all(&mut self, content: &[u8]) -> io::Result<()> {
        point("write", self.temporary.path(), Needs::Space)?;
        self.temporary.as_file_mut().write_all(content)
    }

    /// Sets the permission bits the file will have on Unix; does nothing elsewhere.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        set_mode(self.temporary.path(), mode)
    }

    /// Where the file lies until it gets its name.
    pub fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// Makes the content durable and gives it its name.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when there is a file of that name; it is left alone.
    pub fn commit_new(self) -> io::Result<()> {
        self.sync()?;
        point("name", &self.target, Needs::Space)?;
        self.temporary
            .persist_noclobber(&self.target)
            .map_err(|failed| failed.error)?;
        sync_folder(parent_of(&self.target)).inspect_err(|_| {
            // What may be gone after a crash must not seem to be there now.
            let _ = remove(&self.target);
        })
    }

    /// Closes the file; [`commit_all_new`] gives it its name together with others.
    pub fn close(self) -> WrittenFile {
        WrittenFile::new(self.temporary.into_temp_path(), self.target)
    }

    /// Makes the content durable and puts it in the place of any file of that name.
    pub fn commit_replacing(self) -> io::Result<()> {
        self.sync()?;
        point("replace", &self.target, Needs::NoSpace)?;
        let mut temporary = Some(self.temporary);
        taking(&self.target, || {
            let file = temporary.take().ok_or(io::ErrorKind::NotFound)?;
            file.persist(&self.target).map_err(|failed| {
                temporary = Some(failed.file);
                failed.error
            })
        })?;
        sync_folder(parent_of(&self.target))
    }
}

/// Writes a [`PendingFile`] piece by piece.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        point("write", &self.path, Needs::Space)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Writer {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl PendingFile {
    fn sync(&self) -> io::Result<()> {
        point("sync", self.temporary.path(), Needs::Space)?;
        self.temporary.as_file().sync_all()
    }
}

/// Writes `content` to `path`: a temporary file beside it, fsync, rename, fsync of the folder.
/// The file gets mode 0600 on Unix, see [`set_mode`].
pub fn write_atomic(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut pending = PendingFile::create(path)?;
    pending.write_all(content)?;
    pending.commit_replacing()
}

/// Writes a program: as [`write_atomic`], and executable by all (0755 on Unix) from the moment it
/// has its name.
pub fn write_executable(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut pending = PendingFile::create(path)?;
    pending.write_all(content)?;
    pending.set_mode(0o755)?;
    pending.commit_replacing()
}

/// Writes `content` to `path` over what is there, without waiting for the disk: a crash may leave
/// part of it, so only for what can be done without.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn write_loosely(path: &Path, content: &[u8]) -> io::Result<()> {
    point("write", path, Needs::Space)?;
    fs::write(path, content)
}

/// Whether the file can be run: any executable bit on Unix, any file elsewhere.
pub fn is_executable(path: &Path) -> bool {
    let Ok(metadata) = fs::metadata(path) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    metadata.is_file()
}

/// Whether there is a folder in which this process may make files; nothing is written to see it.
pub fn is_writable_folder(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use rustix::fs::{Access, access};
        path.is_dir() && access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
    }
    #[cfg(not(unix))]
    path.is_dir()
}

/// Creates a file that must not exist yet, with `content`, made durable.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when it exists; it is left alone.
pub fn create_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = open_new(path)?;
    point("write", path, Needs::Space)?;
    file.write_all(content)?;
    point("sync", path, Needs::Space)?;
    file.sync_all()
}

/// Creates a file that must not exist yet, to be written.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when it exists; it is left alone.
pub fn open_new(path: &Path) -> io::Result<File> {
    point("create", path, Needs::Space)?;
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Adds `content` to the end of a file, in one write, so that two that do so do not mix; makes the
/// file where there is none. Not waited for until it lies safely on the disk.
pub fn append(path: &Path, content: &[u8]) -> io::Result<()> {
    point("append", path, Needs::Space)?;
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(content)
}

/// Makes names in a folder durable. Windows has no such call; NTFS journals its names.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        point("sync", folder, Needs::Space)?;
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Sets the permission bits on Unix (for example 0o755); does nothing elsewhere.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// Sets the permissions of another file.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn set_permissions(path: &Path, permissions: fs::Permissions) -> io::Result<()> {
    point("set the permissions of", path, Needs::NoSpace)?;
    fs::set_permissions(path, permissions)
}

/// Copies a file's content and permissions to `to`, over what stands there.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    point("copy to", to, Needs::Space)?;
    fs::copy(from, to).map(|_| ())
}

/// Gives a file a second name, in one step and only where there is none yet.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when the name is taken; other kinds also where the file
/// system knows no hard links.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn link_new(file: &Path, name: &Path) -> io::Result<()> {
    point("link", name, Needs::Space)?;
    fs::hard_link(file, name)
}

/// Renames within one file system, replacing a file at `to`.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    point("rename to", to, Needs::NoSpace)?;
    taking(to, || fs::rename(from, to))
}

/// Opens a file for reading that is no link, pipe or device.
pub fn open_regular(path: &Path) -> io::Result<File> {
    point("open", path, Needs::NoSpace)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Opening a pipe that nobody writes to would wait for ever (open(2)).
        const O_NONBLOCK: i32 = if cfg!(target_os = "linux") { 0o4000 } else { 4 };
        options.custom_flags(O_NONBLOCK);
    }
    if !path.symlink_metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    options.open(path)
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`] when it is larger.
pub fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open_regular(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(content)
}

/// The permission bits (0o777) on Unix; `None` elsewhere.
pub fn permission_bits(metadata: &fs::Metadata) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Some(metadata.permissions().mode() & 0o777)
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

/// Where a symbolic link points to, as the bytes Git would store.
pub fn link_target(path: &Path) -> io::Result<Vec<u8>> {
    point("read the link", path, Needs::NoSpace)?;
    let target = fs::read_link(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        Ok(target.into_os_string().into_vec())
    }
    #[cfg(not(unix))]
    Ok(target.to_string_lossy().replace('\\', "/").into_bytes())
}

/// Makes a symbolic link at `path`, where nothing may stand yet.
pub fn create_link(path: &Path, target: &[u8]) -> io::Result<()> {
    point("make the link", path, Needs::Space)?;
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), path)
    }
    #[cfg(windows)]
    {
        let target =
            std::str::from_utf8(target).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        std::os::windows::fs::symlink_file(target, path)
    }
}

/// Moves a file or link over whatever file or link stands at `to`, in one step. Between two file
/// systems it is copied beside `to` first, so that `to` is never half written.
pub fn move_over(from: &Path, to: &Path) -> io::Result<()> {
    match rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
        result => return result,
    }
    let metadata = from.symlink_metadata()?;
    if metadata.is_symlink() {
        let beside = tempfile::Builder::new()
            .prefix(".gpuguard-")
            .make_in(parent_of(to), |path| create_link(path, &link_target(from)?))?;
        rename(beside.path(), to)?;
    } else {
        let mut pending = PendingFile::create(to)?;
        io::copy(&mut File::open(from)?, pending.file_mut())?;
        set_permissions(pending.temporary_path(), metadata.permissions())?;
        pending.commit_replacing()?;
    }
    remove(from)
}

/// Makes a file's content durable.
pub fn sync_file(path: &Path) -> io::Result<()> {
    point("sync", path, Needs::Space)?;
    // Windows only lets a handle that could write flush.
    OpenOptions::new()
        .read(true)
        .write(cfg!(windows))
        .open(path)?
        .sync_all()
}

/// Removes a folder that gpuguard made for its own passing files, with what is in it. Links in
/// it are removed, never followed.
pub fn discard_scratch(folder: &Path) -> io::Result<()> {
    let names = match fs::read_dir(folder) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for name in names {
        let name = name?;
        if name.file_type()?.is_dir() {
            discard_scratch(&name.path())?;
        } else {
            remove(&name.path())?;
        }
    }
    remove_folder(folder)
}

/// Removes an empty folder.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn remove_folder(folder: &Path) -> io::Result<()> {
    point("remove the folder", folder, Needs::NoSpace)?;
    fs::remove_dir(folder)
}

/// Removes one file or symbolic link.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn remove(path: &Path) -> io::Result<()> {
    point("remove", path, Needs::NoSpace)?;
    taking(path, || fs::remove_file(path))
}

/// Creates a folder and those above it, with the permissions that are usual for the user.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn create_folder(path: &Path) -> io::Result<()> {
    point("make the folder", path, Needs::Space)?;
    fs::create_dir_all(path)
}

/// Creates a folder and those above it, private to the owner (0700) on Unix where new.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    point("make the folder", path, Needs::Space)?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

fn parent_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        write_atomic(&path, b"old").unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_never_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        write_atomic(&path, b"first").unwrap();
        let mut second = PendingFile::create(&path).unwrap();
        second.file_mut().write_all(b"second").unwrap();
        assert_eq!(
            second.commit_new().unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
