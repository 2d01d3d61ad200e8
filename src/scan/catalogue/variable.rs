//! Environment variables that choose cards, and names that only look like one of them.

/// What a variable does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// `CUDA_DEVICE_ORDER`: how CUDA counts the cards.
    Order,
    /// `CUDA_VISIBLE_DEVICES`: which cards CUDA shows.
    Visible,
    /// `NVIDIA_VISIBLE_DEVICES`: which cards a container gets.
    Container,
    /// Takes cards, by index, of those that CUDA shows.
    Index,
    /// Chooses cards for something that is not CUDA.
    Elsewhere(&'static str),
    /// Belongs to CUDA or a library, and chooses no card.
    Other,
}

/// The variables whose names are taken: none of them is a misspelling of another.
///
/// `FLAGS_selected_gpus` is Paddle's list of the cards for training, `JAX_CUDA_VISIBLE_DEVICES`
/// JAX's, as their documentations of flags say. `OMP_DEFAULT_DEVICE` and `KOKKOS_DEVICE_ID` are not
/// here: they are a card's of whatever vendor the program was built for.
const KNOWN: &[(&str, Variable)] = &[
    ("CUDA_DEVICE_ORDER", Variable::Order),
    ("CUDA_VISIBLE_DEVICES", Variable::Visible),
    ("NVIDIA_VISIBLE_DEVICES", Variable::Container),
    (
        "AMD_VISIBLE_DEVICES",
        Variable::Elsewhere("AMD's containers"),
    ),
    (
        "ASCEND_RT_VISIBLE_DEVICES",
        Variable::Elsewhere("Huawei's Ascend"),
    ),
    (
        "ASCEND_VISIBLE_DEVICES",
        Variable::Elsewhere("Huawei's Ascend"),
    ),
    ("CN_VISIBLE_DEVICES", Variable::Elsewhere("Cambricon's MLU")),
    (
        "GGML_VK_VISIBLE_DEVICES",
        Variable::Elsewhere("ggml's Vulkan"),
    ),
    (
        "GPU_DEVICE_ORDINAL",
        Variable::Elsewhere("AMD's OpenCL and HIP"),
    ),
    (
        "HABANA_VISIBLE_DEVICES",
        Variable::Elsewhere("Intel's Gaudi"),
    ),
    ("HIP_VISIBLE_DEVICES", Variable::Elsewhere("AMD's HIP")),
    (
        "MLU_VISIBLE_DEVICES",
        Variable::Elsewhere("Cambricon's MLU"),
    ),
    (
        "MUSA_VISIBLE_DEVICES",
        Variable::Elsewhere("Moore Threads' MUSA"),
    ),
    (
        "ONEAPI_DEVICE_SELECTOR",
        Variable::Elsewhere("Intel's oneAPI"),
    ),
    ("ROCR_VISIBLE_DEVICES", Variable::Elsewhere("AMD's ROCm")),
    ("SYCL_DEVICE_FILTER", Variable::Elsewhere("Intel's oneAPI")),
    ("TPU_VISIBLE_CHIPS", Variable::Elsewhere("Google's TPU")),
    ("TPU_VISIBLE_DEVICES", Variable::Elsewhere("Google's TPU")),
    ("XPU_VISIBLE_DEVICES", Variable::Elsewhere("Kunlun's XPU")),
    (
        "ZE_AFFINITY_MASK",
        Variable::Elsewhere("Intel's Level Zero"),
    ),
    ("CUDA_DEVICE", Variable::Other),
    ("CUDA_DEVICES", Variable::Other),
    ("CUDA_DEVICE_ID", Variable::Other),
    ("CUDA_DEVICE_INDEX", Variable::Other),
    ("CUDA_DEVICE_MAX_CONNECTIONS", Variable::Other),
    ("CUDA_DEVICE_MAX_COPY_CONNECTIONS", Variable::Other),
    ("CUDA_DEVICE_WAITS_ON_EXCEPTION", Variable::Other),
    ("FLAGS_selected_gpus", Variable::Index),
    ("JAX_CUDA_VISIBLE_DEVICES", Variable::Index),
    ("NPU_VISIBLE_DEVICES", Variable::Other),
    ("PYTORCH_CUDA_ALLOC_CONF", Variable::Other),
    ("PYTORCH_NVML_BASED_CUDA_CHECK", Variable::Other),
    (
        "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES",
        Variable::Other,
    ),
];

/// A name that looks like one of CUDA's two variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misspelt {
    /// The variable that is meant.
    pub meant: &'static str,
    /// Whether the name can hardly be meant as another, of the program's own.
    pub sure: bool,
}

/// What a variable does; `None` for one that is not known.
pub fn variable(name: &str) -> Option<Variable> {
    KNOWN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, variable)| *variable)
}

