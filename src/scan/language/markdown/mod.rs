//! Markdown: fences that say which language they are in, each read as a program of that language.
//!
//! A page shows code to people, so nothing in it is more than a warning. What a fence can not be
//! parsed as is no error of the page; one that could not be read at all is.

mod admonition;
mod component;
mod fence;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::file_name::has_extension;
use super::{Language, ReaderFailed, clue, in_place, within};
use crate::git::RepoPath;
use crate::scan::embedded::Embedded;
use crate::scan::fact::{COMMENT_PREFIX, Comment, Detail, Fact, FactKind, FileFacts, Whose};
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;
use crate::text::{Edit, Span};

pub(super) const MARKDOWN: Language = Language {
    name: "markdown",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    has_extension(path, &["md", "markdown", "mdx", "qmd", "rmd"])
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let mut page = Page {
        detail,
        ..Page::default()
    };
    page.read(&component::apart(text), DEEPEST);
    page.facts.sort_by_key(|fact| fact.span);
    page.comments.sort_by_key(|comment| comment.span);
    Ok(FileFacts {
        facts: page.facts,
        environment_is_given: true,
        for_people: true,
        scopes: Scopes::new(page.scopes),
        comments: page.comments,
        first_error: page.first_error,
        errors: page.errors,
        ..FileFacts::default()
    })
}

/// So many blocks of a page lie in one another.
const DEEPEST: u8 = 4;

/// A fence whose end was not seen yet.
struct Fence {
    language: &'static Language,
    info: String,
    code: Embedded,
}

#[derive(Default)]
struct Page {
    detail: Detail,
    facts: Vec<Fact>,
    scopes: Vec<Span>,
    comments: Vec<Comment>,
    /// Comments of the page that stand above the next fence.
    above: Vec<usize>,
    fence_seen: bool,
    first_error: Option<usize>,
    errors: usize,
}

impl Page {
    /// A page, or a block of one that is a page of its own.
    fn read(&mut self, own: &Embedded, deep: u8) {
        let text = own.code();
        let mut code: Option<Fence> = None;
        for (event, range) in Parser::new_ext(text, Options::empty()).into_offset_iter() {
            let span = Span::new(range.start, range.end);
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    code = fence::language(&info).map(|language| Fence {
                        language,
                        info: info.to_string(),
                        code: Embedded::default(),
                    });
                }
                Event::Text(piece) => {
                    if let Some(Fence { code, .. }) = &mut code {
                        match text.get(span.start..span.end) {
                            Some(written) if written == &*piece => own.copy_to(code, span),
                            _ => code.push(own.in_file(span), &piece),
                        }
                    }
                }
                Event::End(TagEnd::CodeBlock) => self.fence(code.take(), own.in_file(span)),
                Event::Html(_) | Event::InlineHtml(_) => self.comment(own, span),
                _ => {}
            }
        }
        // What no fence followed speaks of none in a block.
        self.above.clear();
        if let Some(deep) = deep.checked_sub(1) {
            for body in admonition::bodies(own) {
                self.read(&body, deep);
            }
        }
    }

    /// A fence, with its code if its language is known.
    fn fence(&mut self, code: Option<Fence>, span: Span) {
        self.fence_seen = true;
        for at in self.above.drain(..) {
            if let Some(comment) = self.comments.get_mut(at) {
                comment.covers = span;
            }
        }
        let Some(Fence {
            language,
            info,
            code,
        }) = code
        else {
            return;
        };
        let code = fence::without_options(&info, code);
        let code = fence::without_prompts(&fence::word(&info), code);
        let speaks = code.code().contains(COMMENT_PREFIX);
        let worth_reading = language.worth_reading(code.code());
        if !speaks && self.detail == Detail::Known && !worth_reading {
            return;
        }
        let Ok(read) = language.read(code.code(), self.detail) else {
            // Nothing of it was read, which has to be said; not of what nobody reads else.
            if speaks || worth_reading {
                self.errors += 1;
                self.first_error.get_or_insert(span.start);
            }
            return;
        };
        // A notebook's or page's places are not those of its text.
        if read.embedded.is_some() {
            return;
        }
        self.scopes.push(span);
        let inner = read.scopes.spans().map(|inner| code.in_file(inner));
        self.scopes.extend(inner);
        // Whether what is dynamic is listed decides nothing else.
        let counts = |fact: &Fact| worth_reading || fact.kind.is_dynamic();
        let facts = read.facts.into_iter().filter(counts);
        let facts = facts.filter_map(of_another);
        self.facts.extend(within::placed(facts.collect(), &code));
        for comment in read.comments {
            self.comments.push(Comment {
                span: code.in_file(comment.span),
                covers: code.in_file(comment.covers),
                heads_file: false,
                ..comment
            });
        }
    }

    /// `<!-- gpuguard: … -->`.
    fn comment(&mut self, page: &Embedded, span: Span) {
        let html = page.code().get(span.start..span.end).unwrap_or_default();
        for (at, _) in html.match_indices(COMMENT_PREFIX) {
            let before = html.get(..at).unwrap_or_default();
            if !before.trim_end().ends_with("<!--") {
                continue;
            }
            let words = html.get(at..).unwrap_or_default();
            let words = words.split("-->").next().unwrap_or_default();
            let words = words.lines().next().unwrap_or_default().trim_end();
            let start = span.start + at;
            let own = page.in_file(Span::new(start, start + words.len()));
            self.above.push(self.comments.len());
            self.comments.push(Comment {
                span: own,
                text: words.to_owned(),
                covers: Span::new(own.end, own.end),
                heads_file: !self.fence_seen,
            });
        }
    }
}

/// A fact of a program that is not the page: what it sets is its own.
fn of_another(mut fact: Fact) -> Option<Fact> {
    match &mut fact.kind {
        FactKind::StartsCuda(_) => return None,
        FactKind::SetVariable(write) if write.whose == Whose::Own => write.whose = Whose::Child,
        _ => {}
    }
    Some(fact)
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside: nothing,
        flags_are_words: false,
    };
    in_place::edits(text, facts, wishes, style)
}

/// What belongs beside a line of somebody's example, only its writer knows.
fn nothing(_: &str, _: &FileFacts, _: &Fact, _: (&str, &str)) -> Option<Edit> {
    None
}
