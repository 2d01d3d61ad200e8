//! The work of `gpu soak` on one card, in the child process: kernel rounds and memory patterns
//! in turn, until the time is up or nobody listens any more.
//!
//! Each round and each pattern has an exact result. The memory is verified by the card itself;
//! that it finds a wrong word is tried out first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, DevicePtrMut, LaunchConfig, PushKernelArg,
    result,
};
use cudarc::nvrtc::Ptx;
use nvml_wrapper::{Device, Nvml};

use super::{MULTIPLIER, WORDS, compare, enter, read_back, wait};
use crate::gpu::health::{Health, device_of};
use crate::gpu::protocol::{Line, ProbeFailure, Reporter};
use crate::gpu::soak::{Progress, Sample, SoakTask};

/// How many words are verified by one launch, at most: 256 MiB.
const CHUNK: usize = 64 << 20;

/// How often the words of a round are turned over, and in how many steps each time: even, see
/// `soak.ptx`, and no power of two, behind which the low bits of a word would come back to what
/// they were. Together about a tenth of a second on a large card, each time about a millisecond.
const TURNS: u32 = 64;
const STEPS: u32 = 4094;

/// One step of `soak.ptx` takes x to x * 1664525 + 1013904223.
const STEP: (u32, u32) = (1_664_525, 1_013_904_223);

/// What is written and verified in turn: a multiplier of the word's place, and what it is xored
/// with. The last one gives each word its own value, so that one address that stands for two is
/// found.
const PATTERNS: [(u32, u32); 5] = [
    (0, 0x0000_0000),
    (0, 0xffff_ffff),
    (0, 0xaaaa_aaaa),
    (0, 0x5555_5555),
    (MULTIPLIER, 0),
];

/// At most so many samples are taken, about: a long run takes them less often.
const MOST_SAMPLES: u32 = 3600;

/// Samples are not taken more often than this.
const BETWEEN_SAMPLES: Duration = Duration::from_secs(1);

/// Works on the card `task.ordinal` of those that CUDA shows, which must be those of `uuids`.
/// Ends early once `stop` is set.
pub(in crate::gpu) fn soak(
    uuids: &[String],
    task: &SoakTask,
    stop: &AtomicBool,
    reporter: &mut Reporter<'_>,
) -> Result<(), ProbeFailure> {
    enter(uuids, reporter)?;
    let uuid = uuids.get(task.ordinal).ok_or(ProbeFailure::Count {
        expected: task.ordinal + 1,
        found: i32::try_from(uuids.len()).unwrap_or(i32::MAX),
    })?;
    let nvml = reporter.phase("nvml", || Ok(Nvml::init()?))?;
    let device = reporter.phase("card", || Ok(device_of(&nvml, uuid)?))?;
    let context = reporter.phase("context", || Ok(CudaContext::new(task.ordinal)?))?;
    let mut work = reporter.phase("module", || Work::new(&context))?;
    reporter.phase("allocate", || work.allocate(&context, task.share))?;
    reporter.phase("self-test", || work.finds_a_wrong_word())?;
    let mut clock = Clock::new(task.duration);
    reporter.line(&Line::Begin("soak".to_owned()));
    let mut progress = Progress {
        memory_bytes: work.bytes(),
        ..Progress::default()
    };
    let result = work.run(&device, &mut clock, stop, &mut progress, reporter);
    if let Err(failure) = result {
        reporter.line(&Line::Failed(failure.clone()));
        return Err(failure);
    }
    reporter.phase("release", || {
        drop(work);
        // cudarc keeps errors of destructors here, since a destructor cannot return them.
        context.check_err()?;
        drop(context);
        Ok(())
    })?;
    clock.sample(&device, reporter)
}

/// The card's kernels and the memory they work on.
struct Work {
    stream: Arc<CudaStream>,
    write: CudaFunction,
    verify: CudaFunction,
    turn: CudaFunction,
    chunks: Vec<CudaSlice<u32>>,
}

impl Work {
    fn new(context: &Arc<CudaContext>) -> Result<Self, ProbeFailure> {
        let module = context.load_module(Ptx::from_src(include_str!("soak.ptx")))?;
        Ok(Self {
            stream: context.default_stream(),
            write: module.load_function("gpuguard_write")?,
            verify: module.load_function("gpuguard_verify")?,
            turn: module.load_function("gpuguard_turn")?,
            chunks: Vec::new(),
        })
    }

