//! Names of settings that hold a number of cards, whatever program reads them.

/// A name, with underscores, and the label of its facts.
const COUNTS: &[(&str, &str)] = &[
    ("gpus_per_node", "gpus_per_node="),
    ("n_gpu", "n_gpu="),
    ("n_gpus", "n_gpus="),
    ("n_gpus_per_node", "n_gpus_per_node="),
    ("ngpus", "ngpus="),
    ("nproc_per_node", "torchrun"),
    ("num_gpu", "num_gpu="),
    ("num_gpus", "num_gpus="),
    ("num_gpus_per_node", "num_gpus_per_node="),
    ("tensor_parallel_size", "vllm"),
    // As a number; a list under this name has indices.
    ("gpus", "gpus="),
];

/// Words of a key around such a name: what is asked of a cluster or rented is no card of this
/// machine.
const ELSEWHERE: &[&str] = &[
    "cluster",
    "compute",
    "hardware",
    "instance",
    "machine",
    "pool",
    "requirements",
    "worker",
];

/// The label of a name that holds a number of cards, or none.
pub fn count(name: &str) -> Option<&'static str> {
    COUNTS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, label)| *label)
}

/// Whether what stands under a key is asked of another machine.
pub fn is_asked_elsewhere(key: &str) -> bool {
    key.split(['_', '-', '.']).any(|word| {
        let word = word.trim_end_matches('s');
        ELSEWHERE
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known.trim_end_matches('s')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_count() {
        assert_eq!(count("num_gpus"), Some("num_gpus="));
        assert_eq!(count("train_micro_batch_size_per_gpu"), None);
        assert_eq!(count("num_gpu_blocks"), None);
        assert!(is_asked_elsewhere("node_pools") && is_asked_elsewhere("Compute"));
        assert!(!is_asked_elsewhere("trainer"));
    }
}
