//! One walk over a file's tokens: every bracket with the path before it, every assignment, every
//! text.

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::assignment::is_assignment;
use super::constant::{Constants, Held, parameters_before};
use super::import::Imports;
use super::literal::{Content, content, number};
use super::path::Path;
use super::tokens::{Kind, Tokens};
use crate::scan::catalogue::{self, Native};
use crate::scan::fact::{
    Detail, Fact, FactKind, FileFacts, HowSet, Value, VariableWrite, When, Whose,
};
use crate::scan::flow::Flow;
use crate::scan::language::given::asks_for_order;
use crate::scan::language::remark;
use crate::scan::scopes::Scopes;
use crate::text::Span;

/// Whose syntax is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scan::language) enum Syntax {
    Cpp,
    Rust,
}

/// What a language reads of its own at a bracket: the environment, and programs it starts.
type Environment = for<'t> fn(&mut Reader<'t>, &Path<'t>, usize);

/// A file being read.
pub(in crate::scan::language) struct Reader<'t> {
    pub(in crate::scan::language) tokens: Tokens<'t>,
    pub(in crate::scan::language) syntax: Syntax,
    pub(super) constants: Constants<'t>,
    pub(super) detail: Detail,
    /// Full paths of names that were brought in, and the name spaces of which all were.
    imports: Imports<'t>,
    /// Names whose value is put where a card stands, with the places.
    pub(super) used: HashMap<&'t str, Vec<usize>>,
    /// Names of which it was said where they are declared.
    pub(super) judged: HashSet<&'t str>,
    /// The function around each block, if any: whether it is the one that the program begins with,
    /// and whether the block is its own.
    functions: HashMap<usize, Function>,
    pub(super) facts: Vec<Fact>,
    scopes: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Function {
    is_first: bool,
    is_own: bool,
}

/// What an argument says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scan::language) enum Said {
    /// A number, and where it is written if it is written here.
    Number(u32, Option<Span>),
    /// A text.
    Text(Box<Content>, bool),
    /// Something that only the running program knows.
    Dynamic,
}

impl<'t> Reader<'t> {
    pub(in crate::scan::language) fn new(
        tokens: Tokens<'t>,
        syntax: Syntax,
        detail: Detail,
    ) -> Self {
        let constants = Constants::new(&tokens, syntax);
        let imports = Imports::of(&tokens, syntax);
        Self {
            tokens,
            syntax,
            constants,
            detail,
            imports,
            used: HashMap::new(),
            judged: HashSet::new(),
            functions: HashMap::new(),
            facts: Vec::new(),
            scopes: Vec::new(),
        }
    }

    /// Reads all of it.
    pub(in crate::scan::language) fn read(mut self, environment: Environment) -> FileFacts {
        self.note_used();
        self.note_functions();
        for at in 0..self.tokens.len() {
            match self.tokens.kind(at) {
                Some(Kind::Open(b'(' | b'{')) => self.bracket(at, environment),
                Some(Kind::Sign(b'=')) if is_assignment(&self.tokens, at) => self.assignment(at),
                Some(Kind::Sign(b':')) if self.syntax == Syntax::Rust => self.field(at),
                Some(Kind::Text { .. }) => self.text(at),
                _ => {}
            }
        }
        self.finish()
    }

    fn finish(mut self) -> FileFacts {
        let span = |fact: &Fact| (fact.span, fact.value);
        self.facts.sort_by_key(span);
        asks_for_order(self.tokens.text, &mut self.facts);
        let flow = match self.syntax {
            Syntax::Cpp => self.order(),
            Syntax::Rust => Flow::default(),
        };
        let mut comments = remark::comments(self.tokens.text, &["//", "/*"]);
        for comment in &mut comments {
            comment.covers = self.statement(comment.covers);
        }
        FileFacts {
            facts: self.facts,
            environment_is_given: true,
            scopes: Scopes::new(self.scopes),
            flow,
            first_error: self.tokens.errors().first().copied(),
            errors: self.tokens.errors().len(),
            comments,
            ..FileFacts::default()
        }
    }

    fn bracket(&mut self, open: usize, environment: Environment) {
        if let Some(path) = Path::before(&self.tokens, open, self.syntax) {
            if self.tokens.is_open(open, b'(') {
                environment(self, &path, open);
            }
            self.call(&path, open);
            self.initialised(&path, open);
        }
        self.pair(open);
    }

