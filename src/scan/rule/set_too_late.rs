//! GG005: a variable that is set when CUDA has read it already.

use super::situation::{ORDER, Situation, VISIBLE};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::policy::selection::Mask;
use crate::scan::fact::{
    Block, BlockKind, Certainty, Fact, FactKind, HowSet, Value, VariableWrite, When, Whose,
};
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG005",
    name: "set-too-late",
    summary: "a variable is set after CUDA has read it",
    page: include_str!("set_too_late.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut flow = Flow::new(&situation.facts.blocks);
    // Variables that were set in time: what is set later is not the one that counts.
    let mut in_time: Vec<&str> = Vec::new();
    for fact in &situation.facts.facts {
        flow.reach(fact.span.start);
        match &fact.kind {
            FactKind::StartsCuda(certainty) => flow.start(fact, *certainty),
            FactKind::SetVariable(write) if is_judged(write) => {
                let name = write.name.as_str();
                if in_time.contains(&name) {
                    continue;
                }
                match flow.started() {
                    Some(start) => drafts.push(draft(situation, fact, write, start)),
                    None if fact.when == When::Loading => in_time.push(name),
                    None => {}
                }
            }
            _ => {}
        }
    }
    drafts
}

fn is_judged(write: &VariableWrite) -> bool {
    write.whose == Whose::Own
        && write.value != Value::Absent
        && (write.name == VISIBLE || write.name == ORDER)
}

fn draft(
    situation: &Situation<'_>,
    fact: &Fact,
    write: &VariableWrite,
    (start, certainty): (&Fact, Certainty),
) -> Draft {
    let name = write.name.as_str();
    let mut draft = Draft::on(fact, About::Line);
    let (has, reads) = match certainty {
        Certainty::Certain => ("has", "CUDA has read it by then"),
        Certainty::Fragile => ("may have", "CUDA may have read it by then"),
    };
    let only_default = if write.how == HowSet::Default {
        " (and only where it is not set)"
    } else {
        ""
    };
    draft.message = format!(
        "{name} is set{only_default} after {} {has} started CUDA: {reads}, and the program keeps the \
         cards it had, perhaps {}",
        start.api,
        situation.forbidden()
    );
    "too late for this program".clone_into(&mut draft.label);
    draft.help = format!("set {name} at the top, before the imports");
    // Hiding every card so late may well be meant for the children.
    let hides = write
        .value
        .known()
        .is_some_and(|value| Mask::read(situation.cards(), value).hides_all());
    draft.certainty = if hides { Certainty::Fragile } else { certainty };
    draft.remedy = Some(Remedy {
        change: Change::MoveFirst,
        safety: Safety::Unsafe,
    });
    draft
}

/// What certainly, or perhaps, ran before the place that is reached: one walk along the file.
struct Flow<'f> {
    /// Blocks that are still to come, by place.
    blocks: std::slice::Iter<'f, Block>,
    next: Option<&'f Block>,
    /// The blocks around the place, the file itself first.
    around: Vec<Level<'f>>,
}

struct Level<'f> {
    end: usize,
    kind: BlockKind,
    /// Ran before whatever follows in this block.
    certain: Option<&'f Fact>,
    /// May have.
    perhaps: Option<&'f Fact>,
    /// Ran in one of several ways of which the next may be another.
    in_one_way: Option<&'f Fact>,
}

impl<'f> Flow<'f> {
    fn new(blocks: &'f [Block]) -> Self {
        let mut blocks = blocks.iter();
        let next = blocks.next();
        let file = Level {
            end: usize::MAX,
            kind: BlockKind::Function,
            certain: None,
            perhaps: None,
            in_one_way: None,
        };
        Self {
            blocks,
            next,
            around: vec![file],
        }
    }

    /// Leaves and enters blocks up to a place.
    fn reach(&mut self, place: usize) {
        loop {
            let entered = self.next.map_or(usize::MAX, |block| block.span.start);
            let left = self.around.last().map_or(usize::MAX, |level| level.end);
            if left <= place && left <= entered {
                self.leave();
            } else if entered <= place {
                self.enter();
            } else {
                return;
            }
        }
    }

    fn enter(&mut self) {
        if let Some(block) = self.next {
            if block.kind != BlockKind::Otherwise {
                self.join();
            }
            let outer = self.around.last();
            self.around.push(Level {
                end: block.span.end,
                kind: block.kind,
                certain: outer.and_then(|outer| outer.certain),
                perhaps: outer.and_then(|outer| outer.perhaps),
                in_one_way: None,
            });
        }
        self.next = self.blocks.next();
    }

    /// What ran in a branch may have run before what follows it; when a function runs is open.
    fn leave(&mut self) {
        self.join();
        let Some(level) = self.around.pop() else {
            return;
        };
        if level.kind != BlockKind::Function
            && let Some(outer) = self.around.last_mut()
            && outer.in_one_way.is_none()
        {
            outer.in_one_way = level.certain.or(level.perhaps);
        }
    }

    /// Behind all the ways there are: one of them ran.
    fn join(&mut self) {
        if let Some(level) = self.around.last_mut() {
            let ran = level.in_one_way.take();
            level.perhaps = level.perhaps.or(ran);
        }
    }

