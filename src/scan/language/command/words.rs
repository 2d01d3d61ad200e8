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
    /// What stands inside its quotes, where it has one pair, up to its end, and no escapes.
    pub(in crate::scan::language) quoted: Option<Span>,
}

/// The simple commands of a text, each with its words. What is redirected, and comments, are
/// left out.
pub(super) fn simple_commands(text: &str) -> Vec<Vec<Word>> {
    let mut reader = Reader {
        characters: text.char_indices().peekable(),
        text,
        commands: Vec::new(),
        words: Vec::new(),
        word: None,
        redirected: false,
        document: None,
    };
    reader.read();
    reader.commands
}

struct Reader<'t> {
    characters: std::iter::Peekable<std::str::CharIndices<'t>>,
    text: &'t str,
    commands: Vec<Vec<Word>>,
    words: Vec<Word>,
    word: Option<Word>,
    /// Whether the next word is a file that something is redirected to.
    redirected: bool,
    /// The here-document that begins with the next line.
    document: Option<Span>,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some((at, c)) = self.characters.next() {
            match c {
                ' ' | '\t' | '\r' => self.end_word(at),
                '\n' | ';' | '|' | '&' | '(' | ')' => {
                    self.separator(at, c);
                    if c == '\n'
                        && let Some(document) = self.document.take()
                    {
                        self.skip_to(document.end);
                    }
                }
                '<' if self.here_document() => {}
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
        self.end_word(self.text.len());
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

    fn skip_to(&mut self, end: usize) {
        while self.characters.next_if(|(at, _)| *at < end).is_some() {}
    }

    /// Behind `<<EOF`, the lines up to one that is `EOF`: they are somebody's input, no commands.
    fn here_document(&mut self) -> bool {
        let text = self.text;
        let Some((at, '<')) = self.characters.peek().copied() else {
            return false;
        };
        let marked = &text[at + 1..];
        // `<<<` is followed by the input itself.
        if marked.starts_with('<') {
            return false;
        }
        let (line, documents) = marked.split_once('\n').unwrap_or((marked, ""));
        let mark_at = line.trim_start_matches('-').trim_start();
        let mark = mark_at
            .split([' ', '\t', ';', '|', '&', '>'])
            .next()
            .unwrap_or_default();
        let mark = mark.trim_matches(['"', '\'', '\\', '\r']);
        let is_end = |line: &&str| line.trim() == mark;
        let document: usize = documents
            .split_inclusive('\n')
            .take_while(|line| !is_end(line))
            .map(str::len)
            .sum();
        // The rest of the line goes on; of the document nothing is read.
        let from = text.len() - documents.len();
        self.document = Some(Span::new(from, from + document));
        let until = at + 1 + (line.len() - mark_at.len());
        self.skip_to(until);
        while self
            .characters
            .next_if(|(_, c)| !" \t\n;|&>".contains(*c))
            .is_some()
        {}
        true
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
        word.quoted = None;
        word.dynamic |= matches!(c, '$' | '`' | '*' | '?' | HOLE);
        word.text.push(c);
    }

    fn quoted(&mut self, at: usize) {
        let only = self.opens_quotes(at);
        while let Some((at, c)) = self.characters.next_if(|(_, c)| *c != '\'') {
            let word = self.word(at);
            word.dynamic |= c == HOLE;
            word.text.push(c);
        }
        self.closes_quotes(only.then_some(at + 1));
    }

    /// Whether what follows is the first pair of quotes in its word.
    fn opens_quotes(&mut self, at: usize) -> bool {
        let word = self.word(at);
        word.quoted = None;
        std::mem::replace(&mut word.plain, false)
    }

    fn closes_quotes(&mut self, start: Option<usize>) {
        let closed = self.characters.next();
        if let (Some((end, _)), Some(word)) = (closed, &mut self.word) {
            word.quoted = start.map(|start| Span::new(start, end));
        }
    }

    fn double_quoted(&mut self, at: usize) {
        let mut only = self.opens_quotes(at);
        while let Some((at, c)) = self.characters.next_if(|(_, c)| *c != '"') {
            let literal = (c == '\\')
                .then(|| self.characters.next_if(|(_, c)| "\"\\$`\n".contains(*c)))
                .flatten();
            only &= literal.is_none();
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
        self.closes_quotes(only.then_some(at + 1));
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
                word.quoted = None;
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