/// Which of CUDA's two variables a name was meant to be, where it is none that is known.
pub fn misspelt(name: &str) -> Option<Misspelt> {
    /// Longer names are another's.
    const LONGEST: usize = 32;
    /// Letters that may be wrong.
    const MOST_WRONG: usize = 2;
    if name.len() > LONGEST || variable(name).is_some() {
        return None;
    }
    // A name like `_CUDA_VISIBLE_DEVICES` keeps a value for later.
    if name.starts_with('_') {
        return None;
    }
    let upper = name.trim().to_ascii_uppercase().replace('-', "_");
    if upper != name && matches!(variable(&upper), Some(Variable::Order | Variable::Visible)) {
        return Some(Misspelt {
            meant: target(&upper)?,
            sure: true,
        });
    }
    if variable(&upper).is_some() {
        return None;
    }
    let words = words(&upper);
    for (meant, of_it) in [
        ("CUDA_VISIBLE_DEVICES", ["CUDA", "DEVICE", "VISIBLE"]),
        ("CUDA_DEVICE_ORDER", ["CUDA", "DEVICE", "ORDER"]),
    ] {
        if words == of_it || strsim::damerau_levenshtein(&upper, meant) <= MOST_WRONG {
            return Some(Misspelt { meant, sure: true });
        }
    }
    let lacks_first = words == ["DEVICE", "VISIBLE"];
    let other_word = words == ["CUDA", "GPU", "VISIBLE"];
    (lacks_first || other_word).then_some(Misspelt {
        meant: "CUDA_VISIBLE_DEVICES",
        sure: other_word,
    })
}

/// Whether a rule has something to say about a variable of this name.
pub fn is_of_interest(name: &str) -> bool {
    match variable(name) {
        Some(Variable::Other) => false,
        Some(_) => true,
        None => misspelt(name).is_some(),
    }
}

fn target(name: &str) -> Option<&'static str> {
    KNOWN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(known, _)| *known)
}

/// The words of a name, sorted, each in the singular.
fn words(name: &str) -> Vec<&str> {
    let mut words: Vec<&str> = name
        .split('_')
        .filter(|word| !word.is_empty())
        .map(|word| word.strip_suffix('S').unwrap_or(word))
        .collect();
    words.sort_unstable();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_told_from_other_names() {
        const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";
        const ORDER: &str = "CUDA_DEVICE_ORDER";
        for (name, meant) in [
            ("CUDA_VISIBLE_DEVICE", VISIBLE),
            ("CUDA_DEVICES_VISIBLE", VISIBLE),
            ("CUDA_DEVICE_VISIBLE", VISIBLE),
            ("CUDA_VISIBLE_DEVICES_", VISIBLE),
            ("CUDA_VISIBLE_DEVICES ", VISIBLE),
            ("CUDA_VISIBLE_DEVCIES", VISIBLE),
            ("CUDA_VISISBLE_DEVICES", VISIBLE),
            ("CUDA_VISIBLE_GPUS", VISIBLE),
            ("CUDA_VISBLE_DEVICES", VISIBLE),
            ("CUDA-VISIBLE-DEVICES", VISIBLE),
            ("CUDA_VISIABLE_DEVICES", VISIBLE),
            ("CUDAVISIBLEDEVICES", VISIBLE),
            ("VISIBLE_DEVICES", VISIBLE),
            ("VISIBLE_CUDA_DEVICES", VISIBLE),
            ("cuda_visible_devices", VISIBLE),
            ("Cuda_Visible_Devices", VISIBLE),
            ("cuda_device_order", ORDER),
            ("CUDA_DEVICE_ORDERS", ORDER),
            ("CUDA_DEVICES_ORDER", ORDER),
            ("CUDA_DEVICE_ODER", ORDER),
            ("CUDA_ORDER_DEVICE", ORDER),
        ] {
            assert_eq!(
                misspelt(name).map(|found| found.meant),
                Some(meant),
                "{name:?}"
            );
            assert!(is_of_interest(name), "{name:?}");
        }
        assert!(misspelt("CUDA_VISIBLE_DEVICE").unwrap().sure);
        assert!(!misspelt("VISIBLE_DEVICES").unwrap().sure);
    }

    #[test]
    fn real_variables_and_names_of_ones_own_are_no_misspellings() {
        for name in [
            "CUDA_VISIBLE_DEVICES",
            "CUDA_DEVICE_ORDER",
            "CUDA_DEVICE",
            "CUDA_DEVICES",
            "CUDA_DEVICE_MAX_CONNECTIONS",
            "CUDA_LAUNCH_BLOCKING",
            "CUDA_HOME",
            "CUDA_MODULE_LOADING",
            "MUSA_VISIBLE_DEVICES",
            "HIP_VISIBLE_DEVICES",
            "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES",
            "ORIG_CUDA_VISIBLE_DEVICES",
            "CUDA_VISIBLE_DEVICES_OLD",
            "CUDA_VISIBLE_DEVICES_BACKUP",
            "_CUDA_VISIBLE_DEVICES",
            "OLD_CUDA_VISIBLE_DEVICES",
            "PYTORCH_CUDA_ALLOC_CONF",
            "CUDA_DEVICE_ORDINAL",
            "DEVICE_ORDER",
            "DEVICES",
            "CUDA_VISIBLE",
            "TF_FORCE_GPU_ALLOW_GROWTH",
            "FLAGS_selected_gpus",
            "PATH",
            "",
        ] {
            assert_eq!(misspelt(name), None, "{name}");
        }
        assert!(is_of_interest("NVIDIA_VISIBLE_DEVICES") && is_of_interest("ZE_AFFINITY_MASK"));
        assert!(!is_of_interest("PATH") && !is_of_interest("CUDA_DEVICE"));
    }
}
