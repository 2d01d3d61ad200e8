//! Options of the command line and fields of configuration classes that hold a card by default.

use super::Form;

/// A name of an option or field.
#[derive(Debug)]
pub struct Choice {
    /// The name, with underscores.
    pub name: &'static str,
    /// The label of its facts.
    pub label: &'static str,
    /// How its default says which device.
    pub form: Form,
    /// What is needed to take its number for a card.
    pub needs: Evidence,
}

/// What is needed to take a default for a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing: the name says it, in any file.
    Name,
    /// The file is about GPUs, and about no other devices.
    File,
    /// That, and it puts the value where a device stands, or the help says that it is an index.
    Use,
}

const fn named(name: &'static str, label: &'static str) -> Choice {
    Choice {
        name,
        label,
        form: Form::List,
        needs: Evidence::Name,
    }
}

/// A name that other devices have too.
const fn filed(name: &'static str, label: &'static str) -> Choice {
    Choice {
        needs: Evidence::File,
        ..named(name, label)
    }
}

/// A name that is a number of cards, or a switch, as often as an index.
const fn used(name: &'static str, label: &'static str) -> Choice {
    Choice {
        needs: Evidence::Use,
        ..named(name, label)
    }
}

/// `--local-rank` is not here: the launcher always gives it, whatever its default.
const CHOICES: &[Choice] = &[
    named("gpu_id", "gpu_id="),
    named("gpu_ids", "gpu_ids="),
    named("gpu_device", "gpu_device="),
    named("gpu_device_id", "gpu_device_id="),
    named("gpu_device_ids", "gpu_device_ids="),
    named("base_gpu_id", "base_gpu_id="),
    named("cuda_id", "cuda_id="),
    named("cuda_index", "cuda_index="),
    named("cuda_device", "cuda_device="),
    named("cuda_device_id", "cuda_device_id="),
    named("cuda_device_index", "cuda_device_index="),
    named("main_gpu", "main_gpu="),
    // Of Kokkos, in every program that is made with it.
    named("kokkos_device_id", "--kokkos-device-id"),
    filed("gpu_idx", "gpu_idx="),
    filed("gpu_index", "gpu_index="),
    filed("device", "device="),
    filed("device_id", "device_id="),
    filed("device_ids", "device_ids="),
    filed("device_idx", "device_idx="),
    filed("device_index", "device_index="),
    used("gpu", "gpu="),
    used("cuda", "cuda="),
    used("devices", "devices="),
    used("gpus", "gpus="),
    used("gpu_no", "gpu_no="),
    used("gpu_num", "gpu_num="),
    used("gpu_number", "gpu_number="),
    used("dev_id", "dev_id="),
    used("ctx_id", "ctx_id="),
];

/// `quant_device`: a card where it is used as one.
static DEVICE_OF_SOMETHING: Choice = used("device", "device=");

/// `gpu_learner`: the card of one of several programs.
static GPU_OF_SOMEBODY: Choice = filed("gpu", "gpu=");

/// Who gets a card of its own.
const ROLES: &[&str] = &[
    "actor",
    "agent",
    "critic",
    "decoder",
    "encoder",
    "explorer",
    "generator",
    "learner",
    "policy",
    "student",
    "teacher",
];

/// What every name in the table has in it: most names of a file have none of them.
const STEMS: &[&str] = &["gpu", "cuda", "dev", "ctx"];