    fn start(&mut self, fact: &'f Fact, certainty: Certainty) {
        self.join();
        if let Some(level) = self.around.last_mut() {
            let kept = match certainty {
                Certainty::Certain => &mut level.certain,
                Certainty::Fragile => &mut level.perhaps,
            };
            kept.get_or_insert(fact);
        }
    }

    /// The first that started CUDA, and how sure that is.
    fn started(&mut self) -> Option<(&'f Fact, Certainty)> {
        self.join();
        let level = self.around.last()?;
        let certain = level.certain.map(|fact| (fact, Certainty::Certain));
        certain.or(level.perhaps.map(|fact| (fact, Certainty::Fragile)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::{Preset, parse};
    use crate::scan::fact::FileFacts;
    use crate::text::Span;

    /// One letter a fact: `S` starts CUDA, `s` may, `V` and `O` set a variable, `D` removes one;
    /// `{` and `}` are a function, `(` and `)` a branch, `[` and `]` another way.
    fn found(code: &str) -> Vec<(usize, Certainty)> {
        let mut facts = FileFacts::default();
        let mut open = Vec::new();
        for (at, letter) in code.bytes().enumerate() {
            let write = |name: &str, value| {
                FactKind::SetVariable(VariableWrite {
                    name: name.to_owned(),
                    value,
                    how: HowSet::Assigned,
                    whose: Whose::Own,
                    one_of_several: false,
                })
            };
            let kind = match letter {
                b'S' => FactKind::StartsCuda(Certainty::Certain),
                b's' => FactKind::StartsCuda(Certainty::Fragile),
                b'V' => write(VISIBLE, Value::Known("1".to_owned())),
                b'O' => write(ORDER, Value::Dynamic),
                b'D' => write(VISIBLE, Value::Absent),
                b'{' => {
                    open.push((at, BlockKind::Function));
                    continue;
                }
                b'(' => {
                    open.push((at, BlockKind::Branch));
                    continue;
                }
                b'[' => {
                    open.push((at, BlockKind::Otherwise));
                    continue;
                }
                _ => {
                    let (start, kind) = open.pop().unwrap();
                    let span = Span::new(start, at);
                    facts.blocks.push(Block { span, kind });
                    continue;
                }
            };
            let in_function = open.iter().any(|(_, kind)| *kind == BlockKind::Function);
            facts.facts.push(Fact {
                span: Span::new(at, at + 1),
                value: None,
                api: "x",
                when: match (in_function, open.is_empty()) {
                    (true, _) => When::Called,
                    (false, true) => When::Loading,
                    (false, false) => When::Branch,
                },
                kind,
            });
        }
        facts.blocks.sort_unstable();
        let preset = Preset::Rtx3090.text();
        let policy = parse(Path::new("gpuguard.toml"), preset.as_bytes()).unwrap();
        let drafts = check(&Situation::new(&policy, &facts));
        let found = drafts
            .iter()
            .map(|draft| (draft.span.start, draft.certainty));
        found.collect()
    }

    #[test]
    fn what_ran_before_is_told_by_blocks() {
        use Certainty::{Certain, Fragile};
        for (code, expected) in [
            ("VS", &[][..]),
            ("SV", &[(1, Certain)]),
            ("SVO", &[(1, Certain), (2, Certain)]),
            ("sV", &[(1, Fragile)]),
            ("sSV", &[(2, Certain)]),
            // What was set in time stays; what is removed is another matter.
            ("VSV", &[]),
            ("VSO", &[(2, Certain)]),
            ("SD", &[]),
            // A function runs after what stands above it, and at no certain time for the rest.
            ("S{V}", &[(2, Certain)]),
            ("{V}S", &[]),
            ("{S}V", &[]),
            ("{S}{V}", &[]),
            ("{SV}", &[(2, Certain)]),
            ("{S{V}}", &[(3, Certain)]),
            ("{{S}V}", &[]),
            // A branch may have run.
            ("(S)V", &[(3, Fragile)]),
            ("(SV)", &[(2, Certain)]),
            ("(S)(V)", &[(4, Fragile)]),
            ("S(V)", &[(2, Certain)]),
            ("{(S)V}", &[(4, Fragile)]),
            ("({S})V", &[]),
            ("(V)SV", &[(4, Certain)]),
            // Of several ways only one ran.
            ("(S)[V]", &[]),
            ("(S)[][V]V", &[(8, Fragile)]),
            ("(S)[V](V)", &[(7, Fragile)]),
            ("()[S][V]", &[]),
            ("(S[V])V", &[(3, Certain), (6, Fragile)]),
        ] {
            assert_eq!(found(code), expected, "{code}");
        }
    }

    #[test]
    fn many_blocks_are_one_walk() {
        let code = format!("S{}", "(V)".repeat(20_000));
        assert_eq!(found(&code).len(), 20_000);
        let deep = format!("S{}V{}", "(".repeat(20_000), ")".repeat(20_000));
        assert_eq!(found(&deep).len(), 1);
    }
}
