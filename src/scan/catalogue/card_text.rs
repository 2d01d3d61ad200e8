//! Texts that name a card wherever they stand: `"cuda:1"` of `PyTorch`, and `"gpu:1"` or
//! `"/GPU:1"` of `TensorFlow`, Paddle and others.

use super::form::{DeviceText, Form, cuda_text};

/// Reads a whole text that names a card.
pub fn card_text(text: &str) -> DeviceText {
    match cuda_text(text) {
        DeviceText::Other if names_gpu(text) => match Form::GpuText.read(text) {
            indices @ DeviceText::Indices(_) => indices,
            _ => DeviceText::Other,
        },
        known => known,
    }
}

/// The card that the end of a text names, whose start is an address that only the running
/// program knows: `"/GPU:1"` behind the name of a job.
pub fn card_at_end(text: &str) -> Option<u32> {
    let (_, device) = text.rsplit_once('/')?;
    match card_text(device) {
        DeviceText::Indices(indices) if names_gpu(device) => indices.first().copied(),
        _ => None,
    }
}

/// The card that an environment variable of a program's own names: `DEVICE=cuda:1`. Under other
/// names, `gpu:1` may be a count.
pub fn card_of_variable(name: &str, value: &str) -> Option<u32> {
    /// From here on, `cuda:12` is a version.
    const MOST_CARDS: u32 = 9;
    let is_device = name.to_ascii_lowercase().contains("device") && !is_of_scheduler(name);
    if !is_device && !value.starts_with("cuda:") {
        return None;
    }
    match card_text(value) {
        DeviceText::Indices(indices) => {
            indices.first().copied().filter(|index| *index < MOST_CARDS)
        }
        _ => None,
    }
}

/// Whether what is stored under a name is a cluster's, where `gpu:1` is a number of cards
/// (Slurm's `gres`), or a kind of machine.
pub fn is_of_scheduler(name: &str) -> bool {
    const WORDS: &[&str] = &["accelerator", "constraint", "gres", "resource", "tres"];
    let is_word = |part: &str| WORDS.iter().any(|word| part.eq_ignore_ascii_case(word));
    name.split(['_', '-'])
        .any(|part| is_word(part) || is_word(part.trim_end_matches(['s', 'S'])))
}

fn names_gpu(text: &str) -> bool {
    text.ends_with(|last: char| last.is_ascii_digit())
        && (text.contains("gpu:") || text.contains("GPU:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_name_a_card_are_read_whole() {
        let one = DeviceText::Indices(vec![1]);
        for text in [
            "cuda:1",
            "gpu:1",
            "GPU:1",
            "/gpu:1",
            "/device:GPU:1",
            "/job:a/task:0/device:GPU:1",
        ] {
            assert_eq!(card_text(text), one, "{text}");
        }
        for text in [
            "gpu",
            "gpu:",
            "gpu:x",
            "GPU.1",
            "CUDA:1",
            "gpu:1 ",
            "a gpu:1",
            "xgpu:1",
            "gpus:1",
            "a/b/gpu:1",
            "/gpu:*",
            "gpu:v100:1",
            "gpu1",
        ] {
            assert_eq!(card_text(text), DeviceText::Other, "{text}");
        }
    }

    #[test]
    fn the_end_of_an_address_names_a_card() {
        assert_eq!(card_at_end("/GPU:1"), Some(1));
        assert_eq!(card_at_end("x/device:GPU:1"), Some(1));
        for text in ["GPU:1", "/cuda:1", "/gpu", "/gpu:1/", "/CPU:1"] {
            assert_eq!(card_at_end(text), None, "{text}");
        }
    }

    #[test]
    fn a_variable_names_a_card() {
        for (name, value, expected) in [
            ("DEVICE", "cuda:1", Some(1)),
            ("MODEL", "cuda:0", Some(0)),
            ("TORCH_DEVICE", "gpu:1", Some(1)),
            ("GRES", "gpu:1", None),
            ("GRES_DEVICE", "gpu:1", None),
            ("IMAGE", "cuda:12", None),
            ("DEVICE", "cuda", None),
            ("DEVICE", "1", None),
        ] {
            assert_eq!(card_of_variable(name, value), expected, "{name}={value}");
        }
    }

    #[test]
    fn a_scheduler_counts_cards() {
        for name in [
            "gres",
            "slurm_gres",
            "tres_per_node",
            "resources",
            "accelerators",
        ] {
            assert!(is_of_scheduler(name), "{name}");
        }
        for name in ["device", "ps_device", "progress", "gpu"] {
            assert!(!is_of_scheduler(name), "{name}");
        }
    }
}
