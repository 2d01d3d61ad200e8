//! One open file that several readers read at places of their own.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// How much is read ahead.
const AHEAD: usize = 32 * 1024;

/// A reader of an open file with its own place in it; a clone begins at the same place. The file
/// is the one that was opened, whatever becomes of its name.
#[derive(Debug)]
pub struct SharedFile {
    file: Arc<File>,
    length: u64,
    position: u64,
    /// Bytes from `buffered_at` on.
    buffer: Vec<u8>,
    buffered_at: u64,
}

impl SharedFile {
    /// Takes an open file.
    pub fn new(file: File) -> io::Result<Self> {
        Ok(Self {
            length: file.metadata()?.len(),
            file: Arc::new(file),
            position: 0,
            buffer: Vec::new(),
            buffered_at: 0,
        })
    }

    /// How long the file was when it was taken.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        loop {
            #[cfg(unix)]
            let read = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, position);
            #[cfg(windows)]
            let read = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, position);
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// The bytes that are read already and lie at the position.
    fn buffered(&self) -> &[u8] {
        let skipped = self.position.checked_sub(self.buffered_at);
        skipped
            .and_then(|skipped| self.buffer.get(usize::try_from(skipped).ok()?..))
            .unwrap_or_default()
    }
}

impl Clone for SharedFile {
    fn clone(&self) -> Self {
        Self {
            file: Arc::clone(&self.file),
            length: self.length,
            position: self.position,
            buffer: Vec::new(),
            buffered_at: 0,
        }
    }
}

impl Read for SharedFile {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.buffered().is_empty() {
            if output.len() >= AHEAD {
                let read = self.read_at(output, self.position)?;
                self.position += read as u64;
                return Ok(read);
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(AHEAD, 0);
            let read = self.read_at(&mut buffer, self.position)?;
            buffer.truncate(read);
            self.buffer = buffer;
            self.buffered_at = self.position;
        }
        let mut rest = self.buffered();
        let read = rest.read(output)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, offset) = match to {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::Current(offset) => (self.position, offset),
            SeekFrom::End(offset) => (self.length, offset),
        };
        self.position = from
            .checked_add_signed(offset)
            .ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_of_one_file_do_not_move_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let content: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        crate::sys::file::create_new(&path, &content).unwrap();
        let mut first = SharedFile::new(File::open(&path).unwrap()).unwrap();
        first.seek(SeekFrom::Start(1000)).unwrap();
        let mut second = first.clone();
        let mut whole = Vec::new();
        second.seek(SeekFrom::End(-99_999)).unwrap();
        second.read_to_end(&mut whole).unwrap();
        assert_eq!(whole, &content[1..]);
        let mut two = [0; 2];
        first.read_exact(&mut two).unwrap();
        assert_eq!(two, content[1000..1002]);
        first.seek(SeekFrom::Current(-2)).unwrap();
        first.seek(SeekFrom::Current(-900)).unwrap();
        first.read_exact(&mut two).unwrap();
        assert_eq!(two, content[100..102]);
        assert!(first.seek(SeekFrom::Current(-1000)).is_err());
        assert_eq!(first.stream_position().unwrap(), 102);
        assert_eq!(first.length(), 100_000);
    }
}
