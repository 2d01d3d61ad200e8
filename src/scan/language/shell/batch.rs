//! cmd's batch files: `set NAME=value`, where blanks and quotes become part of the value.

mod parentheses;

use super::setx::upper;
use super::{prefix, setx};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, Fact, FileFacts, Whose};
use crate::scan::language::command::{Reference, Setting, Simple, Step, Word, steps};
use crate::scan::language::file_name::has_extension;
use crate::scan::language::{Language, ReaderFailed, clue, in_place, plain_words};
use crate::scan::remedy::{Wish, Written};
use crate::text::{Edit, Span};

pub(in crate::scan::language) const BATCH: Language = Language {
    name: "batch",
    claims: |path, _| is_batch(path),
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: plain_words,
};

fn is_batch(path: &RepoPath) -> bool {
    has_extension(path, &["bat", "cmd"])
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let mut reader = Reader {
        text,
        at: 0,
        steps: Vec::new(),
        parentheses: 0,
        in_branch: false,
    };
    while reader.at < text.len() {
        reader.command();
    }
    tidy_up(&mut reader.steps);
    let mut found = steps(&reader.steps, text);
    found.first_error = parentheses::unclosed(text);
    let signs = ["::", "rem", "REM", "Rem", "@rem", "@REM"];
    Ok(super::facts_of(text, found, detail, &signs))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    steps: Vec<Step>,
    /// Blocks that are open.
    parentheses: usize,
    /// Whether the variable that is read is set under a condition.
    in_branch: bool,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self) {
        self.at += self.peek().map_or(1, char::len_utf8);
    }

    fn skip_line(&mut self) {
        self.at += self
            .rest()
            .find('\n')
            .map_or(self.rest().len(), |end| end + 1);
    }

    /// One command, up to what separates it from the next.
    fn command(&mut self) {
        while self.peek().is_some_and(|c| " \t\r\n@;,&|".contains(c)) {
            self.advance();
        }
        if self.rest().starts_with(':') {
            self.skip_line();
            return;
        }
        let start = self.at;
        let mut words: Vec<Word> = Vec::new();
        loop {
            while self.peek().is_some_and(|c| " \t\r".contains(c)) || self.joins_lines() {
                if self.joins_lines() {
                    self.skip_line();
                } else {
                    self.advance();
                }
            }
            let Some(c) = self.peek() else { break };
            match c {
                '\n' | '&' | '|' => {
                    self.advance();
                    break;
                }
                '(' => {
                    self.advance();
                    self.parentheses += 1;
                    break;
                }
                ')' if self.parentheses > 0 => {
                    self.advance();
                    self.parentheses -= 1;
                    break;
                }
                '<' | '>' => {
                    self.advance();
                    while self.peek().is_some_and(|c| " >&".contains(c)) {
                        self.advance();
                    }
                    self.word();
                    continue;
                }
                _ => {}
            }
            let word = self.word();
            let is = |name: &str| word.text.eq_ignore_ascii_case(name);
            let begins = words.is_empty()
                || words.first().is_some_and(|first| {
                    ["if", "for", "else", "do", "call"]
                        .iter()
                        .any(|name| first.text.eq_ignore_ascii_case(name))
                });
            if begins && is("rem") {
                self.skip_line();
                return;
            }
            if begins && is("set") {
                let asks = |word: &Word| {
                    ["if", "else", "for"]
                        .iter()
                        .any(|name| word.text.eq_ignore_ascii_case(name))
                };
                self.in_branch = self.parentheses > 0 || words.first().is_some_and(asks);
                self.set(word.span.start);
                return;
            }
            words.push(word);
        }
        self.start(&words, start);
    }

    /// Whether a `^` stands before the line end.
    fn joins_lines(&self) -> bool {
        self.rest().starts_with("^\n") || self.rest().starts_with("^\r\n")
    }

    fn word(&mut self) -> Word {
        let start = self.at;
        let mut word = Word::bare("", start);
        let mut quotes: Option<(usize, bool)> = None;
        while let Some(c) = self.peek() {
            let at = self.at;
            match c {
                '\n' => break,
                '"' => {
                    match quotes.take() {
                        Some((from, true)) => word.quoted = Some(Span::new(from, at)),
                        Some(_) => {}
                        None => {
                            quotes = Some((at + 1, word.plain));
                            word.quoted = None;
                        }
                    }
                    word.plain = false;
                    self.advance();
                    continue;
                }
                _ if quotes.is_some() && c != '%' && c != '!' => word.text.push(c),
                ' ' | '\t' | '\r' | '&' | '|' | '<' | '>' => break,
                '(' | ')' if self.parentheses > 0 || c == '(' => break,
                '^' => {
                    self.advance();
                    word.plain = false;
                    word.quoted = None;
                    word.text.extend(self.peek());
                }
                '%' | '!' => {
                    self.variable(&mut word);
                    continue;
                }
                _ => {
                    word.quoted = None;
                    word.text.push(c);
                }
            }
            self.advance();
        }
        if self.at == start {
            self.advance();
        }
        word.span.end = self.at.min(self.text.len());
        word
    }

    /// `%NAME%`, `!NAME!`; `%1` and `%%g` are decided at run time.
    fn variable(&mut self, word: &mut Word) {
        let sign = self.peek().unwrap_or('%');
        let rest = &self.rest()[1..];
        let length = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
        let length = length.filter(|length| *length > 0 && rest[*length..].starts_with(sign));
        let Some(length) = length else {
            word.hide();
            word.text.push(sign);
            self.advance();
            return;
        };
        let at = word.text.len();
        word.text.push_str(&self.rest()[..length + 2]);
        word.references.push(Reference {
            at: Span::new(at, at + length + 2),
            name: upper(&rest[..length]),
            default: None,
            assigns: false,
            splits: true,
        });
        word.dynamic = true;
        self.at += length + 2;
    }

    /// Behind `set`: everything up to the end of the command is the value, blanks and quotes too.
    fn set(&mut self, start: usize) {
        let open = self.parentheses > 0;
        let mut in_quotes = false;
        let from = self.at;
        let mut end = from;
        for c in self.rest().chars() {
            match c {
                '\n' => break,
                '"' => in_quotes = !in_quotes,
                '&' | '|' | '<' | '>' if !in_quotes => break,
                ')' if open && !in_quotes => break,
                _ => {}
            }
            end += c.len_utf8();
        }
        self.at = end;
        let written = self.text.get(from..end).unwrap_or_default();
        let written = written.strip_suffix('\r').unwrap_or(written);
        let content = written.trim_start();
        let at = from + (written.len() - content.len());
        if content.starts_with('/') {
            // `set /p V=`, `set /a V=1+1`
            let name = content
                .split(['=', '"', ' '])
                .rfind(|part| !part.is_empty());
            let mut value = Word::bare("", at);
            value.hide();
            let name = content
                .split_once('=')
                .map_or(name, |(before, _)| before.split([' ', '"']).next_back());
            self.push_setting(Span::new(start, end), name.unwrap_or_default(), value);
            return;
        }
        let (content, at) = match content.strip_prefix('"') {
            Some(inside) => (
                inside.rfind('"').map_or(inside, |quote| &inside[..quote]),
                at + 1,
            ),
            None => (content, at),
        };
        let Some((name, value)) = content.split_once('=') else {
            return;
        };
        let value_at = at + name.len() + 1;
        let mut word = Self::value(value, value_at);
        // `set V=1 >nul`: without its last blank, the value would be the number of what is
        // redirected.
        if self.rest().starts_with(['>', '<']) && value_at + value.len() == end {
            word.plain = false;
        }
        let span = Span::new(start, value_at + value.len());
        self.push_setting(span, name, word);
    }

    fn value(value: &str, at: usize) -> Word {
        let mut inner = Reader {
            text: value,
            at: 0,
            steps: Vec::new(),
            parentheses: 0,
            in_branch: false,
        };
        let mut word = Word::bare("", at);
        while let Some(c) = inner.peek() {
            if c == '%' || c == '!' {
                inner.variable(&mut word);
            } else {
                word.text.push(c);
                inner.advance();
            }
        }
        word.span = Span::new(at, at + value.len());
        word
    }

    fn push_setting(&mut self, span: Span, name: &str, value: Word) {
        let is_removed = value.text.is_empty() && !value.dynamic;
        self.steps.push(Step::Export(Setting {
            span,
            name: upper(name),
            value: (!is_removed).then_some(value),
            is_emptied: is_removed,
            in_branch: self.in_branch,
        }));
    }

    /// A program, behind conditions and what only starts it.
    fn start(&mut self, words: &[Word], start: usize) {
        let words = behind_conditions(words).to_vec();
        let Some(first) = words.first() else { return };
        if first.text.eq_ignore_ascii_case("setx") {
            self.steps.extend(setx::kept(&words));
            return;
        }
        let end = words.last().map_or(start, |word| word.span.end);
        self.steps.push(Step::Start(Simple {
            span: Span::new(start.min(end), end),
            words,
            input: None,
        }));
    }
}