    /// Names whose value is put where a card stands: `setDevice(d->deviceId)`.
    fn note_used(&mut self) {
        for open in 0..self.tokens.len() {
            if !matches!(self.tokens.kind(open), Some(Kind::Open(b'(' | b'{'))) {
                continue;
            }
            let Some(path) = Path::before(&self.tokens, open, self.syntax) else {
                continue;
            };
            let Some(row) = self.row(&path) else {
                continue;
            };
            let pieces = self.tokens.pieces(open);
            for (place, _) in row.arguments {
                let last = pieces.get(*place).and_then(|(_, end)| end.checked_sub(1));
                if let Some(name) = last.and_then(|at| self.tokens.word(at)) {
                    self.used.entry(name).or_default().push(open);
                }
            }
        }
    }

    /// The functions around blocks, the outer ones first.
    fn note_functions(&mut self) {
        for block in 0..self.tokens.len() {
            if !self.tokens.is_open(block, b'{') {
                continue;
            }
            let outer = self
                .block_around(block)
                .and_then(|outer| self.functions.get(&outer));
            if let Some(outer) = outer {
                // Rust's `unsafe` is no branch.
                let before = block.checked_sub(1).and_then(|at| self.tokens.word(at));
                let inner = Function {
                    is_own: outer.is_own && self.syntax == Syntax::Rust && before == Some("unsafe"),
                    ..*outer
                };
                self.functions.insert(block, inner);
            } else if let Some(parameters) = parameters_before(&self.tokens, block)
                && let Some(name) = parameters
                    .checked_sub(1)
                    .and_then(|at| self.tokens.word(at))
            {
                let function = Function {
                    is_first: ["main", "wmain", "WinMain"].contains(&name),
                    is_own: true,
                };
                self.functions.insert(block, function);
            }
        }
    }

    fn block_around(&self, at: usize) -> Option<usize> {
        let mut around = self.tokens.around(at)?;
        for _ in 0..16 {
            if self.tokens.is_open(around, b'{') {
                return Some(around);
            }
            around = self.tokens.around(around)?;
        }
        None
    }

    /// Whether a block is a function's own.
    pub(super) fn is_function(&self, block: usize) -> bool {
        let function = self.functions.get(&block);
        function.is_some_and(|function| function.is_own)
    }

    /// The innermost block around a token, with its braces.
    pub(in crate::scan::language) fn block_span(&self, at: usize) -> Option<Span> {
        let block = self.block_around(at)?;
        Some(self.tokens.span(block, self.tokens.close_of(block)))
    }

    /// When the code at a token runs.
    pub(in crate::scan::language) fn when(&self, at: usize) -> When {
        let function = self
            .block_around(at)
            .and_then(|block| self.functions.get(&block));
        match function {
            None => When::Loading,
            Some(function) if !function.is_first => When::Called,
            Some(function) if function.is_own => When::Loading,
            Some(_) => When::Branch,
        }
    }

