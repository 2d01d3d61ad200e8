//! What programs are told where nothing could be judged (exit code 2): a document of their format
//! that says so. An empty file would be none, and a list without findings would read as a pass.

use super::{Format, github, gitlab, json, junit, sarif};

/// The document for `format`; nothing for formats that people read, who read stderr as well.
/// `reason` may have several lines.
pub fn unjudged(format: Format, reason: &str) -> Option<String> {
    let told = format!("gpuguard could not judge this code: {reason}");
    match format {
        Format::Human | Format::Concise => None,
        Format::Json => Some(json::unjudged(&told)),
        Format::Sarif => Some(sarif::unjudged(&told)),
        Format::Github => Some(github::unjudged(&told)),
        Format::Gitlab => Some(gitlab::unjudged(&told)),
        Format::Junit => Some(junit::unjudged(&told)),
    }
}