/// The row of a name, with or without its underscores; `det_gpu_id` is a `gpu_id`.
pub fn option(name: &str) -> Option<&'static Choice> {
    fn letters(name: &str) -> impl Iterator<Item = u8> {
        name.bytes().filter(|byte| *byte != b'_')
    }
    if !STEMS.iter().any(|stem| name.contains(stem)) {
        return None;
    }
    let whole = CHOICES
        .iter()
        .find(|choice| letters(choice.name).eq(letters(name)));
    whole.or_else(|| {
        let of_part = |choice: &&Choice| {
            let before = name.strip_suffix(choice.name)?.strip_suffix('_')?;
            // Counts, and what there is to choose from.
            let counts = ["all", "available", "free", "n", "num", "number"].contains(&before);
            // `NV_VASPACE_ALLOCATION_INDEX_GPU_DEVICE` is a constant of a driver.
            let is_short = before.trim_matches('_').split('_').count() <= 2;
            (choice.needs == Evidence::Name && !counts && is_short).then_some(())
        };
        CHOICES
            .iter()
            .find(|choice| of_part(choice).is_some())
            .or_else(|| of_somebody(name))
    })
}

fn of_somebody(name: &str) -> Option<&'static Choice> {
    let who = name
        .strip_prefix("gpu_")
        .or_else(|| name.strip_suffix("_gpu"));
    if who.is_some_and(|who| ROLES.contains(&who)) {
        Some(&GPU_OF_SOMEBODY)
    } else if name.ends_with("_device") {
        Some(&DEVICE_OF_SOMETHING)
    } else {
        None
    }
}

/// All names.
pub fn options() -> impl Iterator<Item = &'static Choice> {
    CHOICES.iter()
}

/// What the help of an option says that its number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// A card's index.
    Index,
    /// How many cards, or whether any.
    Other,
    /// Nothing about it.
    Silent,
}

/// Words of a help that counts or switches.
const COUNTS: &[&str] = &[
    "num gpu",
    "# of gpu",
    "#gpu",
    "how many",
    "count",
    "whether",
    "enable",
    "use gpu",
    "use cuda",
    "use the gpu",
    "using gpu",
    "if true",
    "true or false",
    "visible",
    "amount",
];

/// Words of a help that speaks of other devices.
const OTHERS: &[&str] = &[
    "audio",
    "camera",
    "ascend",
    "input device",
    "microphone",
    "midi",
    " npu",
    "opencl",
    "output device",
    "serial",
    "sound",
    "usb",
    "webcam",
];

/// Words of a help that names one card, beside `gpu` or `cuda`.
const NAMES: &[&str] = &[
    " id", "_id", "-id", "gpuid", "index", "indices", "number", "which", "ordinal", "to use",
    "0,1", "0, 1", " no.",
];

/// What else an index may be, if it also stands for the CPU.
const BELOW_ZERO: &[&str] = &["<0", "< 0", "-1", "negative"];

/// Reads the help of an option.
pub fn help(text: &str) -> Help {
    let text = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let names_card = has(&["gpu", "cuda"]);
    let is_other = has(OTHERS) && !names_card;
    let counts = has(COUNTS) || (has(&["number of", "num of"]) && (names_card || has(&["device"])));
    if counts || is_other {
        Help::Other
    } else if names_card && has(NAMES) || has(&["cpu"]) && has(BELOW_ZERO) {
        Help::Index
    } else {
        Help::Silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        for choice in CHOICES {
            let found = option(choice.name).map(|found| found.name);
            assert_eq!(found, Some(choice.name));
        }
        assert_eq!(option("learning_rate").map(|found| found.name), None);
    }

    #[test]
    fn a_help_tells_an_index_from_a_count() {
        for (text, expected) in [
            ("GPU id to use", Help::Index),
            ("which gpu to use", Help::Index),
            ("number of GPUs", Help::Other),
            ("Number of participating gpus (0 is all)", Help::Other),
            ("GPU number", Help::Index),
            ("the device, < 0 corresponds to CPU", Help::Index),
            ("-1 for CPU", Help::Index),
            ("below 0 nothing is done", Help::Silent),
            ("use GPU or not", Help::Other),
            ("whether to use cuda device", Help::Other),
            ("the device", Help::Silent),
            ("device id of the camera", Help::Other),
            ("GPU id, or NPU id on Ascend", Help::Index),
        ] {
            assert_eq!(help(text), expected, "{text}");
        }
    }
}
