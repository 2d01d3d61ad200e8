//! `PowerShell`'s text as steps: words, quotes, comments, and the writes of variables.
//!
//! No grammar: what is asked of a script is which literals stand where, and its lines tell that.

use super::super::setx::{kept, upper};
use super::start_process::started;
use super::word::variable_name;
use crate::scan::catalogue;
use crate::scan::language::command::{Input, Setting, Simple, Step, Word};
use crate::text::Span;

/// Reads a text; linear in it. Also where something begins that has no end.
pub(super) fn read(text: &str) -> (Vec<Step>, Option<usize>) {
    let mut reader = Reader::new(text);
    reader.read();
    (reader.steps, reader.unclosed)
}

pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    words: Vec<Word>,
    /// A text that is handed to the next command: `@'…'@ | python -`.
    input: Option<Word>,
    steps: Vec<Step>,
    pub(super) unclosed: Option<usize>,
    /// The open braces: whether each holds what may not run.
    blocks: Vec<bool>,
    /// The same of the one that opens next, once its keyword was there.
    next_block: Option<bool>,
}

/// Keywords of blocks that may not run, and of others that do.
const BRANCHES: &[&str] = &[
    "catch", "else", "elseif", "for", "foreach", "if", "switch", "while",
];
const OTHER_BLOCKS: &[&str] = &["do", "filter", "finally", "function", "try"];

