//! A shell command's text as simple commands and words: quotes and separators, no expansion.

use crate::text::Span;

/// Stands in a text for something that is decided at run time.
pub(in crate::scan::language) const HOLE: char = '\u{fffc}';

/// A word of a command, without its quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::scan::language) struct Word {
    pub(in crate::scan::language) text: String,
    pub(in crate::scan::language) span: Span,
    /// Whether something in it is decided at run time.
    pub(in crate::scan::language) dynamic: bool,
    /// Whether it stands in the text as it is: no quotes, no escapes.
    pub(in crate::scan::language) plain: bool,
}

/// The simple commands of a text, each with its words. What is redirected, and comments, are
/// left out.
pub(super) fn simple_commands(text: &str) -> Vec<Vec<Word>> {
    let mut reader = Reader {
        characters: text.char_indices().peekable(),
        length: text.len(),
        commands: Vec::new(),
        words: Vec::new(),
        word: None,
        redirected: false,
    };
    reader.read();
    reader.commands
}

struct Reader<'t> {
    characters: std::iter::Peekable<std::str::CharIndices<'t>>,
    length: usize,
    commands: Vec<Vec<Word>>,
    words: Vec<Word>,
    word: Option<Word>,
    /// Whether the next word is a file that something is redirected to.
    redirected: bool,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some((at, c)) = self.characters.next() {
            match c {
                ' ' | '\t' | '\r' => self.end_word(at),
                '\n' | ';' | '|' | '&' | '(' | ')' => self.separator(at, c),
                '<' | '>' => {
                    // `2>` has no word before it.
                    if self.word.as_ref().is_some_and(|word| {
                        word.plain && word.text.bytes().all(|byte| byte.is_ascii_digit())
                    }) {
                        self.word = None;
                    }
                    self.end_word(at);
                    self.redirected = true;
                }
                '#' if self.word.is_none() => {
                    while self.characters.next_if(|(_, c)| *c != '\n').is_some() {}
                }
                '\'' => self.quoted(at),
                '"' => self.double_quoted(at),
                '\\' => self.escaped(at),
                _ => self.add(at, c),
            }
        }
        self.end_word(self.length);
        self.end_command();
    }

    /// `;`, `&&`, `|`, a line end; but not the `&` of `2>&1`.
    fn separator(&mut self, at: usize, c: char) {
        if c == '&' && self.redirected && self.word.is_none() {
            return;
        }
        // `$(…)` is decided at run time, with all that stands in it.
        if c == '('
            && let Some(word) = &mut self.word
            && word.text.ends_with('$')
        {
            word.dynamic = true;
            self.skip_parentheses();
            return;
        }
        self.end_word(at);
        self.end_command();
    }

    fn skip_parentheses(&mut self) {
        let mut open = 1;
        for (_, c) in self.characters.by_ref() {
            match c {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if open == 0 {
                return;
            }
        }
    }

    fn word(&mut self, at: usize) -> &mut Word {
        self.word.get_or_insert_with(|| Word {
            span: Span::new(at, at),
            plain: true,
            ..Word::default()
        })
    }

    fn add(&mut self, at: usize, c: char) {
        let word = self.word(at);
        word.dynamic |= matches!(c, '$' | '`' | '*' | '?' | HOLE);
        word.text.push(c);
    }

    fn quoted(&mut self, at: usize) {
        self.word(at).plain = false;
        while let Some((at, c)) = self.characters.next_if(|(_, c)| *c != '\'') {
            let word = self.word(at);
            word.dynamic |= c == HOLE;
            word.text.push(c);
        }
        self.characters.next();
    }

    fn double_quoted(&mut self, at: usize) {
        self.word(at).plain = false;
        while let Some((at, c)) = self.characters.next_if(|(_, c)| *c != '"') {
            let literal = (c == '\\')
                .then(|| self.characters.next_if(|(_, c)| "\"\\$`\n".contains(*c)))
                .flatten();
            let word = self.word(at);
            match literal {
                Some((_, '\n')) => {}
                Some((_, c)) => word.text.push(c),
                None => {
                    word.dynamic |= matches!(c, '$' | '`' | HOLE);
                    word.text.push(c);
                }
            }
        }
        self.characters.next();
    }

    /// A backslash: before a line end it joins lines, else it makes a character itself. In a path
    /// of Windows it stays.
    fn escaped(&mut self, at: usize) {
        match self.characters.peek().copied() {
            Some((_, '\n')) => {
                self.characters.next();
            }
            Some((_, c)) if !c.is_alphanumeric() => {
                self.characters.next();
                let word = self.word(at);
                word.plain = false;
                word.text.push(c);
            }
            _ => self.add(at, '\\'),
        }
    }

    fn end_word(&mut self, at: usize) {
        if let Some(mut word) = self.word.take() {
            word.span.end = at;
            if !std::mem::take(&mut self.redirected) {
                self.words.push(word);
            }
        }
    }

    fn end_command(&mut self) {
        self.redirected = false;
        if !self.words.is_empty() {
            self.commands.push(std::mem::take(&mut self.words));
        }
    }
}
