//! Conditions of the preprocessor that hold, or do not, whatever is compiled for an NVIDIA card.

/// Names of macros are made of these words where they mean AMD's compiler or cards.
const AMD: &[&str] = &[
    "amd", "amdgpu", "hcc", "hip", "hipcc", "hipblas", "rocm", "roc",
];
/// And of one of these where they mean NVIDIA's too.
const NVIDIA: &[&str] = &["cuda", "cudacc", "nv", "nvcc", "nvidia"];
/// How deeply parentheses are followed.
const DEEPEST: u8 = 8;
/// Conditions that are longer are not decided.
const LONGEST: usize = 1024;

/// Whether a condition holds; `None` where that is not certain.
pub(super) fn holds(condition: &str) -> Option<bool> {
    if condition.len() > LONGEST {
        return None;
    }
    let end = ["//", "/*"]
        .iter()
        .filter_map(|sign| condition.find(sign))
        .min();
    any(&condition[..end.unwrap_or(condition.len())], DEEPEST)
}

/// Whether a macro is defined.
pub(super) fn is_defined(rest: &str) -> Option<bool> {
    let name = rest.trim_start();
    let end = name.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    is_amd(&name[..end.unwrap_or(name.len())]).then_some(false)
}

/// Whether a name means AMD, and nobody else.
pub(in crate::scan::language) fn is_amd(name: &str) -> bool {
    let has = |words: &[&str]| {
        name.split('_')
            .any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
    };
    has(AMD) && !has(NVIDIA)
}

fn any(condition: &str, deep: u8) -> Option<bool> {
    let mut known = Some(false);
    for part in split(condition, "||") {
        match all(part, deep) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => known = None,
        }
    }
    known
}

fn all(condition: &str, deep: u8) -> Option<bool> {
    let mut known = Some(true);
    for part in split(condition, "&&") {
        match one(part.trim(), deep) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}

fn one(condition: &str, deep: u8) -> Option<bool> {
    let deep = deep.checked_sub(1)?;
    if let Some(rest) = condition
        .strip_prefix('!')
        .filter(|rest| !rest.starts_with('='))
    {
        return one(rest.trim_start(), deep).map(|holds| !holds);
    }
    if let Some(rest) = condition.strip_prefix("defined")
        && rest.starts_with([' ', '\t', '('])
    {
        return is_defined(rest.trim_start_matches([' ', '\t', '(']));
    }
    match condition {
        "0" | "false" => return Some(false),
        "1" | "true" => return Some(true),
        _ => {}
    }
    if let Some(inside) = condition
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return any(inside, deep);
    }
    let is_name = condition
        .bytes()
        .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    (is_name && is_amd(condition)).then_some(false)
}

/// The parts of a condition between an operator that stands outside of parentheses.
fn split<'c>(condition: &'c str, operator: &str) -> Vec<&'c str> {
    let mut parts = Vec::new();
    let (mut open, mut start) = (0_i32, 0);
    for (at, byte) in condition.bytes().enumerate() {
        match byte {
            b'(' => open += 1,
            b')' => open -= 1,
            _ if open == 0
                && at >= start
                && condition.as_bytes()[at..].starts_with(operator.as_bytes()) =>
            {
                parts.push(&condition[start..at]);
                start = at + operator.len();
            }
            _ => {}
        }
    }
    parts.push(&condition[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_decided() {
        for (condition, expected) in [
            ("0", Some(false)),
            (" 1 // on", Some(true)),
            ("defined(USE_ROCM)", Some(false)),
            ("defined USE_ROCM", Some(false)),
            ("!defined(__HIP_PLATFORM_AMD__)", Some(true)),
            ("GGML_USE_HIP", Some(false)),
            ("defined(USE_ROCM) || defined(__HIPCC__)", Some(false)),
            ("defined(USE_ROCM) || defined(USE_CUDA)", None),
            ("(defined(USE_ROCM) && X > 1)", Some(false)),
            ("!(defined(USE_ROCM))", Some(true)),
            ("defined(CUDA_OR_HIP)", None),
            ("0 || X", None),
            ("X && 0", Some(false)),
            ("X == 0", None),
            ("HIP_VERSION >= 5", None),
            ("é(", None),
        ] {
            assert_eq!(holds(condition), expected, "{condition}");
        }
        assert_eq!(holds(&"(".repeat(100_000)), None);
        assert_eq!(holds(&"!".repeat(1000)), None);
    }
}
