//! One file's facts beside the policy: what the file sets, and who has to set it.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::policy::selection::{
    self, CudaEnvironment, Selected, Slot, Trouble, Visible, select, slot_of, visible,
};
use crate::policy::{Card, Policy, SetIn, Usage};
use crate::scan::catalogue;
use crate::scan::fact::{
    Cards, Fact, FactKind, FileFacts, HowSet, Value, VariableWrite, When, Whose,
};
use crate::scan::remedy::{Change, Remedy, Safety};
use crate::sys::clock::Date;

/// `CUDA_DEVICE_ORDER`.
pub(super) const ORDER: &str = "CUDA_DEVICE_ORDER";
/// `CUDA_VISIBLE_DEVICES`.
pub(super) const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// What rules judge: a file's facts, and what follows from them for the whole file.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The file's facts.
    pub facts: &'a FileFacts,
    /// The day, where there is a calendar.
    pub today: Option<Date>,
    mask: Mask<'a>,
    /// The masks of the pieces of the file that have one of their own, by piece.
    masks: BTreeMap<usize, Mask<'a>>,
    /// The order that the file sets last, if any.
    order: Option<&'a str>,
    /// The remedy for a file that does not set the variables, once it was asked for.
    set_first: OnceCell<Remedy>,
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
            masks: BTreeMap::new(),
            order: None,
            set_first: OnceCell::new(),
        };
        situation.mask = situation.find_mask();
        situation.masks = situation.find_masks();
        if !situation.is_removed(ORDER) {
            let known = situation
                .attempts(ORDER)
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
        if self.facts.environment_is_given {
            return false;
        }
        match self.policy.environment.set_in {
            SetIn::EachFile => true,
            SetIn::EntryPoints => self.facts.entry_point,
            SetIn::Outside => false,
        }
    }

    /// The mask under which a fact's indices count: that of the innermost piece around it that
    /// has one, else the file's.
    pub(super) fn mask(&self, fact: &Fact) -> Mask<'a> {
        if self.masks.is_empty() {
            return self.mask;
        }
        let scopes = &self.facts.scopes;
        scopes
            .outward(scopes.innermost(fact.span.start))
            .find_map(|scope| self.masks.get(&scope).copied())
            .unwrap_or(self.mask)
    }

    /// The masks of pieces of the file; the last one that is written in a piece counts.
    fn find_masks(&self) -> BTreeMap<usize, Mask<'a>> {
        let scopes = &self.facts.scopes;
        let mut masks = BTreeMap::new();
        for (fact, write) in self.variables() {
            let of_program = matches!(write.whose, Whose::Child | Whose::Container | Whose::Image);
            let Some(scope) = scopes.innermost(fact.span.start) else {
                continue;
            };
            if !of_program || write.name != VISIBLE {
                continue;
            }
            let mask = match &write.value {
                Value::Known(value) if !write.one_of_several && !self.is_no_mask(value) => {
                    Mask::InFile(value)
                }
                _ => Mask::NotKnown,
            };
            masks.insert(scope, mask);
        }
        masks
    }

    fn find_mask(&self) -> Mask<'a> {
        let mut last: Option<(&str, bool)> = None;
        let mut removed = false;
        for (fact, write) in self.attempts(VISIBLE) {
            let loading = fact.when.is_loading();
            if write.how == HowSet::PutBack {
                continue;
            }
            match &write.value {
                // Where it stays removed, that is said at the removal, and the rest is judged as
                // if it were not there.
                Value::Absent if loading => removed = true,
                Value::Known(_) if write.one_of_several => return Mask::NotKnown,
                Value::Dynamic | Value::Absent => return Mask::NotKnown,
                // What is there stays.
                Value::Known(_) if write.how == HowSet::Default && last.is_some() && !removed => {}
                // What is set while loading counts before what a function may set.
                Value::Known(value) => {
                    if loading || removed || last.is_none_or(|(_, loading)| !loading) {
                        last = Some((value, loading));
                        removed = false;
                    }
                }
            }
        }
        match last {
            // What is wrong with the value is said where it is written: the indices are judged
            // by what will have to stand there.
            Some((value, _)) if self.is_no_mask(value) => Mask::NotKnown,
            Some((value, _)) => Mask::InFile(value),
            None if self.must_set() => Mask::Missing,
            None => Mask::FromPolicy(&self.policy.environment.visible_devices),
        }
    }

    fn is_no_mask(&self, value: &str) -> bool {
        let mask = selection::Mask::read(&self.policy.cards, value);
        mask.hides_all() || self.fault(&mask).is_some()
    }

    /// Writes by which the program's own variable `name` is meant to be set or removed: also
    /// under a name that is sure to be a misspelling, and in a shell that nobody sees.
    pub(super) fn attempts(
        &self,
        name: &'static str,
    ) -> impl Iterator<Item = (&'a Fact, &'a VariableWrite)> {
        self.variables().filter(move |(_, write)| {
            matches!(write.whose, Whose::Own | Whose::Nobody)
                && (write.name == name
                    || catalogue::misspelt(&write.name)
                        .is_some_and(|misspelt| misspelt.sure && misspelt.meant == name))
        })
    }

    /// Whether something in the file is meant to set a variable for the program itself.
    pub(super) fn is_set(&self, name: &'static str) -> bool {
        self.attempts(name)
            .any(|(_, write)| write.value != Value::Absent)
    }

    /// All writes of variables, by place.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&'a Fact, &'a VariableWrite)> {
        self.facts.facts.iter().filter_map(|fact| match &fact.kind {
            FactKind::SetVariable(write) => Some((fact, write)),
            _ => None,
        })
    }

    /// The write by which loading the file leaves a variable removed, whoever had set it.
    fn last_removal(&self, name: &'a str) -> Option<&'a Fact> {
        self.facts
            .writes(name)
            .filter(|(fact, write)| fact.when.is_loading() || write.one_of_several)
            .last()
            .filter(|(_, write)| write.value == Value::Absent)
            .map(|(fact, _)| fact)
    }

    /// Whether loading the file leaves a variable removed, whoever had set it.
    pub(super) fn is_removed(&self, name: &'a str) -> bool {
        self.last_removal(name).is_some()
    }

    /// The removal of a variable that was set: by this file, or for it where it uses the GPU.
    pub(super) fn removal(&self, name: &'static str) -> Option<&'a Fact> {
        let removal = self.last_removal(name)?;
        let set_here = self.facts.writes(name).any(|(fact, write)| {
            fact.span < removal.span && fact.when.is_loading() && write.value != Value::Absent
        });
        let set_for_it = || !self.must_set() && self.facts.first_use().is_some();
        (set_here || set_for_it()).then_some(removal)
    }

    /// What makes a mask another than it seems to be. A number beyond the last card is the least
    /// of it where a card is shown that must not be used.
    pub(super) fn fault<'m, 't>(
        &self,
        mask: &'m selection::Mask<'a, 't>,
    ) -> Option<(&'m selection::Entry<'a, 't>, Trouble)> {
        let (entry, trouble) = mask.trouble()?;
        let worse = trouble == Trouble::BeyondLast && {
            let environment = self.environment(None);
            mask.shown()
                .any(|entry| !is_allowed(slot_of(self.cards(), environment, entry)))
        };
        (!worse).then_some((entry, trouble))
    }

    /// The policy's cards.
    pub(super) fn cards(&self) -> &'a [Card] {
        &self.policy.cards
    }

    /// The host's cards that a launcher or a container takes; `None` where that is decided at
    /// run time.
    pub(super) fn host_cards(&self, cards: &Cards) -> Option<Vec<Slot<'a>>> {
        let all = || visible(self.cards(), self.environment(None)).slots;
        Some(match cards {
            // Any of them may be given.
            Cards::All | Cards::Any(_) => all(),
            Cards::Count(count) => all().into_iter().take(*count as usize).collect(),
            Cards::Listed(listed) => {
                let listed = listed.join(",");
                let mask = selection::Mask::read(self.cards(), &listed);
                let mut slots = self.shown_by(&listed).slots;
                // Not the end of a list here, but a card that is not there.
                if mask
                    .trouble()
                    .is_some_and(|(_, trouble)| trouble == Trouble::BeyondLast)
                {
                    slots.push(Slot::Unknown);
                }
                slots
            }
            Cards::AllBut(left_out) => {
                let left_out = self.shown_by(&left_out.join(",")).slots;
                let mut all = all();
                all.retain(|slot| !left_out.contains(slot));
                all
            }
            Cards::Dynamic => return None,
        })
    }

    /// The cards that a value of `CUDA_VISIBLE_DEVICES` shows, in the policy's order.
    pub(super) fn shown_by(&self, mask: &str) -> Visible<'a> {
        visible(&self.policy.cards, self.environment(Some(mask)))
    }

    /// What an index means under a mask, in the policy's order.
    pub(super) fn selected(&self, mask: &str, index: u32) -> Selected<'a> {
        select(&self.policy.cards, self.environment(Some(mask)), index)
    }

    /// What an index selects where it stands; `None` where the mask is decided at run time.
    pub(in crate::scan) fn selected_at(&self, fact: &Fact, index: u32) -> Option<Selected<'a>> {
        match self.mask(fact) {
            Mask::InFile(mask) | Mask::FromPolicy(mask) => Some(self.selected(mask, index)),
            Mask::Missing => Some(self.selected_unmasked(index)),
            Mask::NotKnown => None,
        }
    }

    /// What an index means where nothing is masked: in the order that the file sets, if any.
    pub(super) fn selected_unmasked(&self, index: u32) -> Selected<'a> {
        let environment = CudaEnvironment {
            order: self.order,
            visible_devices: None,
        };
        select(&self.policy.cards, environment, index)
    }

    fn environment<'m>(&self, mask: Option<&'m str>) -> CudaEnvironment<'m>
    where
        'a: 'm,
    {
        CudaEnvironment {
            order: Some(&self.policy.environment.device_order),
            visible_devices: mask,
        }
    }

    /// The known indices the file selects.
    pub(in crate::scan) fn indices(&self) -> impl Iterator<Item = (&'a Fact, u32)> {
        self.facts.facts.iter().filter_map(|fact| match &fact.kind {
            FactKind::SelectIndex { index } => index.known().map(|index| (fact, *index)),
            _ => None,
        })
    }

    /// The cards that the file selects by the machine's own numbers.
    pub(super) fn machine_cards(&self) -> impl Iterator<Item = (&'a Fact, u32)> {
        self.facts.facts.iter().filter_map(|fact| match fact.kind {
            FactKind::SelectMachineCard { index } => Some((fact, index)),
            _ => None,
        })
    }

    /// Values that a variable gets, of the program itself or of a child.
    pub(super) fn values(
        &self,
        name: &'static str,
    ) -> impl Iterator<Item = (&'a Fact, &'a VariableWrite, &'a str)> {
        let of_children = self
            .variables()
            .filter(move |(_, write)| write.name == name && write.whose == Whose::Child)
            .filter(|(_, write)| write.how != HowSet::Shared);
        self.settings(name)
            .chain(of_children)
            .filter_map(|(fact, write)| Some((fact, write, write.value.known()?.as_str())))
    }

    /// Values that a variable gets in a container or an image.
    pub(super) fn values_in_containers(
        &self,
        name: &'static str,
    ) -> impl Iterator<Item = (&'a Fact, &'a VariableWrite, &'a str)> {
        self.variables()
            .filter(move |(_, write)| {
                write.name == name
                    && matches!(write.whose, Whose::Container | Whose::Image)
                    && write.how != HowSet::Shared
            })
            .filter_map(|(fact, write)| Some((fact, write, write.value.known()?.as_str())))
    }

    /// Writes of a variable that set it, whatever to. A default for what is certainly set is none,
    /// nor is what only puts the earlier value back.
    pub(super) fn settings(
        &self,
        name: &'a str,
    ) -> impl Iterator<Item = (&'a Fact, &'a VariableWrite)> {
        let mut is_set = false;
        self.facts.writes(name).filter(move |(fact, write)| {
            let sets = write.value != Value::Absent
                && write.how != HowSet::PutBack
                && !(is_set && write.how == HowSet::Default);
            if write.value == Value::Absent {
                is_set = false;
            } else if fact.when == When::Loading
                && !write.one_of_several
                && matches!(write.how, HowSet::Assigned | HowSet::Default)
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
        self.set_first.get_or_init(|| self.write_first()).clone()
    }

    fn write_first(&self) -> Remedy {
        let required = &self.policy.environment;
        let settings = [
            (ORDER, &required.device_order),
            (VISIBLE, &required.visible_devices),
        ];
        // A name that is nearly right is mended where it stands.
        let misspelt = |name| self.attempts(name).any(|(_, write)| write.name != name);
        let missing = settings.into_iter().filter(|(name, _)| !misspelt(name));
        Remedy {
            change: Change::SetFirst(
                missing
                    .map(|(name, value)| (name.to_owned(), value.clone()))
                    .collect(),
            ),
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
pub(super) fn cards_shown(slots: &[Slot<'_>]) -> String {
    if slots.is_empty() {
        return "no card".to_owned();
    }
    let words: Vec<String> = slots.iter().copied().map(slot_words).collect();
    words.join(", ")
}

/// A value of a variable in a sentence.
pub(super) fn written(value: &str) -> &str {
    if value.is_empty() { "\"\"" } else { value }
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
