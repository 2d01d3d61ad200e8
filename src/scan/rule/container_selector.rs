//! GG011: cards that a container gets from its host.

use super::situation::{Situation, VISIBLE, cards_shown, is_allowed, written};
use super::{About, Draft, Rule};
use crate::policy::Card;
use crate::policy::Severity;
use crate::policy::selection::{Mask, Meaning, Trouble};
use crate::scan::catalogue::{self, Variable};
use crate::scan::fact::{Cards, Certainty, Fact, FactKind, HowSet, Whose};
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG011",
    name: "container-selector",
    summary: "a container gets a card that must not be used, or is masked by the host's index",
    page: include_str!("container_selector.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for fact in &situation.facts.facts {
        match &fact.kind {
            FactKind::Container(cards) => {
                drafts.extend(on_cards(situation, fact, cards));
            }
            FactKind::SetVariable(write)
                if catalogue::variable(&write.name) == Some(Variable::Container)
                    && write.how != HowSet::Shared =>
            {
                let Some(value) = write.value.known() else {
                    continue;
                };
                let cards = cards_of_value(value);
                let draft = on_cards(situation, fact, &cards);
                // Where no container is started, somebody else has to hand the variable on.
                drafts.extend(draft.map(|mut draft| {
                    if write.whose != Whose::Container {
                        draft.certainty = Certainty::Fragile;
                    }
                    draft
                }));
            }
            _ => {}
        }
    }
    drafts.extend(inner_masks(situation));
    drafts
}

/// What `NVIDIA_VISIBLE_DEVICES` gives.
fn cards_of_value(value: &str) -> Cards {
    match value.trim() {
        "all" => Cards::All,
        "" | "none" | "void" => Cards::Count(0),
        listed => Cards::Listed(listed.split(',').map(str::to_owned).collect()),
    }
}

fn on_cards(situation: &Situation<'_>, fact: &Fact, cards: &Cards) -> Option<Draft> {
    let given = situation.host_cards(cards)?;
    if given.iter().copied().all(is_allowed) || *cards == Cards::Any(0) {
        return None;
    }
    let mut draft = Draft::on(fact, About::Line);
    // A UUID that no card of the policy has may be that of one without.
    let is_known = !names_uuid(cards)
        || situation
            .policy
            .cards
            .iter()
            .all(|card| card.uuid.is_some());
    if matches!(cards, Cards::Any(_)) || !is_known {
        draft.certainty = Certainty::Fragile;
    }
    let how = match cards {
        Cards::All => "every card of the host".to_owned(),
        Cards::Count(1) => "one card, the first of the host".to_owned(),
        Cards::Count(count) => format!("{count} cards, the first of the host"),
        Cards::Any(count) => format!("whichever {count} of these the scheduler picks"),
        Cards::Listed(_) | Cards::AllBut(_) | Cards::Dynamic => {
            "these cards of the host".to_owned()
        }
    };
    draft.message = format!("the container gets {how}: {}", cards_shown(&given));
    "a card that must not be used".clone_into(&mut draft.label);
    let right: Vec<String> = situation
        .policy
        .allowed_cards()
        .filter_map(host_name)
        .collect();
    let right = right.join(",");
    draft.help = if matches!(cards, Cards::Any(_)) {
        "keep the scheduler off the other cards: let it see the allowed ones alone".to_owned()
    } else if matches!(cards, Cards::Count(_)) {
        format!("name the card, \"{right}\", instead of a number of cards: inside, it is index 0")
    } else {
        format!("give it \"{right}\": inside, that is index 0")
    };
    if matches!(cards, Cards::Listed(_)) && is_known {
        draft.remedy = Some(Remedy {
            change: Change::Value(right),
            safety: Safety::Safe,
        });
    }
    Some(draft)
}

fn names_uuid(cards: &Cards) -> bool {
    let is_uuid = |name: &String| name.starts_with("GPU-") || name.starts_with("MIG-");
    matches!(cards, Cards::Listed(names) if names.iter().any(is_uuid))
}

/// A card as a container runtime names it.
fn host_name(card: &Card) -> Option<String> {
    card.uuid
        .clone()
        .or_else(|| card.pci_rank.map(|rank| rank.to_string()))
}

/// Masks inside a container, where the cards it got are counted from 0. Where nothing says how
/// many that are, an image is taken to get those that the policy allows.
fn inner_masks(situation: &Situation<'_>) -> Vec<Draft> {
    let facts = &situation.facts.facts;
    let mut drafts = Vec::new();
    for (at, fact) in facts.iter().enumerate() {
        let FactKind::SetVariable(write) = &fact.kind else {
            continue;
        };
        let (VISIBLE, Some(value)) = (write.name.as_str(), write.value.known()) else {
            continue;
        };
        let (count, certainty) = match (write.whose, cards_beside(situation, facts, at)) {
            (Whose::Container, Some(count)) => (count, Certainty::Certain),
            (Whose::Image, count) => {
                let allowed = || situation.policy.allowed_cards().count();
                (count.unwrap_or_else(allowed), Certainty::Fragile)
            }
            _ => continue,
        };
        let mask = Mask::read(situation.cards(), value);
        let beyond = mask.entries.iter().any(|entry| match entry.meaning {
            Meaning::Index(number) => number as usize >= count,
            _ => entry.trouble == Some(Trouble::BeyondLast),
        });
        if !beyond {
            continue;
        }
        let mut draft = Draft::on(fact, About::Line);
        draft.certainty = certainty;
        draft.message = format!(
            "{VISIBLE}={} inside a container with {count} of the host's cards: inside they are \
             counted from 0, so this shows no card",
            written(value)
        );
        "the host's index, inside".clone_into(&mut draft.label);
        draft.help = format!("leave {VISIBLE} out, or set it to \"0\"");
        draft.remedy = Some(Remedy {
            change: Change::Value("0".to_owned()),
            safety: Safety::Safe,
        });
        drafts.push(draft);
    }
    drafts
}

/// How many cards the container beside a fact gets: by the nearest fact that says so, in the same
/// piece of the file where it has pieces.
fn cards_beside(situation: &Situation<'_>, facts: &[Fact], at: usize) -> Option<usize> {
    /// How many facts away one and the same command can be.
    const FAR: usize = 8;
    let cards = |fact: &Fact| match &fact.kind {
        FactKind::Container(Cards::Any(count)) => Some(*count as usize),
        FactKind::Container(cards) => situation.host_cards(cards).map(|given| given.len()),
        FactKind::SetVariable(write)
            if write.whose == Whose::Container
                && catalogue::variable(&write.name) == Some(Variable::Container) =>
        {
            let cards = cards_of_value(write.value.known()?);
            situation.host_cards(&cards).map(|given| given.len())
        }
        _ => None,
    };
    let scopes = &situation.facts.scopes;
    let scope = |fact: &Fact| scopes.outermost(fact.span.start);
    let own = scope(&facts[at]);
    let before = facts[..at].iter().rev().take(FAR);
    let behind = facts[at + 1..].iter().take(FAR);
    before
        .chain(behind)
        .filter(|fact| scope(fact) == own)
        .find_map(cards)
}
