//! `gpuguard init`: write the policy file, from the cards found or from a preset.

use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;

use super::{Failure, Screen};
use crate::git::Repository;
use crate::gpu;
use crate::outcome::Answer;
use crate::policy::{self, Card, Preset, Usage};
use crate::sys::{environment, file};

/// How long the driver may take to tell its cards.
const PATIENCE: Duration = Duration::from_secs(10);

/// Write gpuguard.toml: which cards this project's code may use
///
/// Without a preset the cards are asked from the NVIDIA driver; the one with the most memory is
/// allowed, the others are forbidden. An existing gpuguard.toml is never changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard init\n  \
    gpuguard init --preset rtx3090 --tag v-before-gpu-correction")]
pub(super) struct Arguments {
    /// Write a ready-made policy instead of asking the driver
    #[arg(long, value_name = "NAME")]
    preset: Option<PresetWord>,
    /// Also create this annotated tag on HEAD, for `gpuguard rollback`
    #[arg(long, value_name = "NAME")]
    tag: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PresetWord {
    /// RTX 5060 Ti at PCI rank 0 forbidden, RTX 3090 at PCI rank 1 allowed
    Rtx3090,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let directory = environment::current_dir()
        .map_err(|error| Failure::new("the current folder is gone").because(&error))?;
    let repository = Repository::discover(&directory)?;
    let path = repository.worktree()?.join(policy::FILE_NAME);
    let exists = path.exists();
    if exists {
        // Read it, so that a broken one is told now rather than at the next commit.
        policy::load(&path)?;
        if arguments.tag.is_none() {
            return Err(Failure::new(format!("`{}` exists already", path.display()))
                .note("nothing was changed")
                .hint("edit it, or move it away first"));
        }
    }
    let text = match arguments.preset {
        _ if exists => None,
        Some(PresetWord::Rtx3090) => Some(Preset::Rtx3090.text().to_owned()),
        None => Some(policy::policy_for_cards(&cards_found()?)),
    };
    // The tag first: it is what may fail (no commit, a name in use), and then nothing is changed.
    if let Some(tag) = &arguments.tag {
        repository.create_annotated_tag(tag, "State before gpuguard (gpuguard init)")?;
        screen.say(&format!(
            "tagged HEAD as `{tag}`: `gpuguard rollback {tag}` goes back to it"
        ));
    }
    if let Some(text) = text {
        write_new(&path, &text)?;
        screen.say(&format!(
            "wrote `{}`; commit it with the code",
            path.display()
        ));
    } else {
        screen.say(&format!(
            "`{}` exists already and was left as it is",
            path.display()
        ));
    }
    Ok(Answer::Fine)
}

/// Writes the policy, never over another.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let unwritable = |error: &std::io::Error| {
        Failure::new(format!("`{}` cannot be written", path.display())).because(error)
    };
    let mut pending = file::PendingFile::create(path).map_err(|error| unwritable(&error))?;
    std::io::Write::write_all(pending.file_mut(), text.as_bytes())
        .and_then(|()| pending.commit_new())
        .map_err(|error| unwritable(&error))?;
    // Unlike a backup, the policy is meant to be read by everyone who can read the code.
    file::set_mode(path, 0o644).map_err(|error| unwritable(&error))
}

/// The machine's cards as policy entries: the one with the most memory allowed.
fn cards_found() -> Result<Vec<Card>, Failure> {
    let inventory = gpu::inventory(PATIENCE).map_err(|error| {
        let failure = Failure::new("the cards of this machine cannot be asked").because(&error);
        let failure = match gpu::hint(&error) {
            Some(hint) => failure.hint(hint),
            None => failure,
        };
        failure.hint(
            "or write the founding rig's policy with `gpuguard init --preset rtx3090`, and edit the cards in it",
        )
    })?;
    let largest = inventory
        .cards
        .iter()
        .max_by_key(|card| (card.facts.memory_bytes, std::cmp::Reverse(card.pci_rank)))
        .map(|card| card.pci_rank);
    Ok(inventory
        .cards
        .into_iter()
        .map(|card| {
            let allowed = Some(card.pci_rank) == largest;
            Card {
                name: card.facts.name,
                usage: if allowed {
                    Usage::Allowed
                } else {
                    Usage::Forbidden
                },
                uuid: Some(card.facts.uuid),
                pci_rank: Some(card.pci_rank),
                // A little less than it has: drivers keep some of it for themselves.
                min_memory_gib: card
                    .facts
                    .memory_bytes
                    .filter(|_| allowed)
                    .and_then(|bytes| u32::try_from((bytes >> 30).saturating_sub(2)).ok()),
            }
        })
        .collect())
}
