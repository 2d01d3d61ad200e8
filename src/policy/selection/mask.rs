//! A value of `CUDA_VISIBLE_DEVICES`, entry by entry: what each is, or why it is nothing.
//!
//! The order of the cards plays no part here: an index stays a number.
//!
//! Where NVIDIA's guide is silent (duplicates, what follows a number), this is what `PyTorch`'s
//! `torch.cuda._parse_visible_devices` says CUDA does.

use super::Slot;
use crate::policy::Card;

/// A value of `CUDA_VISIBLE_DEVICES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask<'p, 't> {
    /// What stands between the commas.
    pub entries: Vec<Entry<'p, 't>>,
}

/// One entry of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'p, 't> {
    /// As it is written.
    pub text: &'t str,
    /// What CUDA makes of it.
    pub meaning: Meaning<'p>,
    /// What is wrong with it, if anything.
    pub trouble: Option<Trouble>,
}

/// What CUDA makes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning<'p> {
    /// The card at this place of the driver's order.
    Index(u32),
    /// The card with this UUID, whole or by a prefix that no other card has.
    Uuid(Slot<'p>),
    /// An instance of a partitioned card (MIG).
    Mig,
    /// Nothing: the list ends here.
    End,
    /// Not read: the list ended before.
    Unread,
}

/// Why an entry is not what it seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is nothing in it.
    Empty,
    /// `-1`, or another negative number.
    Negative,
    /// Quotes are part of the value.
    Quoted,
    /// A blank before or behind a UUID is part of it, and no UUID has one.
    Blank,
    /// `0-3`: read as the first number alone.
    Range,
    /// `1;0`, `1gpu`: read as the number at its start.
    Trailing,
    /// A word, such as `all` or `cuda:1`.
    Word,
    /// The start of more than one card's UUID.
    Ambiguous,
    /// A number that no card has.
    BeyondLast,
    /// An index among UUIDs, or the other way round.
    Mixed,
    /// A card that was named before: the whole list is empty.
    Duplicate,
}

/// What makes two entries of a list the same card.
#[derive(PartialEq)]
enum Key<'t> {
    Rank(u32),
    Uuid(&'t str),
}

/// Words that say "no card". CUDA knows none of them, and shows no card either.
const NONE: [&str; 3] = ["none", "nodevfiles", "void"];

impl<'p, 't> Mask<'p, 't> {
    /// Reads a value as CUDA does, for a machine with these cards.
    pub fn read(cards: &'p [Card], value: &'t str) -> Self {
        let mut entries: Vec<Entry<'p, 't>> = Vec::new();
        let mut seen: Vec<Key<'t>> = Vec::new();
        let mut ended = false;
        for text in value.split(',') {
            let (mut meaning, mut trouble) = if ended {
                (Meaning::Unread, None)
            } else {
                read_entry(cards, text)
            };
            if let Some(key) = key_of(meaning, text) {
                let is_rank = matches!(key, Key::Rank(_));
                if seen
                    .first()
                    .is_some_and(|first| matches!(first, Key::Rank(_)) != is_rank)
                {
                    (meaning, trouble) = (Meaning::End, Some(Trouble::Mixed));
                } else if is_known(&seen, &key) {
                    (meaning, trouble) = (Meaning::End, Some(Trouble::Duplicate));
                }
                seen.push(key);
            }
            ended |= meaning == Meaning::End;
            entries.push(Entry {
                text,
                meaning,
                trouble,
            });
        }
        Self { entries }
    }

    /// The entries that show a card, in order.
    pub fn shown(&self) -> impl Iterator<Item = &Entry<'p, 't>> {
        let emptied = self.is_emptied();
        let shows = |entry: &&Entry<'_, '_>| {
            matches!(
                entry.meaning,
                Meaning::Index(_) | Meaning::Uuid(_) | Meaning::Mig
            )
        };
        self.entries
            .iter()
            .take_while(move |entry| !emptied && shows(entry))
    }

    /// The first entry that is not what it seems to be. A comma at the end does no harm.
    pub fn trouble(&self) -> Option<(&Entry<'p, 't>, Trouble)> {
        let last = self.entries.len() - 1;
        self.entries.iter().enumerate().find_map(|(at, entry)| {
            let harmless = entry.trouble == Some(Trouble::Empty) && at == last && at > 0;
            entry
                .trouble
                .filter(|_| !harmless)
                .map(|trouble| (entry, trouble))
        })
    }

