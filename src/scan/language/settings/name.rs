//! Keys: how they are spelt in one file and another, and what they can not hold.

/// A key as the catalogue writes names: `gpuId`, `gpu-id` and `GPU_ID` are `gpu_id`. Of a dotted
/// key, the last part.
pub(super) fn normal(key: &str) -> String {
    let own = key.rsplit('.').next().unwrap_or(key);
    let has_lower = own.contains(|c: char| c.is_ascii_lowercase());
    let mut name = String::with_capacity(own.len() + 2);
    let mut before_lower = false;
    for c in own.trim_start_matches('-').chars() {
        if c == '-' || c == ' ' {
            name.push('_');
        } else {
            if has_lower && before_lower && c.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        }
        before_lower = c.is_ascii_lowercase();
    }
    name
}

/// Words for people, names of images and versions: nothing in them selects a card.
const PROSE: &[&str] = &[
    "about",
    "alias",
    "aliases",
    "answer",
    "base_image",
    "body",
    "caption",
    "changelog",
    "choices",
    "comment",
    "comments",
    "const",
    "content",
    "deprecated",
    "desc",
    "description",
    "doc",
    "docs",
    "documentation",
    "enum",
    "error",
    "example",
    "examples",
    "from",
    "help",
    "hint",
    "id",
    "image",
    "image_tag",
    "images",
    "info",
    "key",
    "keywords",
    "label",
    "labels",
    "license",
    "link",
    "markdown_description",
    "message",
    "metadata",
    "name",
    "note",
    "notes",
    "options",
    "output",
    "pattern",
    "placeholder",
    "prompt",
    "question",
    "readme",
    "release",
    "snippet",
    "stderr",
    "stdout",
    "summary",
    "tag",
    "tags",
    "text",
    "title",
    "tooltip",
    "translation",
    "url",
    "uses",
    "version",
    "versions",
];

/// Whether what stands under a key speaks to people, or names something that is no device.
pub(super) fn is_prose(name: &str) -> bool {
    PROSE.binary_search(&name).is_ok()
}

/// Keys under which somebody wrote down what happened.
const RECORDS: &[&str] = &[
    "benchmark_results",
    "benchmarks",
    "expected",
    "expected_output",
    "expected_outputs",
    "hist",
    "history",
    "log_history",
    "logs",
    "measurements",
    "metrics",
    "records",
    "results",
    "runs",
    "traceevents",
    "trace_events",
];

/// Keys of a run that is over.
const OF_RECORDS: &[&str] = &[
    "best_score",
    "completed_at",
    "cpu_count",
    "created_at",
    "datetime",
    "duration",
    "elapsed",
    "elapsed_time",
    "end_time",
    "fan_speed",
    "finished_at",
    "git_hash",
    "git_revision",
    "latency",
    "latency_ms",
    "machine_info",
    "memory_free",
    "memory_peak",
    "memory_total",
    "memory_used",
    "peak_memory",
    "power_draw",
    "python_version",
    "pytorch_version",
    "runtime_seconds",
    "score",
    "start_time",
    "started_at",
    "startedat",
    "throughput",
    "timestamp",
    "torch_version",
    "total_time",
    "transformers_version",
    "utilization",
    "uuid",
    "wall_time",
];

/// Whether a key holds what happened, not what is to happen.
pub(super) fn is_record(name: &str) -> bool {
    RECORDS.contains(&name)
}

/// Whether a map with these keys says what happened: two of them, as one may be anything.
pub(super) fn are_of_record<'k>(keys: impl Iterator<Item = &'k str>) -> bool {
    keys.filter(|key| OF_RECORDS.contains(&normal(key).as_str()))
        .take(2)
        .count()
        == 2
}

/// Keys of maps and lists of environment variables.
const ENVIRONMENTS: &[&str] = &[
    "build_environment",
    "container_env",
    "containerenv",
    "docker_env",
    "env",
    "env_set",
    "env_vars",
    "environ",
    "environment",
    "environment_variables",
    "envs",
    "envvars",
    "extra_env",
    "extra_env_vars",
    "linux",
    "osx",
    "pass_env",
    "remote_env",
    "runtime_env",
    "set_env",
    "setenv",
    "variables",
    "windows",
];

/// Whether a key holds the variables of what stands around it.
pub(super) fn is_environment(name: &str) -> bool {
    ENVIRONMENTS.contains(&name) || name.ends_with("_env") || name.ends_with("_env_vars")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_is_spelt_in_many_ways() {
        for (key, name) in [
            ("gpu_id", "gpu_id"),
            ("gpu-id", "gpu_id"),
            ("gpuId", "gpu_id"),
            ("GPU_ID", "gpu_id"),
            ("mainGpu", "main_gpu"),
            ("trainer.devices", "devices"),
            ("--tensor-parallel-size", "tensor_parallel_size"),
            ("", ""),
        ] {
            assert_eq!(normal(key), name, "{key}");
        }
    }

    #[test]
    fn the_table_of_prose_is_sorted() {
        assert!(PROSE.is_sorted());
        assert!(is_prose("description") && is_prose("image") && !is_prose("device"));
    }

    #[test]
    fn a_record_is_known_by_two_keys() {
        assert!(are_of_record(["device", "timestamp", "score"].into_iter()));
        assert!(!are_of_record(
            ["device", "temperature", "loss", "score"].into_iter()
        ));
        assert!(is_record("results") && !is_record("training"));
    }
}