/// The command behind `if …`, `for … do`, `else`, `call` and `start "title" /b`.
fn behind_conditions(mut words: &[Word]) -> &[Word] {
    while let Some((first, behind)) = words.split_first() {
        let is = |word: &Word, name: &str| word.text.eq_ignore_ascii_case(name);
        let skipped = match first.text.to_ascii_lowercase().as_str() {
            "else" | "do" | "call" | "@call" => 0,
            "for" => behind
                .iter()
                .position(|word| is(word, "do"))
                .map_or(behind.len(), |at| at + 1),
            "start" => behind
                .iter()
                .take_while(|word| word.text.starts_with('/') || !word.plain)
                .count(),
            "if" => {
                let options = behind
                    .iter()
                    .take_while(|word| is(word, "/i") || is(word, "not"))
                    .count();
                let condition = behind.get(options..).unwrap_or_default();
                options
                    + match condition {
                        [kind, ..]
                            if ["exist", "defined", "errorlevel"]
                                .iter()
                                .any(|name| is(kind, name)) =>
                        {
                            2
                        }
                        [whole, ..]
                            if whole.text.contains("==")
                                && whole.text.len() > 2
                                && !whole.text.ends_with("==") =>
                        {
                            1
                        }
                        _ => 3,
                    }
            }
            _ => return words,
        };
        words = behind.get(skipped..).unwrap_or_default();
    }
    words
}

/// What empties a variable behind the last program only tidies up.
fn tidy_up(steps: &mut [Step]) {
    for step in steps.iter_mut().rev() {
        match step {
            Step::Start(command) if !only_speaks(command) => return,
            Step::Export(setting) => setting.is_emptied = false,
            _ => {}
        }
    }
}

fn only_speaks(command: &Simple) -> bool {
    command.words.first().is_some_and(|first| {
        ["echo", "endlocal", "exit", "goto", "pause", "popd"]
            .iter()
            .any(|name| first.text.eq_ignore_ascii_case(name))
    })
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: true,
    };
    in_place::edits(text, facts, wishes, style)
}

/// `set "NAME=value"` where the line has such quotes, else `set NAME=value`.
fn beside(text: &str, _: &FileFacts, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    let written = text.get(fact.span.start..fact.span.end)?;
    let quoted = written.contains('"');
    match prefix::whose(fact)? {
        Whose::Own | Whose::Nobody if written.get(..4)?.eq_ignore_ascii_case("set ") => {
            let quote = if quoted { "\"" } else { "" };
            let set = &written[..3];
            prefix::above(text, fact, &format!("{set} {quote}{name}={value}{quote}"))
        }
        _ => None,
    }
}