/// Characters that end a word, and a command.
pub(super) const SEPARATORS: &str = "\n;|{}()";

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            words: Vec::new(),
            input: None,
            steps: Vec::new(),
            unclosed: None,
            blocks: Vec::new(),
            next_block: None,
        }
    }

    /// A brace, behind the keyword of its block.
    fn brace(&mut self, c: char) {
        if c == '{' {
            self.blocks.push(self.next_block.take().unwrap_or(false));
        } else if c == '}' {
            self.blocks.pop();
        }
    }

    fn keyword(&mut self, word: &str) {
        if BRANCHES.contains(&word) {
            self.next_block = Some(true);
        } else if OTHER_BLOCKS.contains(&word) {
            self.next_block = Some(false);
        }
    }

    fn in_branch(&self) -> bool {
        self.blocks.contains(&true)
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn advance(&mut self) {
        self.at += self.peek().map_or(1, char::len_utf8);
    }

    pub(super) fn skip_line(&mut self) {
        let rest = self.rest();
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    pub(super) fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\u{feff}']).len();
            self.at += blank;
            if self.rest().starts_with("`\n") {
                self.at += 2;
            } else if self.rest().starts_with("`\r\n") {
                self.at += 3;
            } else if self.rest().starts_with("<#") {
                self.past("#>");
            } else {
                return;
            }
        }
    }

    /// Behind the next place of a text.
    pub(super) fn past(&mut self, end: &str) {
        if let Some(at) = self.rest().find(end) {
            self.at += at + end.len();
        } else {
            self.unclosed.get_or_insert(self.at);
            self.at = self.text.len();
        }
    }

    fn read(&mut self) {
        while self.at < self.text.len() {
            self.skip_blanks();
            let Some(c) = self.peek() else { break };
            match c {
                '#' => self.skip_line(),
                '&' => {
                    // The operator that calls, or `&&`.
                    if !self.words.is_empty() {
                        self.end_command();
                    }
                    self.advance();
                }
                // What a list's elements are to a program: words.
                ',' => self.advance(),
                '(' if self.words.last().is_some_and(|word| word.text == "@") => {
                    self.words.pop();
                    self.advance();
                }
                '|' => {
                    self.end_piped();
                    self.advance();
                }
                _ if SEPARATORS.contains(c) => {
                    self.end_command();
                    self.brace(c);
                    self.advance();
                }
                '$' if self.words.is_empty() && self.assignment() => {}
                '>' => {
                    self.advance();
                    while self.peek().is_some_and(|c| ">&".contains(c)) {
                        self.advance();
                    }
                    self.skip_blanks();
                    self.word();
                }
                _ => {
                    let word = self.word();
                    let text = word.text.to_ascii_lowercase();
                    if text.ends_with("environment]::setenvironmentvariable")
                        && self.peek() == Some('(')
                    {
                        self.method(word.span.start);
                    } else {
                        if self.words.is_empty() {
                            self.keyword(&text);
                        }
                        self.words.push(word);
                    }
                }
            }
        }
        self.end_command();
    }

    /// `$env:V = "1"`, `${env:V} = 1`, `$name = 1`.
    fn assignment(&mut self) -> bool {
        let start = self.at;
        let rest = self.rest();
        let Some((name, length)) = variable_name(rest) else {
            return false;
        };
        let behind = &rest[length..];
        let sign = behind.trim_start_matches([' ', '\t']);
        let before_sign = length + (behind.len() - sign.len());
        let adds = sign.starts_with("+=");
        if !adds && (!sign.starts_with('=') || sign.starts_with("==")) {
            return false;
        }
        self.at += before_sign + if adds { 2 } else { 1 };
        self.skip_blanks();
        let from = self.at;
        let mut value = match self.peek() {
            Some(c) if SEPARATORS.contains(c) => Word::bare("", from),
            None => Word::bare("", from),
            _ => self.word(),
        };
        let end = value.span.end;
        // More than one word is an expression.
        let resumed = self.at;
        self.skip_blanks();
        let is_whole = end > from
            && self
                .peek()
                .is_none_or(|c| "\n;}#".contains(c) || (c == ')' && self.steps.is_empty()));
        self.at = resumed;
        if adds || !is_whole {
            value.hide();
        }
        let value = without_type(value);
        let is_null = value.text.eq_ignore_ascii_case("$null") && is_whole;
        let is_empty = value.text.is_empty() && !value.dynamic;
        let span = Span::new(start, end);
        let environment = name
            .get(..4)
            .filter(|scope| scope.eq_ignore_ascii_case("env:"));
        let in_branch = self.in_branch();
        let setting = |name: String, value| Setting {
            span,
            name,
            value,
            is_emptied: is_empty && is_whole,
            in_branch,
        };
        self.steps.push(match environment {
            Some(_) => {
                let kept = (!is_null && !is_empty).then_some(value);
                Step::Export(setting(upper(&name[4..]), kept))
            }
            None => Step::Assign(setting(name.to_ascii_lowercase(), Some(value))),
        });
        // What follows may be a command: `$x = python a.py`.
        if !is_whole {
            self.at = from;
            if self.peek() == Some('$') {
                self.word();
            }
        }
        true
    }

    /// `[Environment]::SetEnvironmentVariable("V", "1", "User")`
    fn method(&mut self, start: usize) {
        self.advance();
        let mut arguments: Vec<Word> = Vec::new();
        let mut is_open = true;
        while is_open {
            self.skip_blanks();
            match self.peek() {
                None | Some('\n' | ';') => break,
                Some(')') => {
                    self.advance();
                    is_open = false;
                }
                Some(',') => self.advance(),
                Some('(') => {
                    self.advance();
                    let mut unknown = Word::bare("", self.at);
                    unknown.hide();
                    arguments.push(unknown);
                }
                Some(_) => arguments.push(self.word()),
            }
        }
        let [name, value, scope @ ..] = arguments.as_slice() else {
            return;
        };
        if name.dynamic {
            return;
        }
        let kept = scope.first().is_some_and(|scope| {
            let scope = scope.text.to_ascii_lowercase();
            scope.ends_with("user") || scope.ends_with("machine")
        });
        let is_removed =
            value.text.eq_ignore_ascii_case("$null") || (value.text.is_empty() && !value.dynamic);
        let setting = Setting {
            span: Span::new(start, self.at.max(start)),
            name: upper(&name.text),
            value: (!is_removed).then(|| value.clone()),
            is_emptied: value.text.is_empty(),
            in_branch: self.in_branch(),
        };
        self.steps.push(if kept {
            Step::Keep(setting)
        } else {
            Step::Export(setting)
        });
    }

    /// What stands in front of a pipe: a text by itself is the next command's input.
    fn end_piped(&mut self) {
        match self.words.as_slice() {
            [text] if is_text(self.text, text) => self.input = self.words.pop(),
            _ => self.end_command(),
        }
    }

    fn end_command(&mut self) {
        let words = std::mem::take(&mut self.words);
        let input = self.input.take().map(Input::Word);
        let (Some(first), Some(last)) = (words.first(), words.last()) else {
            return;
        };
        // A text by itself is no command: `"NAME=1" >> $env:GITHUB_ENV`.
        if let [text] = words.as_slice()
            && text.text.contains('=')
            && is_text(self.text, text)
        {
            return;
        }
        if let Some(own) = variable_of_set(&words) {
            self.steps.push(own);
            return;
        }
        if let Some(each) = self.loop_over(&words) {
            self.steps.push(each);
            return;
        }
        let span = Span::new(first.span.start, last.span.end);
        let mut step = item(&words, span).or_else(|| kept(&words));
        if let Some(Step::Export(setting)) = &mut step {
            setting.in_branch = self.in_branch();
        }
        self.steps.push(step.unwrap_or_else(|| {
            let words = started(self.text, &words).unwrap_or(words);
            Step::Start(Simple { words, span, input })
        }));
    }
}

