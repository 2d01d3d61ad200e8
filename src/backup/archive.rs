//! The zip file itself: members written the same way every time, so that equal files give equal
//! bytes, and read back within the bounds the manifest sets.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::digest::Hasher;
use super::{BackupError, Sum};
use crate::git::{FileMode, ObjectId};
use crate::sys::file;
use crate::sys::shared_file::SharedFile;

/// Name of the manifest in the archive.
pub(super) const MANIFEST: &str = "manifest.json";
/// From this size on, a member gets the 64-bit fields; below it they would only confuse.
const LARGE: u64 = 0xF000_0000;
/// The fastest, and two fifths of the size for source text.
const LEVEL: i64 = 1;

/// How much of a file is in memory while it is read.
const PIECE: usize = 64 * 1024;

/// Where the bytes of a file come from.
#[derive(Clone, Debug)]
pub enum ContentSource {
    /// From memory.
    Bytes(Arc<[u8]>),
    /// A blob of Git's, in memory.
    Blob(ObjectId, Arc<[u8]>),
    /// From a file on disk; of a symbolic link, its target is read.
    File(PathBuf),
}

impl From<Vec<u8>> for ContentSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl ContentSource {
    /// How many bytes there are, as far as can be known before they are read.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) | Self::Blob(_, bytes) => bytes.len() as u64,
            Self::File(path) => path.symlink_metadata().map_or(0, |found| found.len()),
        }
    }

    /// The blob of Git's that it is, where that is known without reading.
    pub(super) fn blob(&self) -> Option<ObjectId> {
        match self {
            Self::Blob(id, _) => Some(*id),
            Self::Bytes(_) | Self::File(_) => None,
        }
    }

    fn open(&self, mode: FileMode) -> io::Result<Opened<'_>> {
        match self {
            Self::Bytes(bytes) | Self::Blob(_, bytes) => Ok(Opened::bytes(bytes)),
            Self::File(path) if mode == FileMode::Symlink => {
                let target = file::link_target(path)?;
                Ok(Opened {
                    length: target.len() as u64,
                    reader: Box::new(io::Cursor::new(target)),
                    permissions: None,
                })
            }
            Self::File(path) => {
                let opened = file::open_regular(path)?;
                let metadata = opened.metadata()?;
                Ok(Opened {
                    length: metadata.len(),
                    permissions: file::permission_bits(&metadata),
                    reader: Box::new(opened),
                })
            }
        }
    }
}

struct Opened<'c> {
    reader: Box<dyn Read + 'c>,
    length: u64,
    permissions: Option<u32>,
}

impl<'c> Opened<'c> {
    fn bytes(bytes: &'c [u8]) -> Self {
        Self {
            reader: Box::new(bytes),
            length: bytes.len() as u64,
            permissions: None,
        }
    }
}

/// What was written of one file.
pub(super) struct Written {
    pub(super) size: u64,
    pub(super) sha256: Sum,
    pub(super) permissions: Option<u32>,
}

/// Why a member could not be written: its source, or the archive.
pub(super) enum WriteFault {
    Source(io::Error),
    Archive(io::Error),
}

/// An archive being written.
pub(super) struct ArchiveWriter<W: Write + Seek> {
    zip: ZipWriter<W>,
    buffer: Vec<u8>,
}

impl<W: Write + Seek> ArchiveWriter<W> {
    pub(super) fn new(output: W) -> Self {
        Self {
            zip: ZipWriter::new(output),
            buffer: vec![0; PIECE],
        }
    }

    /// Adds a file, read a piece at a time. A link is stored as a plain member whose content is
    /// its target: no unzip program then makes a link that another member is written through.
    pub(super) fn add(
        &mut self,
        name: &str,
        mode: FileMode,
        content: &ContentSource,
    ) -> Result<Written, WriteFault> {
        let mut source = content.open(mode).map_err(WriteFault::Source)?;
        let mut hasher = Hasher::default();
        let mut size = 0;
        let mut read = fill(&mut *source.reader, &mut self.buffer).map_err(WriteFault::Source)?;
        let options = SimpleFileOptions::default()
            .last_modified_time(DateTime::DEFAULT)
            .system(System::Unix)
            .unix_permissions(if mode == FileMode::Executable {
                0o755
            } else {
                0o644
            })
            .large_file(source.length >= LARGE);
        let options = if is_compressed(&self.buffer[..read]) {
            options.compression_method(CompressionMethod::Stored)
        } else {
            options
                .compression_method(CompressionMethod::Deflated)
                .compression_level(Some(LEVEL))
        };
        self.zip
            .start_file(name, options)
            .map_err(|error| WriteFault::Archive(error.into()))?;
        while read > 0 {
            let piece = &self.buffer[..read];
            hasher.update(piece);
            size += read as u64;
            self.zip.write_all(piece).map_err(WriteFault::Archive)?;
            read = fill(&mut *source.reader, &mut self.buffer).map_err(WriteFault::Source)?;
        }
        Ok(Written {
            size,
            sha256: hasher.finish(),
            permissions: source.permissions,
        })
    }