    /// The row of what is called, by the full path that the file's imports give it.
    pub(super) fn row(&self, path: &Path<'t>) -> Option<&'static catalogue::NativeCall> {
        let native = match self.syntax {
            Syntax::Cpp => Native::Cpp,
            Syntax::Rust => Native::Rust,
        };
        native.called(path.name())?;
        if let Some(row) = native.call(&path.words, path.is_method) {
            return Some(row);
        }
        if path.is_method {
            return None;
        }
        let full = self.imports.full(path);
        full.iter().find_map(|words| native.call(words, false))
    }

    /// The path by its full name, where it was brought in by name.
    pub(in crate::scan::language) fn full_path(&self, path: &Path<'t>) -> Vec<&'t str> {
        let full = path
            .words
            .first()
            .and_then(|first| self.imports.named(first));
        match full {
            Some(full) if !path.is_method => full
                .iter()
                .chain(path.words.iter().skip(1))
                .copied()
                .collect(),
            _ => path.words.clone(),
        }
    }

    /// What the tokens from one to another say.
    pub(in crate::scan::language) fn said(&self, first: usize, end: usize) -> Said {
        self.said_within(first, end, true)
    }

    fn said_within(&self, first: usize, end: usize, follow: bool) -> Said {
        let (mut first, mut end) = self.unwrapped(first, end);
        // `.name = 1`, `1 as usize`, `&x`, `(T)x`.
        if end >= first + 3 && self.tokens.word(end - 2) == Some("as") {
            end -= 2;
        }
        if self.tokens.is_open(first, b'(') && end > self.tokens.close_of(first) + 1 {
            first = self.tokens.close_of(first) + 1;
        }
        if let Some(content) = content(&self.tokens, first, end) {
            return Said::Text(Box::new(content), follow);
        }
        let last = end.wrapping_sub(1);
        match self.tokens.kind(last) {
            Some(Kind::Number) if end == first + 1 => match number(self.tokens.written(first)) {
                Some(value) => Said::Number(value, follow.then(|| self.tokens.span(first, first))),
                None => Said::Dynamic,
            },
            Some(Kind::Word) if follow => self.followed(first, last),
            _ => Said::Dynamic,
        }
    }

    /// What stands in `TEXT("…")` and `const_cast<char*>("…")`, which say nothing of their own.
    fn unwrapped(&self, first: usize, end: usize) -> (usize, usize) {
        const TEXTS: &[&str] = &["TEXT", "_T", "_TEXT", "__T"];
        const CASTS: &[&str] = &["const_cast", "reinterpret_cast", "static_cast"];
        /// Types are shorter, and nobody wraps a literal more often.
        const LONGEST_TYPE: usize = 10;
        const MOST: usize = 4;
        let (mut first, mut end) = (first, end);
        for _ in 0..MOST {
            let last = end.wrapping_sub(1);
            let open = self.tokens.open_of(last);
            let Some(open) = open.filter(|open| self.tokens.is_open(*open, b'(')) else {
                break;
            };
            let is_wrapped = self.tokens.word(first).is_some_and(|name| {
                (TEXTS.contains(&name) && open == first + 1)
                    || (CASTS.contains(&name) && (first + 3..first + LONGEST_TYPE).contains(&open))
            });
            if !is_wrapped {
                break;
            }
            (first, end) = (open + 1, last);
        }
        (first, end)
    }

    /// What a name holds, alone or at the end of a path.
    fn followed(&self, first: usize, last: usize) -> Said {
        let name = self.tokens.written(last);
        let held = if first == last {
            self.constants.held(&self.tokens, last, name)
        } else if last >= first + 3 && self.tokens.are_signs(last - 2, [b':', b':']) {
            self.constants.fixed(name)
        } else {
            None
        };
        match held {
            Some(Held::These(from, to)) => self.said_within(from, to, false),
            _ => Said::Dynamic,
        }
    }

    /// The elements of a list in brackets, or of a name that holds one.
    pub(super) fn elements(&self, first: usize, end: usize) -> Option<Vec<(usize, usize)>> {
        let mut first = first;
        if self.tokens.is_sign(first, b'&') {
            first += 1;
        }
        // `vec![…]`
        if self.tokens.word(first) == Some("vec") && self.tokens.is_sign(first + 1, b'!') {
            first += 2;
        }
        if self.tokens.word(first).is_some()
            && end == first + 1
            && let Some(Held::These(from, _)) =
                self.constants
                    .held(&self.tokens, first, self.tokens.written(first))
        {
            first = from;
        }
        matches!(self.tokens.kind(first), Some(Kind::Open(b'{' | b'[')))
            .then(|| self.tokens.pieces(first))
    }

    pub(in crate::scan::language) fn fact(
        &mut self,
        at: usize,
        span: Span,
        (value, api): (Option<Span>, &'static str),
        kind: FactKind,
    ) {
        let when = self.when(at);
        self.facts.push(Fact {
            span,
            value,
            api,
            when,
            kind,
        });
    }

    /// A variable that is set or removed.
    pub(in crate::scan::language) fn variable(
        &mut self,
        at: usize,
        (span, api): (Span, &'static str),
        (name, value): (&str, Option<Said>),
        (how, whose): (HowSet, Whose),
    ) {
        if !catalogue::is_of_interest(name) {
            return;
        }
        let (literal, value) = match value {
            None => (None, Value::Absent),
            Some(Said::Text(content, is_here)) => {
                let literal = content.verbatim.filter(|_| is_here);
                (literal, Value::Known(content.text().to_owned()))
            }
            Some(Said::Number(..) | Said::Dynamic) => (None, Value::Dynamic),
        };
        let write = VariableWrite {
            name: name.to_owned(),
            value,
            how,
            whose,
            one_of_several: false,
        };
        self.fact(at, span, (literal, api), FactKind::SetVariable(write));
    }

    /// Facts of a program that is started, with an environment of its own.
    pub(in crate::scan::language) fn program(&mut self, facts: Vec<Fact>, scope: Span) {
        if !facts.is_empty() {
            self.scope(scope);
            self.facts.extend(facts);
        }
    }

    /// A piece with an environment of its own.
    pub(in crate::scan::language) fn scope(&mut self, scope: Span) {
        self.scopes.push(scope);
    }

    /// The statement that some code belongs to.
    fn statement(&self, code: Span) -> Span {
        if code.start >= code.end {
            return code;
        }
        let first = self.tokens.at_or_behind(code.start);
        let last = self.tokens.at_or_behind(code.end).saturating_sub(1);
        if last < first {
            return code;
        }
        let start = self.tokens.statement_start(first);
        let end = self.tokens.statement_end(last);
        code_around(code, self.tokens.span(start, end))
    }
}

/// The smallest piece that holds two.
fn code_around(one: Span, two: Span) -> Span {
    Span::new(one.start.min(two.start), one.end.max(two.end))
}
