//! Many files into one archive: deflated side by side, written in their order, so that the
//! archive's bytes do not depend on how many threads there were.

use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::ops::Range;

use rayon::prelude::*;

use super::Sum;
use super::archive::{ArchiveWriter, ContentSource, WriteFault, Written};
use super::digest::Hasher;
use crate::git::FileMode;

/// Files are deflated in memory, so many together or so many bytes; what comes after is another
/// piece of work.
const FILES_TOGETHER: usize = 64;
const BYTES_TOGETHER: u64 = 1024 * 1024;
/// Larger files go through piece by piece: memory does not grow with them.
const STREAMED: u64 = 4 * 1024 * 1024;
/// So many pieces of work for each thread are in memory at once.
const PIECES_A_THREAD: usize = 2;

/// A file to be written into an archive.
#[derive(Clone, Copy)]
pub(super) struct Source<'s> {
    pub(super) member: &'s str,
    pub(super) mode: FileMode,
    pub(super) content: &'s ContentSource,
    /// How long the content was when it was looked at.
    pub(super) length: u64,
}

/// Adds files in their order. An error comes with the place of the file that it is about.
pub(super) fn add_all<W: Write + Seek>(
    archive: &mut ArchiveWriter<W>,
    sources: &[Source<'_>],
) -> Result<Vec<Written>, (usize, WriteFault)> {
    let pieces = pieces(sources);
    let mut written = Vec::with_capacity(sources.len());
    if let [Piece::Together(all)] = &pieces[..] {
        add_in_order(archive, sources, all.clone(), &mut written)?;
        return Ok(written);
    }
    let at_once = rayon::current_num_threads().max(1) * PIECES_A_THREAD;
    let mut rest = &pieces[..];
    while let Some(first) = rest.first() {
        if let Piece::Alone(place) = first {
            add_in_order(archive, sources, *place..*place + 1, &mut written)?;
            rest = &rest[1..];
            continue;
        }
        let together: Vec<&Range<usize>> = rest
            .iter()
            .map_while(|piece| match piece {
                Piece::Together(range) => Some(range),
                Piece::Alone(_) => None,
            })
            .take(at_once)
            .collect();
        rest = rest.get(together.len()..).unwrap_or_default();
        let packed: Vec<_> = together
            .into_par_iter()
            .map(|range| {
                let mut small = ArchiveWriter::new(Cursor::new(Vec::new()));
                let mut written = Vec::with_capacity(range.len());
                add_in_order(&mut small, sources, range.clone(), &mut written)?;
                let small = small
                    .finish_readable()
                    .map_err(|error| (range.start, WriteFault::Archive(error)))?;
                Ok((range.start, small, written))
            })
            .collect::<Result<_, (usize, WriteFault)>>()?;
        for (start, small, mut files) in packed {
            archive
                .append(small)
                .map_err(|error| (start, WriteFault::Archive(error)))?;
            written.append(&mut files);
        }
    }
    Ok(written)
}

fn add_in_order<W: Write + Seek>(
    archive: &mut ArchiveWriter<W>,
    sources: &[Source<'_>],
    places: Range<usize>,
    written: &mut Vec<Written>,
) -> Result<(), (usize, WriteFault)> {
    let start = places.start;
    for (place, source) in (start..).zip(sources.get(places).unwrap_or_default()) {
        let added = archive.add(source.member, source.mode, source.content);
        written.push(added.map_err(|fault| (place, fault))?);
    }
    Ok(())
}

/// A piece of work.
enum Piece {
    /// Files that are deflated in memory.
    Together(Range<usize>),
    /// A large file.
    Alone(usize),
}

fn pieces(sources: &[Source<'_>]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut start, mut bytes) = (0, 0_u64);
    for (place, source) in sources.iter().enumerate() {
        let length = source.length;
        let full = place - start >= FILES_TOGETHER || bytes >= BYTES_TOGETHER;
        if start < place && (full || length > STREAMED) {
            pieces.push(Piece::Together(start..place));
            (start, bytes) = (place, 0);
        }
        if length > STREAMED {
            pieces.push(Piece::Alone(place));
            start = place + 1;
        } else {
            bytes = bytes.saturating_add(length);
        }
    }
    if start < sources.len() {
        pieces.push(Piece::Together(start..sources.len()));
    }
    pieces
}

/// A writer that sums up what is written, for as long as it is written from front to back.
///
/// After its first error it only seems to write: `ZipWriter` completes its archive even when it is
/// dropped after an error, and relies on the position then.
pub(super) struct Summing<W> {
    output: W,
    position: u64,
    /// Where the furthest byte was written.
    end: u64,
    summed: u64,
    hasher: Hasher,
    /// Whether something was written over.
    went_back: bool,
    has_failed: bool,
}

impl<W: Write + Seek> Summing<W> {
    /// Takes a writer that stands at its start.
    pub(super) fn new(output: W) -> Self {
        Self {
            output,
            position: 0,
            end: 0,
            summed: 0,
            hasher: Hasher::default(),
            went_back: false,
            has_failed: false,
        }
    }

    /// Ends it; the sum is `None` where the bytes did not come in their order.
    pub(super) fn finish(mut self) -> io::Result<(W, Option<Sum>)> {
        if self.has_failed {
            return Err(io::Error::other("an earlier part could not be written"));
        }
        self.output.flush()?;
        let sum = (!self.went_back).then(|| self.hasher.finish());
        Ok((self.output, sum))
    }

    fn note_failure<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() {
            self.has_failed = true;
            self.position = self.end;
        }
        result
    }
}

impl<W: Write + Seek> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.has_failed {
            bytes.len()
        } else {
            let result = self.output.write(bytes);
            self.note_failure(result)?
        };
        if self.position == self.summed && !self.went_back {
            self.hasher.update(bytes.get(..written).unwrap_or_default());
            self.summed += written as u64;
        } else {
            self.went_back = true;
        }
        self.position += written as u64;
        self.end = self.end.max(self.position);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.has_failed {
            return Ok(());
        }
        let result = self.output.flush();
        self.note_failure(result)
    }
}

