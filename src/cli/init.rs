//! `gpuguard init`: write the policy file, from the cards found or from a preset.

use std::io;
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;

use super::{Failure, Screen};
use crate::git::{RepoPath, Repository};
use crate::gpu::{self, InventoryCard, ProbeError, Trouble};
use crate::outcome::Answer;
use crate::policy::{self, Card, PolicyError, Preset, Surroundings, Usage};
use crate::sys::environment;
use crate::sys::file::PendingFile;
use crate::text::printable;

/// How long the driver may take to tell its cards.
const PATIENCE: Duration = Duration::from_secs(10);

/// Write gpuguard.toml: which cards this project's code may use
///
/// Without a preset the cards are asked from the NVIDIA driver; the one with the most memory is
/// allowed, the others are forbidden. Without a driver the preset is shown and nothing written.
/// An existing gpuguard.toml is never changed.
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
    let exists = is_there(&path)?;
    if exists && arguments.tag.is_none() {
        return Err(Failure::new(format!("`{}` exists already", path.display()))
            .note("nothing was changed")
            .hint("edit it, or move it away first"));
    }
    let pending = match arguments.preset {
        _ if exists => None,
        Some(PresetWord::Rtx3090) => Some(begin(&path, Preset::Rtx3090.text())?),
        None => Some(begin(&path, &policy_found(&path, screen)?)?),
    };
    // The tag before the file gets its name: it is what may still fail (no commit, a name in
    // use), and then nothing is changed.
    if let Some(tag) = &arguments.tag {
        repository.create_annotated_tag(tag, "State before gpuguard (gpuguard init)")?;
        let tag = printable(tag.as_bytes());
        screen.say(&format!(
            "tagged HEAD as `{tag}`: `gpuguard rollback {tag}` goes back to it"
        ));
        let head = repository.head()?.commit;
        let path = RepoPath::new(policy::FILE_NAME);
        let has_policy = head
            .map(|head| repository.entry_at(head, &path))
            .transpose()?;
        if has_policy.flatten().is_none() {
            screen.say(&format!(
                "that commit has no gpuguard.toml: going back takes the policy out. To keep it, \
                 commit the policy and set the tag there: `git tag --annotate --force {tag}`"
            ));
        }
    }
    let shown = printable(path.as_os_str().as_encoded_bytes());
    match pending {
        Some(pending) => {
            pending
                .commit_new()
                .map_err(|error| unwritable(&path, &error))?;
            screen.say(&format!("wrote `{shown}`; commit it with the code"));
        }
        None => screen.say(&format!("`{shown}` exists already and was left as it is")),
    }
    Ok(Answer::Fine)
}

/// Whether there is a policy, which then is a valid one.
fn is_there(path: &Path) -> Result<bool, Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(false);
    }
    // Read it, so that a broken one is told now rather than at the next commit.
    match Surroundings::of_this_process().and_then(|around| policy::load(path, &around)) {
        Ok(_) => Ok(true),
        Err(PolicyError::Missing { .. }) => Err(Failure::new(format!(
            "`{}` is a link to a file that does not exist",
            path.display()
        ))
        .note("nothing was changed")
        .hint("remove the link, or put a policy where it leads")),
        Err(error) => Err(error.into()),
    }
}

/// The policy, written but without its name yet.
fn begin(path: &Path, text: &str) -> Result<PendingFile, Failure> {
    let write = || {
        let mut pending = PendingFile::create(path)?;
        pending.write_all(text.as_bytes())?;
        // Unlike a backup, the policy is meant to be read by everyone who can read the code.
        pending.set_mode(0o644)?;
        Ok(pending)
    };
    write().map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be written", path.display()))
        .because(error)
        .note("the policy was not written")
}

/// The policy for the machine's cards; without any, the preset is shown instead.
fn policy_found(path: &Path, screen: &Screen) -> Result<String, Failure> {
    let waiting = screen.waiting("asking the driver");
    let found = gpu::inventory(PATIENCE);
    drop(waiting);
    let policy = match found {
        Ok(inventory) => policy_for(path, inventory.cards),
        Err(error) => Err(not_asked(&error)),
    };
    policy.map_err(|failure| {
        let failure = failure.note("nothing was written").hint(
            "or write the founding rig's policy, which is on stdout, with `gpuguard init --preset rtx3090`, and edit the cards in it",
        );
        screen.warn("nothing was written; a policy looks like this, the founding rig's:\n");
        screen
            .print(Preset::Rtx3090.text())
            .err()
            .unwrap_or(failure)
    })
}

fn not_asked(error: &ProbeError) -> Failure {
    let failure = Failure::of(error);
    let hint = match error.trouble {
        // The general hint is to give more time in the policy, which there is none of yet.
        Trouble::TimedOut { .. } => Some(
            "`nvidia-smi` shows whether the driver answers at all; try again when it does"
                .to_owned(),
        ),
        _ => gpu::hint(error),
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The policy for `cards`, which the hook will accept.
fn policy_for(path: &Path, cards: Vec<InventoryCard>) -> Result<String, Failure> {
    if cards.is_empty() {
        return Err(Failure::new("the driver lists no card").hint(
            "`nvidia-smi -L` lists the cards; a container needs `--gpus`, a virtual machine a card passed through",
        ));
    }
    let text = policy::policy_for_cards(&entries(cards));
    match policy::parse(path, text.as_bytes()) {
        Ok(_) => Ok(text),
        Err(error) => Err(
            Failure::new("what the driver says of the cards makes no valid policy")
                .because(&error)
                .hint("`gpuguard gpu list` shows what it says"),
        ),
    }
}

/// The machine's cards as policy entries: the one with the most memory allowed.
fn entries(cards: Vec<InventoryCard>) -> Vec<Card> {
    let largest = cards
        .iter()
        .max_by_key(|card| (card.facts.memory_bytes, std::cmp::Reverse(card.pci_rank)))
        .map(|card| card.pci_rank);
    cards
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
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::CardFacts;

    #[test]
    fn a_policy_that_would_be_refused_is_not_written() {
        let card = |uuid: &str| InventoryCard {
            pci_rank: 0,
            nvml_index: 0,
            facts: CardFacts {
                name: "NVIDIA GeForce RTX 3090".to_owned(),
                uuid: uuid.to_owned(),
                pci_bus_id: "00000000:01:00.0".to_owned(),
                memory_bytes: Some(24 << 30),
                compute_capability: None,
            },
            memory_used_bytes: None,
            compute_mode: None,
            display_active: None,
            persistence_mode: None,
        };
        let path = Path::new("gpuguard.toml");
        let good = card("GPU-309000aa-bbbb-cccc-dddd-eeeeeeeeeeee");
        assert!(policy_for(path, vec![good]).is_ok());
        for cards in [vec![], vec![card("")], vec![card("MIG-1")]] {
            assert!(policy_for(path, cards).is_err());
        }
    }
}
