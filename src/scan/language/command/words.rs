//! A shell's text as simple commands and words: quotes, separators, here-documents, and what the
//! `$` of a word refers to. Nothing is expanded here.

mod document;
mod dollar;
mod parentheses;
mod quote;
mod structure;
mod template;
mod word;

use super::follow;
use super::input::Input;
use super::{Dialect, LONGEST_VALUE};
use crate::scan::language::placeholder::is_filled_in;
use crate::text::Span;
use structure::Structure;

pub(in crate::scan::language) use word::Reference;
pub(in crate::scan::language) use word::{HOLE, Word};

/// A simple command: what stands between two separators.
#[derive(Clone, Debug, Default)]
pub(in crate::scan::language) struct Simple {
    /// Its words. What is redirected, and comments, are left out.
    pub(in crate::scan::language) words: Vec<Word>,
    /// From its first word to its last.
    pub(in crate::scan::language) span: Span,
    /// Its input, where the text has it.
    pub(in crate::scan::language) input: Option<Input>,
}

/// A text's commands.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// In the order in which they end: what a command is made of stands before it.
    pub(super) commands: Vec<Simple>,
    /// Where something begins that has no end, or not the one it should have.
    pub(super) unclosed: Option<usize>,
    /// What stands in parentheses, for a shell of its own.
    pub(super) subshells: Vec<Span>,
}

/// Reads a text; linear in it, and without recursion.
pub(super) fn read(text: &str, dialect: Dialect) -> Reading {
    let mut reader = Reader {
        characters: text.char_indices().peekable(),
        text,
        dialect,
        commands: Vec::new(),
        frame: Frame::default(),
        around: Vec::new(),
        documents: Vec::new(),
        pending: Vec::new(),
        unclosed: None,
        misplaced: None,
        subshells: Vec::new(),
    };
    reader.read();
    let unclosed = reader.unclosed.or(reader.misplaced);
    let unclosed = unclosed.filter(|_| structure::is_whole(text));
    let (documents, subshells) = (reader.documents, reader.subshells);
    let commands = reader.commands.into_iter().map(|(mut simple, document)| {
        if let Some(lines) = document.and_then(|at: usize| documents.get(at).copied().flatten()) {
            simple.input = Some(Input::Lines(lines));
        }
        simple
    });
    Reading {
        commands: commands.collect(),
        unclosed,
        subshells,
    }
}

struct Reader<'t> {
    characters: std::iter::Peekable<std::str::CharIndices<'t>>,
    text: &'t str,
    dialect: Dialect,
    /// Each with the number of its here-document.
    commands: Vec<(Simple, Option<usize>)>,
    /// What is being read: the whole text, or what stands in a `$(…)`.
    frame: Frame,
    /// The frames around it.
    around: Vec<Frame>,
    documents: Vec<Option<Span>>,
    /// The here-documents that begin with the next line: their numbers, and the lines that end
    /// them.
    pending: Vec<(usize, &'t str)>,
    /// Where a quote or the like begins that has no end.
    unclosed: Option<usize>,
    /// Where a block begins that has no end, or not before that of the block around it.
    misplaced: Option<usize>,
    subshells: Vec<Span>,
}

#[derive(Default)]
struct Frame {
    words: Vec<Word>,
    start: Option<usize>,
    word: Option<Word>,
    /// What the next word is, if not one of the command's.
    redirected: Option<Redirected>,
    /// The open double quotes.
    quotes: Option<Quotes>,
    document: Option<usize>,
    /// The text of a here-string.
    input: Option<Word>,
    /// The blocks that are open in it.
    structure: Structure,
    kind: Kind,
    /// Where it begins.
    at: usize,
}

/// What the word behind a redirection is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Redirected {
    File,
    /// `<<< text`
    Text,
}