    /// Takes `share` of the free memory, in pieces; what another program takes meanwhile is left
    /// to it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a memory, above 0 and at most 1; a few bytes do not matter"
    )]
    fn allocate(&mut self, context: &Arc<CudaContext>, share: f64) -> Result<(), ProbeFailure> {
        let (free, _) = context.mem_get_info()?;
        // At least the words of a round, so that there is something to verify.
        let least = WORDS as usize;
        let mut left = ((free as f64 * share) as usize / size_of::<u32>()).max(least);
        while left >= least {
            let words = left.min(CHUNK);
            match self.stream.alloc_zeros::<u32>(words) {
                Ok(chunk) => self.chunks.push(chunk),
                Err(_) if !self.chunks.is_empty() => break,
                Err(error) => return Err(error.into()),
            }
            left -= words;
        }
        wait(&self.stream)
    }

    fn bytes(&self) -> u64 {
        self.chunks
            .iter()
            .map(|chunk| chunk.num_bytes() as u64)
            .sum()
    }

    /// Writes a wrong byte on purpose, which the card has to find.
    fn finds_a_wrong_word(&mut self) -> Result<(), ProbeFailure> {
        const PLACE: u32 = 12_345;
        self.write_all(PATTERNS[1])?;
        if let Some(chunk) = self.chunks.first_mut() {
            let (pointer, _recorded) = chunk.device_ptr_mut(&self.stream);
            let place = pointer + u64::from(PLACE) * size_of::<u32>() as u64;
            // SAFETY: a chunk has at least `WORDS` words, of which this is the first byte of
            // one, and no byte is an invalid u32.
            unsafe { result::memset_d8_async(place, 0, 1, self.stream.cu_stream()) }?;
        }
        match self.verify_all(PATTERNS[1])? {
            Some(Wrong { words: 1, last }) if last == u64::from(PLACE) => Ok(()),
            _ => Err(ProbeFailure::Blind),
        }
    }

    /// Works until the time is up; each pattern at least once.
    fn run(
        &mut self,
        device: &Device<'_>,
        clock: &mut Clock,
        stop: &AtomicBool,
        progress: &mut Progress,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), ProbeFailure> {
        clock.start();
        for (number, (multiplier, value)) in PATTERNS.iter().cycle().enumerate() {
            if stop.load(Ordering::Relaxed) || (number >= PATTERNS.len() && clock.is_up()) {
                break;
            }
            self.round(device, clock, reporter)?;
            progress.rounds += 1;
            // Other values each time where they differ from word to word.
            let value = if *multiplier == 0 {
                *value
            } else {
                fastrand::u32(..)
            };
            self.write_all((*multiplier, value))?;
            if let Some(wrong) = self.verify_all((*multiplier, value))? {
                return Err(ProbeFailure::WrongMemory {
                    words: wrong.words,
                    place: wrong.last * size_of::<u32>() as u64,
                });
            }
            progress.patterns += 1;
            progress.seconds = clock.seconds();
            reporter.line(&Line::Progress(progress.clone()));
        }
        Ok(())
    }

    /// One round of the kernel; the card is looked at while it works.
    fn round(
        &self,
        device: &Device<'_>,
        clock: &mut Clock,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), ProbeFailure> {
        let seed = fastrand::u32(..);
        let mut words = self.stream.alloc_zeros::<u32>(WORDS as usize)?;
        self.write_one(&mut words, (MULTIPLIER, seed))?;
        for _ in 0..TURNS {
            let mut launch = self.stream.launch_builder(&self.turn);
            launch.arg(&mut words).arg(&WORDS).arg(&STEPS);
            // SAFETY: `gpuguard_turn` takes a pointer, a count and a number of steps, in this
            // order, and touches only words below the count, which is the length of `words`.
            unsafe { launch.launch(LaunchConfig::for_num_elems(WORDS)) }?;
        }
        if clock.sample_is_due() {
            clock.sample(device, reporter)?;
        }
        wait(&self.stream)?;
        let (factor, summand) = jump(u64::from(TURNS) * u64::from(STEPS));
        compare(&read_back(&self.stream, &words)?, |word| {
            let first = word.wrapping_mul(MULTIPLIER) ^ seed;
            first.wrapping_mul(factor).wrapping_add(summand)
        })
    }

    fn write_all(&mut self, pattern: (u32, u32)) -> Result<(), ProbeFailure> {
        let mut chunks = std::mem::take(&mut self.chunks);
        let written = chunks
            .iter_mut()
            .zip(0..)
            .try_for_each(|(chunk, number)| self.write_one(chunk, of_chunk(pattern, number)));
        self.chunks = chunks;
        written?;
        wait(&self.stream)
    }

    fn write_one(
        &self,
        words: &mut CudaSlice<u32>,
        (multiplier, value): (u32, u32),
    ) -> Result<(), ProbeFailure> {
        let count = count_of(words);
        let mut launch = self.stream.launch_builder(&self.write);
        launch.arg(words).arg(&count).arg(&multiplier).arg(&value);
        // SAFETY: `gpuguard_write` takes a pointer, a count, a multiplier and a value, in this
        // order, and writes only words below the count, which is the length of `words`.
        unsafe { launch.launch(LaunchConfig::for_num_elems(count)) }?;
        Ok(())
    }

    /// Has the card verify all that was written.
    fn verify_all(&self, pattern: (u32, u32)) -> Result<Option<Wrong>, ProbeFailure> {
        let mut before = 0;
        for (chunk, number) in self.chunks.iter().zip(0..) {
            let (multiplier, value) = of_chunk(pattern, number);
            let count = count_of(chunk);
            let mut found = self.stream.alloc_zeros::<u32>(2)?;
            let mut launch = self.stream.launch_builder(&self.verify);
            launch
                .arg(chunk)
                .arg(&count)
                .arg(&multiplier)
                .arg(&value)
                .arg(&mut found);
            // SAFETY: `gpuguard_verify` takes a pointer, a count, a multiplier, a value and a
            // pointer, in this order, reads only words below the count, which is the length of
            // `chunk`, and writes the two words of `found`.
            unsafe { launch.launch(LaunchConfig::for_num_elems(count)) }?;
            if let [words, last] = read_back(&self.stream, &found)?[..]
                && words > 0
            {
                return Ok(Some(Wrong {
                    words,
                    last: before + u64::from(last).saturating_sub(1),
                }));
            }
            before += u64::from(count);
        }
        Ok(None)
    }
}

