//! One file's facts beside the policy: what the file sets, and who has to set it.

use crate::policy::selection::{CudaEnvironment, Selected, Slot, Visible, select, visible};
use crate::policy::{Card, Policy, SetIn, Usage};
use crate::scan::fact::{Fact, FactKind, FileFacts, HowSet, Value, VariableWrite, When};
use crate::scan::remedy::{Change, Remedy, Safety};
use crate::sys::clock::Date;

/// `CUDA_DEVICE_ORDER`.
pub(super) const ORDER: &str = "CUDA_DEVICE_ORDER";
/// `CUDA_VISIBLE_DEVICES`.
pub(super) const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// What rules judge: a file's facts, and what follows from them for the whole file.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The file's facts.
    pub facts: &'a FileFacts,
    /// The day, where there is a calendar.
    pub today: Option<Date>,
    mask: Mask<'a>,
    /// The order that the file sets last, if any.
    order: Option<&'a str>,
}

/// The mask under which a file's indices count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask<'a> {
    /// The file sets it to this.
    InFile(&'a str),
    /// The file leaves it to the policy's environment.
    FromPolicy(&'a str),
    /// Nothing sets it.
    Missing,
    /// Decided at run time.
    NotKnown,
}

impl<'a> Situation<'a> {
    /// Looks through the facts once, for all rules.
    pub fn new(policy: &'a Policy, facts: &'a FileFacts) -> Self {
        let mut situation = Self {
            policy,
            facts,
            today: None,
            mask: Mask::Missing,
            order: None,
        };
        situation.mask = situation.find_mask();
        if !situation.is_removed(ORDER) {
            let known = facts
                .writes(ORDER)
                .filter_map(|(_, write)| write.value.known());
            situation.order = known.last().map(String::as_str);
        }
        situation
    }

    /// The same on a day.
    #[must_use]
    pub fn on(mut self, today: Option<Date>) -> Self {
        self.today = today;
        self
    }

    /// Whether this file itself has to set the variables when it uses the GPU.
    pub(super) fn must_set(&self) -> bool {
        match self.policy.environment.set_in {
            SetIn::EachFile => true,
            SetIn::EntryPoints => self.facts.entry_point,
            SetIn::Outside => false,
        }
    }

    /// The mask for this file's indices.
    pub(super) fn mask(&self) -> Mask<'a> {
        self.mask
    }

    fn find_mask(&self) -> Mask<'a> {
        let facts = self.facts;
        if self.is_removed(VISIBLE) {
            return Mask::Missing;
        }
        let mut last: Option<(&str, bool)> = None;
        for (fact, write) in facts.writes(VISIBLE) {
            let loading = fact.when.is_loading();
            match &write.value {
                // Removed while loading, but set again below.
                Value::Absent if loading => last = None,
                Value::Known(_) if write.one_of_several => return Mask::NotKnown,
                Value::Dynamic | Value::Absent => return Mask::NotKnown,
                // What is there stays.
                Value::Known(_) if write.how == HowSet::Default && last.is_some() => {}
                // What is set while loading counts before what a function may set.
                Value::Known(value) => {
                    if loading || last.is_none_or(|(_, loading)| !loading) {
                        last = Some((value, loading));
                    }
                }
            }
        }
        match last {
            Some((value, _)) => Mask::InFile(value),
            None if self.must_set() => Mask::Missing,
            None => Mask::FromPolicy(&self.policy.environment.visible_devices),
        }
    }

    /// Whether loading the file leaves a variable removed, whoever had set it.
    pub(super) fn is_removed(&self, name: &'a str) -> bool {
        self.facts
            .writes(name)
            .filter(|(fact, write)| fact.when.is_loading() || write.one_of_several)
            .last()
            .is_some_and(|(_, write)| write.value == Value::Absent)
    }

    /// The cards that a value of `CUDA_VISIBLE_DEVICES` shows, in the policy's order.
    pub(super) fn shown_by(&self, mask: &str) -> Visible<'a> {
        visible(&self.policy.cards, self.environment(mask))
    }

    /// What an index means under a mask, in the policy's order.
    pub(super) fn selected(&self, mask: &str, index: u32) -> Selected<'a> {
        select(&self.policy.cards, self.environment(mask), index)
    }

    /// What an index means where nothing is masked: in the order that the file sets, if any.
    pub(super) fn selected_unmasked(&self, index: u32) -> Selected<'a> {
        let environment = CudaEnvironment {
            order: self.order,
            visible_devices: None,
        };
        select(&self.policy.cards, environment, index)
    }

    fn environment<'m>(&self, mask: &'m str) -> CudaEnvironment<'m>
    where
        'a: 'm,
    {
        CudaEnvironment {
            order: Some(&self.policy.environment.device_order),
            visible_devices: Some(mask),
        }
    }

    /// The known indices the file selects.
    pub(super) fn indices(&self) -> impl Iterator<Item = (&'a Fact, u32)> {
        self.facts.facts.iter().filter_map(|fact| match &fact.kind {
            FactKind::SelectIndex { index } => index.known().map(|index| (fact, *index)),
            _ => None,
        })
    }

    /// Writes of a variable that set it, whatever to. A default for what is certainly set is none.
    pub(super) fn settings(
        &self,
        name: &'a str,
    ) -> impl Iterator<Item = (&'a Fact, &'a VariableWrite)> {
        let mut is_set = false;
        self.facts.writes(name).filter(move |(fact, write)| {
            let sets = write.value != Value::Absent && !(is_set && write.how == HowSet::Default);
            if write.value == Value::Absent {
                is_set = false;
            } else if fact.when == When::Loading
                && !write.one_of_several
                && write.how != HowSet::Putenv
            {
                is_set = true;
            }
            sets
        })
    }

    /// The two lines that a file needs, as words.
    pub(super) fn required(&self) -> String {
        let required = &self.policy.environment;
        format!(
            "{ORDER}={} and {VISIBLE}={}",
            required.device_order, required.visible_devices
        )
    }

    /// The remedy for a file that does not set the variables.
    pub(super) fn set_first(&self) -> Remedy {
        let required = &self.policy.environment;
        Remedy {
            change: Change::SetFirst(vec![
                (ORDER.to_owned(), required.device_order.clone()),
                (VISIBLE.to_owned(), required.visible_devices.clone()),
            ]),
            safety: Safety::Safe,
        }
    }

    /// The forbidden cards, by name.
    pub(super) fn forbidden(&self) -> String {
        let names: Vec<&str> = self
            .policy
            .cards
            .iter()
            .filter(|card| card.usage == Usage::Forbidden)
            .map(|card| card.name.as_str())
            .collect();
        if names.is_empty() {
            "a card that the policy does not name".to_owned()
        } else {
            format!("the {}", names.join(" or the "))
        }
    }
}

/// Cards as words: `RTX 5060 Ti (forbidden), RTX 3090`.
pub(super) fn cards_shown(visible: &Visible<'_>) -> String {
    let words: Vec<String> = visible.slots.iter().copied().map(slot_words).collect();
    words.join(", ")
}

fn slot_words(slot: Slot<'_>) -> String {
    match slot {
        Slot::Card(card) if card.usage == Usage::Forbidden => format!("{} (forbidden)", card.name),
        Slot::Card(card) => card.name.clone(),
        Slot::Unknown => "a card that the policy does not name".to_owned(),
    }
}

/// Whether a slot is a card that code may use.
pub(super) fn is_allowed(slot: Slot<'_>) -> bool {
    matches!(
        slot,
        Slot::Card(Card {
            usage: Usage::Allowed,
            ..
        })
    )
}