#[derive(Clone, Copy)]
struct Quotes {
    at: usize,
    /// Whether they may be around the whole word.
    only: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Whole,
    /// `$(…)`, `<(…)`
    Substitution,
    /// Between backquotes.
    Backquotes,
    /// `name=(…)`
    Array,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some((at, c)) = self.characters.next() {
            if self.frame.quotes.is_some() {
                self.in_double_quotes(at, c);
            } else {
                self.bare(at, c);
            }
        }
        let end = self.text.len();
        self.end_word(end);
        if self.frame.kind != Kind::Array {
            self.end_command(end);
        }
        self.note_unclosed();
        while !self.around.is_empty() {
            self.end_word(end);
            self.close_frame(end);
        }
        self.end_word(end);
        self.end_command(end);
        let misplaced = self.frame.structure.unclosed();
        self.misplaced = self.misplaced.or(misplaced);
    }

    fn note_unclosed(&mut self) {
        let frames = self.around.iter().chain([&self.frame]);
        let open = frames.filter(|frame| frame.kind != Kind::Whole || frame.quotes.is_some());
        let first = open
            .map(|frame| match (frame.kind, frame.quotes) {
                (Kind::Whole, Some(quotes)) => quotes.at,
                _ => frame.at,
            })
            .min();
        self.unclosed = self.unclosed.or(first);
    }

    fn bare(&mut self, at: usize, c: char) {
        match c {
            '{' | '<' | '%' | '[' if self.template(at) => {}
            ' ' | '\t' | '\r' => self.end_word(at),
            '\n' => {
                self.end_word(at);
                if self.frame.kind != Kind::Array {
                    self.end_command(at);
                }
                self.skip_documents(at + 1);
            }
            // The `&` of `2>&1` and `&>log`.
            '&' if self.frame.redirected.is_some() && self.frame.word.is_none() => {}
            '&' if self.next_is('>') => self.end_word(at),
            ';' | '|' | '&' if self.frame.kind != Kind::Array => {
                self.end_word(at);
                self.end_command(at);
                if c == '|' {
                    self.pipe(at);
                } else if c == ';' && (self.next_is(';') || self.next_is('&')) {
                    self.frame.structure.next_arm();
                }
            }
            '(' => self.parenthesis(at),
            ')' => self.closing(at),
            '<' if self.dialect == Dialect::Posix && self.here_document() => {}
            '<' | '>' if self.next_is('(') => {
                self.characters.next();
                self.word(at).hide();
                self.open_frame(Kind::Substitution, at);
            }
            '<' if self.placeholder(at) => {}
            '<' | '>' => self.redirection(at, Redirected::File),
            '#' if self.frame.word.is_none() && !self.in_pattern(at) => {
                let in_backquotes = self.frame.kind == Kind::Backquotes;
                let goes_on = |c: char| c != '\n' && !(in_backquotes && c == '`');
                while self.characters.next_if(|(_, c)| goes_on(*c)).is_some() {}
            }
            '\'' => self.quoted(at),
            '"' => {
                let word = self.word(at);
                let only = word.plain;
                word.unquote();
                self.frame.quotes = Some(Quotes { at, only });
            }
            '\\' => self.escaped(at),
            '$' => self.dollar(at),
            '`' if self.dialect == Dialect::Posix => self.backquote(at),
            _ => {
                let word = self.word(at);
                word.quoted = None;
                if matches!(c, '*' | '?' | HOLE) {
                    word.hide();
                }
                word.text.push(c);
            }
        }
    }

    fn next_is(&mut self, expected: char) -> bool {
        self.characters.peek().is_some_and(|(_, c)| *c == expected)
    }

    /// `<model>`, for a word that the reader of a page is to fill in.
    fn placeholder(&mut self, at: usize) -> bool {
        let rest = self.text.get(at + 1..).unwrap_or_default();
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let behind = rest.get(length..).unwrap_or_default();
        let Some(behind) = behind.strip_prefix('>').filter(|_| length > 0) else {
            return false;
        };
        if !behind.is_empty() && !behind.starts_with([' ', '\t', '\r', '\n']) {
            return false;
        }
        let word = self.word(at);
        word.hide();
        word.plain = false;
        word.quoted = None;
        word.text.push(HOLE);
        self.skip_to(at + 1 + length + 1);
        true
    }

    /// `cat <<EOF | python`: who reads what `cat` only hands on.
    fn pipe(&mut self, at: usize) {
        let is_or =
            self.next_is('|') || self.text.get(..at).is_some_and(|text| text.ends_with('|'));
        if let Some((cat, document)) = self.commands.last_mut().filter(|_| !is_or)
            && cat.words.iter().map(|word| word.text.as_str()).eq(["cat"])
        {
            self.frame.document = document.take();
            self.frame.input = match cat.input.take() {
                Some(Input::Word(word)) => Some(word),
                _ => None,
            };
        }
    }

    fn redirection(&mut self, at: usize, redirected: Redirected) {
        // `2>` has no word before it.
        let is_number = |word: &Word| word.plain && word.text.bytes().all(|b| b.is_ascii_digit());
        if self.frame.word.as_ref().is_some_and(is_number) {
            self.frame.word = None;
        }
        self.end_word(at);
        self.frame.redirected = Some(redirected);
    }

    fn backquote(&mut self, at: usize) {
        if self.frame.kind == Kind::Backquotes && self.frame.quotes.is_none() {
            self.end_word(at);
            self.close_frame(at);
        } else {
            self.word(at).hide();
            self.open_frame(Kind::Backquotes, at);
        }
    }

    fn open_frame(&mut self, kind: Kind, at: usize) {
        let inner = Frame {
            kind,
            at,
            ..Frame::default()
        };
        self.around.push(std::mem::replace(&mut self.frame, inner));
    }

    /// Goes back to the word around a substitution, or whose list ends.
    fn close_frame(&mut self, at: usize) {
        let is_list = self.frame.kind == Kind::Array;
        if !is_list {
            self.end_command(at);
        }
        let Some(outer) = self.around.pop() else {
            return;
        };
        let inner = std::mem::replace(&mut self.frame, outer);
        self.misplaced = self.misplaced.or(inner.structure.unclosed());
        let found = (!is_list).then(|| self.printed()).flatten();
        let Some(word) = &mut self.frame.word else {
            return;
        };
        if is_list {
            word.plain = false;
            for (at, element) in inner.words.iter().enumerate() {
                if at > 0 {
                    word.text.push(' ');
                }
                word.text.push_str(&element.text);
                if element.dynamic {
                    word.hide();
                }
            }
        } else if let Some(found) = found.filter(|_| word.text.is_empty()) {
            *word = Word {
                text: found,
                span: word.span,
                ..Word::default()
            };
        } else {
            word.text.push(HOLE);
        }
    }

    /// What the last command prints: the program that `which torchrun` looks for, the numbers of
    /// `seq 0 1`.
    fn printed(&self) -> Option<String> {
        let (last, _) = self.commands.last()?;
        match last.words.as_slice() {
            [which, name] if which.text == "which" => Some(name.text.clone()),
            [command, dash_v, name] if command.text == "command" && dash_v.text == "-v" => {
                Some(name.text.clone())
            }
            [seq, numbers @ ..] if seq.text == "seq" => {
                let number = |word: &Word| word.text.parse::<i64>().ok().filter(|_| word.plain);
                let numbers: Vec<i64> = numbers.iter().map(number).collect::<Option<_>>()?;
                let printed = match numbers.as_slice() {
                    [last] => follow::numbers(1, 1, *last),
                    [first, last] => follow::numbers(*first, 1, *last),
                    [first, step, last] => follow::numbers(*first, *step, *last),
                    _ => None,
                };
                Some(printed?.join(" "))
            }
            _ => None,
        }
    }

    fn skip_to(&mut self, end: usize) {
        while self.characters.next_if(|(at, _)| *at < end).is_some() {}
    }

    fn word(&mut self, at: usize) -> &mut Word {
        self.frame.start.get_or_insert(at);
        self.frame.word.get_or_insert_with(|| Word::bare("", at))
    }

    fn end_word(&mut self, at: usize) {
        if let Some(mut word) = self.frame.word.take() {
            word.span.end = at;
            // A longer one is a text of its own, such as a script.
            if word.text.len() <= LONGEST_VALUE && is_filled_in(&word.text) {
                word.hide();
            }
            match self.frame.redirected.take() {
                None => self.frame.words.push(word),
                Some(Redirected::Text) => self.frame.input = Some(word),
                Some(Redirected::File) => {}
            }
        }
    }

    fn end_command(&mut self, at: usize) {
        self.frame.redirected = None;
        let start = self.frame.start.take();
        let document = self.frame.document.take();
        let input = self.frame.input.take();
        if !self.frame.words.is_empty() {
            let structure = &mut self.frame.structure;
            let misplaced = match self.dialect {
                Dialect::Posix => structure.command(&self.frame.words),
                Dialect::Fish => structure.command_of_fish(&self.frame.words),
            };
            self.misplaced = self.misplaced.or(misplaced);
            let words = std::mem::take(&mut self.frame.words);
            let start = start.unwrap_or(words[0].span.start);
            let simple = Simple {
                span: Span::new(start, at.max(start)),
                words,
                input: input.map(Input::Word),
            };
            self.commands.push((simple, document));
        }
    }
}