/// What the card found.
struct Wrong {
    /// How many words are wrong.
    words: u32,
    /// Place of the last of them, in words from the first chunk's beginning.
    last: u64,
}

/// Each chunk has values of its own where the words of one have: then a chunk that shows up in
/// the place of another is found.
fn of_chunk((multiplier, value): (u32, u32), number: u32) -> (u32, u32) {
    if multiplier == 0 {
        (multiplier, value)
    } else {
        (
            multiplier,
            value.wrapping_add(number.wrapping_mul(0x9e37_79b9)),
        )
    }
}

/// The length of an allocation, which is one of at most [`CHUNK`] words.
fn count_of(words: &CudaSlice<u32>) -> u32 {
    u32::try_from(words.len()).unwrap_or(u32::MAX)
}

/// What so many steps do together: x becomes x * factor + summand.
fn jump(steps: u64) -> (u32, u32) {
    let then = |(a, b): (u32, u32), (c, d): (u32, u32)| {
        (a.wrapping_mul(c), b.wrapping_mul(c).wrapping_add(d))
    };
    let (mut all, mut power, mut left) = ((1, 0), STEP, steps);
    while left > 0 {
        if left & 1 == 1 {
            all = then(all, power);
        }
        power = then(power, power);
        left >>= 1;
    }
    all
}

/// How long it has been, and when the card was looked at.
struct Clock {
    duration: Duration,
    start: Instant,
    sampled: Option<Instant>,
}

impl Clock {
    fn new(duration: Duration) -> Self {
        Self {
            duration,
            start: Instant::now(),
            sampled: None,
        }
    }

    fn start(&mut self) {
        self.start = Instant::now();
    }

    fn is_up(&self) -> bool {
        self.start.elapsed() >= self.duration
    }

    /// Seconds since the start, to the hundredth.
    fn seconds(&self) -> f64 {
        (self.start.elapsed().as_secs_f64() * 100.0).round() / 100.0
    }

    fn sample_is_due(&self) -> bool {
        let interval = BETWEEN_SAMPLES.max(self.duration / MOST_SAMPLES);
        self.sampled.is_none_or(|at| at.elapsed() >= interval)
    }

    fn sample(
        &mut self,
        device: &Device<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), ProbeFailure> {
        self.sampled = Some(Instant::now());
        let sample = Sample {
            seconds: self.seconds(),
            health: Health::of(device)?,
        };
        reporter.line(&Line::Sample(sample));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_as_many_steps() {
        let mut word = 0xdead_beef_u32;
        for steps in 0..100 {
            let (factor, summand) = jump(steps);
            assert_eq!(
                0xdead_beef_u32.wrapping_mul(factor).wrapping_add(summand),
                word
            );
            word = word.wrapping_mul(STEP.0).wrapping_add(STEP.1);
        }
        assert_eq!(STEPS % 2, 0, "or the float does not end where it began");
    }
}
