//! Comments that are addressed to gpuguard, in languages whose comments are told by their first
//! sign and whose statements are lines.

use crate::scan::fact::{COMMENT_PREFIX, Comment};
use crate::text::Span;

/// The comments that begin with one of these signs and `gpuguard:`. One at the end of a line speaks
/// of this line; one that stands alone, of the next line of code, with those that continue it.
pub(super) fn comments(text: &str, signs: &[&str]) -> Vec<Comment> {
    let mut found: Vec<Comment> = Vec::new();
    if !text.contains(COMMENT_PREFIX) {
        return found;
    }
    // Those above the next line of code, and whether that line goes on.
    let mut above: Vec<usize> = Vec::new();
    let mut goes_on = false;
    let mut code_seen = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let own = Span::new(start, start + line.trim_end().len());
        start += line.len();
        let content = line.trim();
        let alone = signs.iter().any(|sign| content.starts_with(sign));
        if content.is_empty() || (alone && !goes_on) {
            if let Some(words) = addressed(line, own, signs) {
                above.push(found.len());
                found.push(comment(
                    text,
                    words,
                    Span::new(own.end, own.end),
                    !code_seen,
                ));
            }
            continue;
        }
        for at in &above {
            let covers = &mut found[*at].covers;
            covers.start = if goes_on { covers.start } else { own.start };
            covers.end = own.end;
        }
        code_seen = true;
        goes_on = content.ends_with(['\\', '`', '^']);
        if !goes_on {
            above.clear();
        }
        if let Some(words) = addressed(line, own, signs) {
            found.push(comment(
                text,
                words,
                Span::new(own.start, words.start),
                false,
            ));
        }
    }
    found
}

fn comment(text: &str, span: Span, covers: Span, heads_file: bool) -> Comment {
    Comment {
        span,
        text: text[span.start..span.end].to_owned(),
        covers,
        heads_file,
    }
}

/// The words behind a sign, where they are addressed to gpuguard.
fn addressed(line: &str, own: Span, signs: &[&str]) -> Option<Span> {
    line.match_indices(COMMENT_PREFIX).find_map(|(at, _)| {
        let before = line[..at].trim_end();
        let sign = signs.iter().find(|sign| before.ends_with(**sign))?;
        // `a#gpuguard:` is a word, not a comment.
        let ahead = &before[..before.len() - sign.len()];
        let stands_apart = ahead.is_empty() || ahead.ends_with(|c: char| !c.is_alphanumeric());
        let is_printed = is_in_quotes(ahead, &line[at..]);
        let words = line[at..own.end - own.start].trim_end_matches("*/");
        let words = words
            .trim_end_matches("-->")
            .trim_end_matches("#>")
            .trim_end();
        (stands_apart && !is_printed)
            .then(|| Span::new(own.start + at, own.start + at + words.len()))
    })
}

/// Whether quotes that are open behind `ahead` close in `rest`: `echo "# …"` prints its words.
fn is_in_quotes(ahead: &str, rest: &str) -> bool {
    let mut open: Option<char> = None;
    let mut last = ' ';
    let mut is_escaped = false;
    for c in ahead.chars() {
        match (c, open) {
            _ if is_escaped => is_escaped = false,
            ('\\', _) => is_escaped = true,
            ('"' | '\'' | '`', Some(quote)) if c == quote => open = None,
            // The apostrophe of a word opens nothing.
            ('\'', None) if last.is_alphanumeric() => {}
            ('"' | '\'' | '`', None) => open = Some(c),
            _ => {}
        }
        last = c;
    }
    open.is_some_and(|quote| rest.contains(quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each comment: its words, the code it speaks of, whether it heads the file.
    fn found(text: &str, signs: &[&str]) -> Vec<(String, String, bool)> {
        comments(text, signs)
            .into_iter()
            .map(|comment| {
                let covers = text[comment.covers.start..comment.covers.end].to_owned();
                (comment.text, covers, comment.heads_file)
            })
            .collect()
    }

    #[test]
    fn a_comment_speaks_of_its_line_or_the_next() {
        let text = "#!/bin/sh\n# gpuguard: allow-file[GG001] a\n\nx # gpuguard: allow[GG002] b\n\
                    # gpuguard: allow[GG003] c\n\n# other\ny \\\n  z\nw\n";
        let all = found(text, &["#"]);
        let expected = [
            (
                "gpuguard: allow-file[GG001] a",
                "x # gpuguard: allow[GG002] b",
                true,
            ),
            ("gpuguard: allow[GG002] b", "x # ", false),
            ("gpuguard: allow[GG003] c", "y \\\n  z", false),
        ];
        let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c));
        assert_eq!(all, expected);
    }

    #[test]
    fn other_signs_and_other_words_are_none() {
        assert_eq!(found("echo a#gpuguard: x\n", &["#"]), []);
        assert_eq!(found("x // gpuguard: allow[GG001] y\n", &["#"]), []);
        assert_eq!(
            found("x /* gpuguard: allow[GG001] y */\n", &["//", "/*"]).len(),
            1
        );
        for printed in [
            "echo \"# gpuguard: allow[GG001] y\"\n",
            "echo 'x' '# gpuguard: allow[GG001] y' > a\n",
            "x = \"a \\\" # gpuguard: allow[GG001] y\"\n",
        ] {
            assert_eq!(found(printed, &["#"]), [], "{printed}");
        }
        for comment in [
            "echo \"a\" # gpuguard: allow[GG001] it is \"y\"\n",
            "don't # gpuguard: allow[GG001] y\n",
            "echo \" # gpuguard: allow[GG001] y\n",
        ] {
            assert_eq!(found(comment, &["#"]).len(), 1, "{comment}");
        }
        let last = found("# gpuguard: allow[GG001] y", &["#"]);
        assert_eq!(last[0].1, "");
    }
}