    /// Whether the value is one of those by which people hide every card on purpose: nothing,
    /// `-1`, or a word for it.
    pub fn hides_all(&self) -> bool {
        let [only] = self.entries.as_slice() else {
            return false;
        };
        match only.trouble {
            Some(Trouble::Empty | Trouble::Negative) => true,
            Some(Trouble::Word) => NONE.contains(&only.text.trim().to_ascii_lowercase().as_str()),
            _ => false,
        }
    }

    /// Whether a card named twice makes the whole list empty.
    fn is_emptied(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.trouble == Some(Trouble::Duplicate))
    }

    /// Whether it chooses cards by UUID.
    pub fn is_by_uuid(&self) -> bool {
        matches!(
            self.entries.first().map(|entry| entry.meaning),
            Some(Meaning::Uuid(_) | Meaning::Mig)
        )
    }
}

fn key_of<'t>(meaning: Meaning<'_>, text: &'t str) -> Option<Key<'t>> {
    match meaning {
        Meaning::Index(number) => Some(Key::Rank(number)),
        Meaning::Uuid(_) | Meaning::Mig => Some(Key::Uuid(text)),
        Meaning::End | Meaning::Unread => None,
    }
}

/// Whether one of `seen` is the same card. Of two prefixes of one UUID one is the other's start.
fn is_known(seen: &[Key<'_>], key: &Key<'_>) -> bool {
    seen.iter().any(|known| match (known, key) {
        (Key::Uuid(one), Key::Uuid(other)) => {
            let length = one.len().min(other.len());
            match (one.get(..length), other.get(..length)) {
                (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
                _ => false,
            }
        }
        _ => known == key,
    })
}

/// One entry by itself.
fn read_entry<'p>(cards: &'p [Card], text: &str) -> (Meaning<'p>, Option<Trouble>) {
    let bare = text.trim();
    let end = |trouble| (Meaning::End, Some(trouble));
    if bare.is_empty() {
        return end(Trouble::Empty);
    }
    if let Some((digits, behind)) = leading_number(text) {
        // A number of any size is a place; one too large for us is beyond every card.
        let Ok(number) = digits.parse::<u32>() else {
            return end(Trouble::BeyondLast);
        };
        if names_every_rank(cards) && number as usize >= cards.len() {
            return end(Trouble::BeyondLast);
        }
        let trouble = match behind.trim() {
            "" => None,
            behind if is_range(behind) => Some(Trouble::Range),
            _ => Some(Trouble::Trailing),
        };
        return (Meaning::Index(number), trouble);
    }
    if bare.starts_with(['"', '\'']) || bare.ends_with(['"', '\'']) {
        return end(Trouble::Quoted);
    }
    if bare.len() != text.len() && (bare.starts_with("GPU-") || bare.starts_with("MIG-")) {
        return end(Trouble::Blank);
    }
    if text.starts_with("MIG-") {
        return (Meaning::Mig, None);
    }
    if is_uuid_text(text) {
        return match by_uuid(cards, text) {
            Some(slot) => (Meaning::Uuid(slot), None),
            None => end(Trouble::Ambiguous),
        };
    }
    let negative = bare
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    end(if negative {
        Trouble::Negative
    } else {
        Trouble::Word
    })
}

/// The number an entry starts with, as C's `strtoul` reads it, and what is behind it: blanks
/// before it are skipped, what follows it is ignored (`1gpu` is 1).
fn leading_number(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (digits > 0).then(|| text.split_at(digits))
}

/// `-3`, `:3` or `..3` behind a number.
fn is_range(behind: &str) -> bool {
    let rest = behind
        .strip_prefix("..")
        .or_else(|| behind.strip_prefix(['-', ':', '~']));
    rest.is_some_and(|rest| {
        let rest = rest.trim();
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_uuid_text(text: &str) -> bool {
    text.strip_prefix("GPU-").is_some_and(|digits| {
        digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    })
}

/// The card whose UUID starts with `text` (`GPU-` included); `None` where several do. A UUID
/// that no card of the policy has is a card we cannot tell.
fn by_uuid<'p>(cards: &'p [Card], text: &str) -> Option<Slot<'p>> {
    let mut found = cards.iter().filter(|card| {
        card.uuid.as_deref().is_some_and(|uuid| {
            uuid.get(..text.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(text))
        })
    });
    match (found.next(), found.next()) {
        (Some(card), None) => Some(Slot::Card(card)),
        (Some(_), Some(_)) => None,
        (None, _) => Some(Slot::Unknown),
    }
}

/// Whether the policy's ranks are 0, 1, … without a gap: then there is no card behind the last.
fn names_every_rank(cards: &[Card]) -> bool {
    (0..cards.len()).all(|rank| {
        cards
            .iter()
            .any(|card| card.pci_rank.map(|r| r as usize) == Some(rank))
    })
}