impl Reader<'_> {
    /// `$name in 0,1` behind `foreach (`.
    fn loop_over(&self, words: &[Word]) -> Option<Step> {
        let Some(Step::Start(begun)) = self.steps.last() else {
            return None;
        };
        let [only] = begun.words.as_slice() else {
            return None;
        };
        let [name, r#in, listed @ ..] = words else {
            return None;
        };
        let [name] = name.references.as_slice() else {
            return None;
        };
        let is_loop =
            only.text.eq_ignore_ascii_case("foreach") && r#in.text.eq_ignore_ascii_case("in");
        let is_number = |part: &str| {
            part.bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
        };
        let mut values = Vec::new();
        for word in listed {
            if !word.plain {
                values.push(word.clone());
                continue;
            }
            for part in word.text.split(',') {
                // `0..3` is what a shell writes as `{0..3}`.
                let text = if part.contains("..") {
                    format!("{{{part}}}")
                } else {
                    part.to_owned()
                };
                let mut value = Word::bare(&text, word.span.start);
                // Other words are commands.
                if !is_number(part) || word.dynamic {
                    value.hide();
                }
                values.push(value);
            }
        }
        is_loop.then(|| Step::Each {
            name: name.name.clone(),
            values,
        })
    }
}

/// Whether a word is a text in quotes, and no program.
fn is_text(text: &str, word: &Word) -> bool {
    let written = text.get(word.span.start..word.span.end);
    written.is_some_and(|written| written.starts_with(['"', '\'', '@']))
}

/// `[string]0` is `0`.
fn without_type(value: Word) -> Word {
    let is_name = |c: char| c == '.' || c.is_ascii_alphanumeric();
    let inner = value
        .text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let Some((_, own)) = inner.filter(|(name, own)| {
        name.chars().all(is_name) && !own.is_empty() && !own.starts_with(':')
    }) else {
        return value;
    };
    let before = value.text.len() - own.len();
    let is_exact = value.plain && value.references.is_empty();
    Word {
        text: own.to_owned(),
        span: Span::new(
            value.span.start + if is_exact { before } else { 0 },
            value.span.end,
        ),
        dynamic: value.dynamic || !value.references.is_empty(),
        opaque: value.opaque || !value.references.is_empty(),
        plain: is_exact,
        quoted: value.quoted,
        ..Word::default()
    }
}

/// `set NAME=1`, as cmd has it: here it makes a variable whose name has a `=` in it.
fn variable_of_set(words: &[Word]) -> Option<Step> {
    let [set, word] = words else { return None };
    let (name, value) = word.text.split_once('=')?;
    if !set.text.eq_ignore_ascii_case("set") || !catalogue::is_of_interest(&upper(name)) {
        return None;
    }
    let at = (word.span.start + name.len() + 1).min(word.span.end);
    Some(Step::Assign(Setting {
        span: Span::new(set.span.start, word.span.end),
        name: name.to_ascii_lowercase(),
        value: Some(Word {
            text: value.to_owned(),
            span: Span::new(at, word.span.end),
            dynamic: word.dynamic,
            ..Word::default()
        }),
        is_emptied: false,
        in_branch: false,
    }))
}

/// `Set-Item Env:V 1`, `Remove-Item Env:V`
fn item(words: &[Word], span: Span) -> Option<Step> {
    let (first, rest) = words.split_first()?;
    let sets = match first.text.to_ascii_lowercase().as_str() {
        "set-item" | "new-item" | "si" | "ni" | "set-content" => true,
        "remove-item" | "ri" | "rm" | "del" | "clear-item" => false,
        _ => return None,
    };
    let after = |flag: &str| {
        let at = rest
            .iter()
            .position(|word| word.text.eq_ignore_ascii_case(flag))?;
        rest.get(at + 1)
    };
    // `-ItemType Variable` and such take a word.
    let plain: Vec<&Word> = rest
        .iter()
        .enumerate()
        .filter(|(at, word)| {
            !word.text.starts_with('-')
                && at.checked_sub(1).is_none_or(|before| {
                    !rest[before].text.starts_with('-')
                        || rest[before].text.eq_ignore_ascii_case("-force")
                })
        })
        .map(|(_, word)| word)
        .collect();
    let path = after("-path")
        .or_else(|| after("-literalpath"))
        .or_else(|| plain.first().copied())?;
    let start = path.text.get(..4)?;
    if !start.eq_ignore_ascii_case("env:") || path.dynamic {
        return None;
    }
    let name = upper(path.text[4..].trim_start_matches(['\\', '/']));
    let value = sets
        .then(|| after("-value").or_else(|| plain.get(1).copied()).cloned())
        .flatten();
    if sets && value.is_none() {
        return None;
    }
    let value = value.filter(|value| !value.text.is_empty() || value.dynamic);
    Some(Step::Export(Setting {
        span,
        name,
        is_emptied: sets && value.is_none(),
        in_branch: false,
        value,
    }))
}
