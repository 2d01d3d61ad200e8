//! Code without what says nothing: layout, comments, the kind of quotes.

/// The same for the same code however it is wrapped, commented and quoted.
pub(super) fn plain(code: &str) -> String {
    let mut text = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(next) = rest.chars().next() {
        match next {
            '#' => rest = rest.find('\n').map_or("", |end| &rest[end..]),
            '"' | '\'' => {
                let triple = rest.starts_with("\"\"\"") || rest.starts_with("'''");
                let quote = &rest[..if triple { 3 } else { 1 }];
                let (inside, behind) = string(&rest[quote.len()..], quote);
                text.push('"');
                text.push_str(inside);
                text.push('"');
                rest = behind;
            }
            _ => {
                rest = &rest[next.len_utf8()..];
                match next {
                    ')' | ']' | '}' => {
                        // A comma before it is a matter of layout.
                        let length = text.trim_end_matches(',').len();
                        text.truncate(length);
                        text.push(next);
                    }
                    '\\' => {}
                    other if other.is_whitespace() => {}
                    other => text.push(other),
                }
            }
        }
    }
    text
}

/// The inside of a string that has just begun, and what is behind it.
fn string<'t>(text: &'t str, quote: &str) -> (&'t str, &'t str) {
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        if text[at..].starts_with(quote) {
            return (&text[..at], &text[at + quote.len()..]);
        }
        at += next.len_utf8();
        if next == '\\' {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn layout_comments_and_quotes_say_nothing() {
        let code = "f( 'a b', # no, 'not'\n   \"c\",\n)";
        assert_eq!(plain(code), "f(\"a b\",\"c\")");
        assert_eq!(plain("'''é''' \\\n + x"), "\"é\"+x");
        assert_eq!(plain(r"'it\'s' 'open"), r#""it\'s""open""#);
        assert_ne!(plain("'cuda:1'"), plain("'cuda:2'"));
        assert_eq!(plain("# only"), "");
    }
}
