//! What a step of a workflow writes into `$GITHUB_ENV`: variables for the steps that follow.
//!
//! Source of the format: "Workflow commands for GitHub Actions", environment files.

use super::variable;
use crate::scan::fact::Fact;

/// The file's name in every shell.
const FILE: &str = "GITHUB_ENV";

/// The variables that a script writes for later steps, by place.
pub(super) fn variables(code: &str) -> Vec<Fact> {
    let mut found = Vec::new();
    if !code.contains(FILE) {
        return found;
    }
    let mut start = 0;
    // Where the first command of a group stands, `{ …; } >> "$GITHUB_ENV"`.
    let mut group: Option<usize> = None;
    // The word that ends a here-document.
    let mut document: Option<String> = None;
    for line in code.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let bare = line.trim();
        if let Some(end) = &document {
            if bare == end {
                document = None;
            } else {
                found.extend(words(line, at));
            }
            continue;
        }
        if bare == "{" || bare == "(" {
            group = Some(start);
        }
        if line.contains(FILE) {
            if bare.starts_with(['}', ')'])
                && let Some(first) = group.take()
            {
                found.extend(words(code.get(first..at).unwrap_or_default(), first));
            }
            found.extend(words(line, at));
            document = end_of_document(line);
        }
    }
    found
}

/// The word behind `<<`, which ends a here-document. Without a blank before it, it begins a value of
/// several lines in the file.
fn end_of_document(line: &str) -> Option<String> {
    let behind = line.split(" <<").nth(1)?;
    let behind = behind.trim_start_matches('-').trim_start();
    let is_end = |c: char| c.is_whitespace() || ";|>&".contains(c);
    let word = behind.split(is_end).next()?;
    let word = word.trim_matches(['"', '\'', '\\']);
    (!word.is_empty()).then(|| word.to_owned())
}

/// Assignments among the words of `text`, which stands at `start`. A line end that `printf` or
/// `echo -e` writes ends a word too.
fn words(text: &str, start: usize) -> Vec<Fact> {
    let mut found = Vec::new();
    let is_end = |c: char| c.is_whitespace() || "\"';".contains(c);
    let mut at = start;
    for word in text.split(is_end) {
        let mut piece_at = at;
        for piece in word.split("\\n") {
            found.extend(variable::assigned(piece, piece_at));
            piece_at += piece.len() + "\\n".len();
        }
        at += word.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_for_later_steps_is_found_in_its_place() {
        for (code, expected) in [
            ("echo CUDA_VISIBLE_DEVICES=0 >> $GITHUB_ENV", &["0"][..]),
            (
                "printf 'A=1\\nCUDA_VISIBLE_DEVICES=1\\n' >> $GITHUB_ENV",
                &["1"],
            ),
            (
                "{\n echo CUDA_DEVICE_ORDER=PCI_BUS_ID\n echo CUDA_VISIBLE_DEVICES=0\n} >> $GITHUB_ENV",
                &["PCI_BUS_ID", "0"],
            ),
            ("{ echo CUDA_VISIBLE_DEVICES=0; } >> $GITHUB_ENV", &["0"]),
            (
                "cat <<-'EOF' >> $GITHUB_ENV\n CUDA_VISIBLE_DEVICES=0\nEOF\necho CUDA_VISIBLE_DEVICES=1",
                &["0"],
            ),
            ("echo CUDA_VISIBLE_DEVICES=0", &[]),
            (
                "{\n echo CUDA_VISIBLE_DEVICES=0\n}\necho A=1 >> $GITHUB_ENV",
                &[],
            ),
        ] {
            let found = variables(code);
            let values: Vec<&str> = found
                .iter()
                .filter_map(|fact| fact.value)
                .map(|value| &code[value.start..value.end])
                .collect();
            assert_eq!(values, expected, "{code}");
        }
    }
}
