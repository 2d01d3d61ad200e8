//! Components of MDX: a fence directly below a tag such as `<TabItem>` is one there, whereas
//! `CommonMark` takes it for a part of the HTML.

use crate::scan::embedded::Embedded;
use crate::text::Span;

/// A page with an empty line between each tag that stands alone and the fence below it.
pub(super) fn apart(text: &str) -> Embedded {
    let mut page = Embedded::default();
    // The sign of the fence that is open, and how often it stands there.
    let mut open: Option<(char, usize)> = None;
    let mut is_below_tag = false;
    let mut done = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let sign = bare.chars().next().filter(|c| matches!(c, '`' | '~'));
        let count = sign.map_or(0, |sign| bare.chars().take_while(|c| *c == sign).count());
        let fence = sign.filter(|_| count >= 3).map(|sign| (sign, count));
        match (open, fence) {
            (None, Some(fence)) => {
                if is_below_tag {
                    page.push(Span::new(done, start), &text[done..start]);
                    page.push(Span::new(start, start), "\n");
                    done = start;
                }
                open = Some(fence);
            }
            (Some((sign, least)), Some((own, count)))
                if own == sign && count >= least && bare.len() == count =>
            {
                open = None;
            }
            _ => {}
        }
        is_below_tag = open.is_none()
            && bare.ends_with('>')
            && bare
                .strip_prefix('<')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
        start += line.len();
    }
    page.push(Span::new(done, text.len()), &text[done..]);
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_below_a_tag_gets_an_empty_line() {
        for (text, expected) in [
            (
                "<TabItem>\n```bash\na\n```\n</TabItem>\n",
                "<TabItem>\n\n```bash\na\n```\n</TabItem>\n",
            ),
            ("<A b=\"c\">\n~~~\na\n~~~", "<A b=\"c\">\n\n~~~\na\n~~~"),
            ("```html\n<a>\n```\nb", "```html\n<a>\n```\nb"),
            ("````\n<a>\n```\n````", "````\n<a>\n```\n````"),
            ("<!-- a -->\n```\na\n```", "<!-- a -->\n```\na\n```"),
            ("", ""),
        ] {
            assert_eq!(apart(text).code(), expected, "{text}");
        }
    }
}