    /// Appends an archive that was made beside this one, as it is.
    pub(super) fn append<R: Read + Seek>(&mut self, other: ZipArchive<R>) -> io::Result<()> {
        self.zip.merge_archive(other).map_err(io::Error::from)
    }

    /// Writes the table of contents. An archive without it is not one.
    pub(super) fn finish(self) -> io::Result<W> {
        self.zip.finish().map_err(io::Error::from)
    }
}

/// Reads until the buffer is full or there is no more.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl ArchiveWriter<io::Cursor<Vec<u8>>> {
    /// The same, to be appended to another archive.
    pub(super) fn finish_readable(self) -> io::Result<ZipArchive<io::Cursor<Vec<u8>>>> {
        self.zip.finish_into_readable().map_err(io::Error::from)
    }
}

/// Whether all bytes are about equally frequent, as in what is compressed or encrypted already.
/// Of 16 KiB of noise the squares of the counts add up to 1.016 times what equal counts would,
/// of text to some 16 times.
fn is_even(start: &[u8]) -> bool {
    if start.len() < 16 * 1024 {
        return false;
    }
    let mut counts = [0_u64; 256];
    for byte in start {
        counts[usize::from(*byte)] += 1;
    }
    let squares: u64 = counts.iter().map(|count| count * count).sum();
    let length = start.len() as u64;
    squares * 256 * 100 < length * length * 103
}

/// Whether content begins like one that deflate would only make longer.
fn is_compressed(start: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 10] = [
        // Git's index: mostly sums, and large where time counts.
        b"DIRC",
        b"PK\x03\x04",
        b"\x1f\x8b",
        b"BZh",
        b"\xfd7zXZ\0",
        b"\x28\xb5\x2f\xfd",
        b"7z\xbc\xaf\x27\x1c",
        b"\x89PNG\r\n",
        b"\xff\xd8\xff",
        b"OggS",
    ];
    BEGINNINGS
        .iter()
        .any(|beginning| start.starts_with(beginning))
        || start.get(4..8) == Some(b"ftyp")
        || (start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP"))
        || is_even(start)
}

/// An opened archive.
pub(super) type Reader = ZipArchive<SharedFile>;

/// Opens an archive.
pub(super) fn open(file: File) -> io::Result<Reader> {
    ZipArchive::new(SharedFile::new(file)?).map_err(io::Error::from)
}

/// Reads a member of at most `limit` bytes into memory.
pub(super) fn read_member(archive: &mut Reader, name: &str, limit: u64) -> io::Result<Vec<u8>> {
    let member = archive.by_name(name).map_err(io::Error::from)?;
    let mut content = Vec::new();
    member
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is larger than it may be",
        ));
    }
    Ok(content)
}

/// Copies a member to `output`, no more than `size` bytes, and gives the sum of what came out;
/// `None` where it is not `size` bytes long.
pub(super) fn copy_member(
    archive: &mut Reader,
    name: &str,
    size: u64,
    output: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Option<Sum>> {
    let mut member = archive
        .by_name(name)
        .map_err(io::Error::from)?
        .take(size.saturating_add(1));
    let mut hasher = Hasher::default();
    // Not more than there is to come, and the byte that would be too many.
    let most = usize::try_from(size).map_or(PIECE, |size| size.min(PIECE - 1) + 1);
    let mut buffer = vec![0; most];
    let mut total = 0;
    loop {
        let read = fill(&mut member, &mut buffer)?;
        if read == 0 {
            break;
        }
        total += read as u64;
        if total > size {
            return Ok(None);
        }
        hasher.update(&buffer[..read]);
        output(&buffer[..read])?;
    }
    Ok((total == size).then(|| hasher.finish()))
}

impl BackupError {
    /// What became of writing `path` into the archive that was to lie at `archive`.
    pub(super) fn of_write(fault: WriteFault, path: String, archive: &std::path::Path) -> Self {
        match fault {
            WriteFault::Source(source) => Self::Source { path, source },
            WriteFault::Archive(source) => Self::Unwritable {
                path: archive.to_owned(),
                source,
            },
        }
    }
}