impl<W: Write + Seek> Seek for Summing<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if self.has_failed {
            let (from, by) = match to {
                SeekFrom::Start(position) => (position, 0),
                SeekFrom::Current(by) => (self.position, by),
                SeekFrom::End(by) => (self.end, by),
            };
            self.position = from.saturating_add_signed(by);
        } else {
            let result = self.output.seek(to);
            self.position = self.note_failure(result)?;
        }
        Ok(self.position)
    }

    // Asking must not make a buffer below be written out.
    fn stream_position(&mut self) -> io::Result<u64> {
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_given_only_of_what_was_written_from_front_to_back() {
        let mut writer = Summing::new(Cursor::new(Vec::new()));
        writer.write_all(b"one ").unwrap();
        assert_eq!(writer.stream_position().unwrap(), 4);
        writer.seek(SeekFrom::Start(2)).unwrap();
        writer.seek(SeekFrom::End(0)).unwrap();
        writer.write_all(b"two").unwrap();
        let (bytes, sum) = writer.finish().unwrap();
        assert_eq!(bytes.into_inner(), b"one two");
        assert_eq!(sum, Some(Sum::of(b"one two")));
        let mut writer = Summing::new(Cursor::new(Vec::new()));
        writer.write_all(b"one").unwrap();
        writer.seek(SeekFrom::Start(0)).unwrap();
        writer.write_all(b"t").unwrap();
        assert_eq!(writer.finish().unwrap().1, None);
    }

    /// A disk with room for so many bytes.
    #[derive(Debug)]
    struct Full(Cursor<Vec<u8>>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.1.min(bytes.len());
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.1 -= room;
            self.0.write(&bytes[..room])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Full {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn a_disk_that_is_full_at_any_point_is_an_error_and_no_panic() {
        let content: Vec<u8> = (0..200_u32).flat_map(u32::to_le_bytes).collect();
        let write = |room| {
            let output = io::BufWriter::with_capacity(40, Full(Cursor::default(), room));
            let mut archive = ArchiveWriter::new(Summing::new(output));
            for name in ["a", "b"] {
                match archive.add(name, FileMode::Regular, &content.clone().into()) {
                    Ok(_) => (),
                    Err(WriteFault::Archive(error)) => return Err(error),
                    Err(WriteFault::Source(error)) => panic!("{error}"),
                }
            }
            archive.finish().and_then(Summing::finish)
        };
        let (whole, _) = write(usize::MAX).unwrap();
        let length = whole.into_inner().unwrap().0.into_inner().len();
        for room in (0..length).step_by(3) {
            let error = write(room).map(drop).unwrap_err();
            assert_eq!(
                error.kind(),
                io::ErrorKind::StorageFull,
                "{room} of {length}"
            );
        }
    }

    #[test]
    fn every_file_is_in_one_piece_of_work_and_large_ones_are_alone() {
        let contents: Vec<ContentSource> = [10, 5 << 20, 1 << 20, 1 << 20, 0]
            .into_iter()
            .map(|length| vec![0; length].into())
            .chain((0..130).map(|_| vec![0].into()))
            .collect();
        let sources: Vec<Source<'_>> = contents
            .iter()
            .map(|content| Source {
                member: "",
                mode: FileMode::Regular,
                content,
                length: content.length(),
            })
            .collect();
        let places: Vec<(usize, usize)> = pieces(&sources)
            .into_iter()
            .map(|piece| match piece {
                Piece::Together(range) => (range.start, range.end),
                Piece::Alone(place) => (place, place + 1),
            })
            .collect();
        assert_eq!(
            places,
            [
                (0, 1),
                (1, 2),
                (2, 3),
                (3, 4),
                (4, 68),
                (68, 132),
                (132, 135)
            ]
        );
    }
}
