//! Flags of programs that choose cards, or how many: which program takes which as what.

/// A flag of a program.
#[derive(Debug)]
pub struct Flag {
    /// The program, or the name that [`program`] gives to a module of Python's.
    pub program: &'static str,
    /// The flag's names; those without a dash are keys of `key=value`.
    pub names: &'static [&'static str],
    /// What its value is.
    pub takes: Takes,
    /// A command that takes card 1 by it, or two cards.
    pub example: &'static str,
}

/// What a flag's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Indices: `1`, `0,1`.
    Index,
    /// A device: `1`, `0,1`, `cuda:1`.
    Device,
    /// `CUDA1`
    Named,
    /// ffmpeg's `cuda=name:1`.
    Opened,
    /// Settings with commas between them: `tensor_parallel_size=2,device=cuda:1`.
    Settings,
    /// A number of cards, from the first that is seen on.
    Count,
    /// The same, where each process has one; without effect where it also names machines.
    Processes,
    /// Cards of the machine, by whatever number: the program makes the mask of them. Numbers, or
    /// devices as in `Device`; -1 for one that is idle.
    Cards,
}

const fn flag(
    program: &'static str,
    names: &'static [&'static str],
    takes: Takes,
    example: &'static str,
) -> Flag {
    Flag {
        program,
        names,
        takes,
        example,
    }
}

use Takes::{Cards, Count, Device, Index, Named, Opened, Processes, Settings};

/// hashcat is not here: it counts from 1. Neither is what only asks (`nvidia-smi -i`), nor what
/// asks a scheduler for cards (`srun --gpus`).
#[rustfmt::skip]
const FLAGS: &[Flag] = &[
    flag("torchrun", &["--nproc-per-node", "--nproc_per_node"], Count, "torchrun --nproc_per_node=2 a.py"),
    flag("vllm", &["--tensor-parallel-size", "--tensor_parallel_size", "-tp"], Count, "vllm serve m -tp 2"),
    flag("vllm", &["--pipeline-parallel-size", "-pp"], Count, "vllm serve m --pipeline-parallel-size 2"),
    flag("vllm", &["--data-parallel-size", "-dp"], Count, "vllm serve m --data-parallel-size=2"),
    flag("sglang", &["--tp", "--tp-size", "--tensor-parallel-size"], Count, "python -m sglang.launch_server --tp 2"),
    flag("sglang", &["--dp", "--dp-size", "--data-parallel-size"], Count, "python -m sglang.launch_server --dp-size 2"),
    flag("sglang", &["--base-gpu-id"], Index, "python -m sglang.launch_server --base-gpu-id 1"),
    flag("lmdeploy", &["--tp"], Count, "lmdeploy serve api_server m --tp 2"),
    flag("text-generation-launcher", &["--num-shard"], Count, "text-generation-launcher --num-shard 2"),
    flag("horovodrun", &["-np", "--num-proc"], Processes, "horovodrun -np 2 python a.py"),
    // `select_device` in ultralytics' `utils/torch_utils.py` makes the mask, and so do the scripts
    // that it comes from.
    flag("yolo", &["device", "--device"], Cards, "yolo train device=1"),
    flag("yolov5", &["--device"], Cards, "python yolov5/detect.py --device 1"),
    flag("whisper", &["--device"], Device, "whisper a.wav --device cuda:1"),
    flag("whisperx", &["--device_index"], Index, "whisperx a.wav --device_index 1"),
    flag("whisper-ctranslate2", &["--device_index"], Index, "whisper-ctranslate2 a.wav --device_index 1"),
    flag("faster-whisper", &["--device_index", "--device-index"], Index, "faster-whisper a.wav --device-index 1"),
    flag("insanely-fast-whisper", &["--device-id"], Device, "insanely-fast-whisper --device-id 1"),
    flag("llama.cpp", &["--main-gpu", "-mg"], Index, "llama-server -mg 1"),
    flag("llama.cpp", &["--device", "-dev"], Named, "./llama-cli --device CUDA1"),
    flag("llama_cpp.server", &["--main_gpu"], Index, "python -m llama_cpp.server --main_gpu 1"),
    flag("webui", &["--device-id"], Index, "./webui.sh --device-id 1"),
    flag("comfyui", &["--cuda-device"], Cards, "comfyui --cuda-device 1"),
    flag("trtexec", &["--device"], Index, "trtexec --device=1"),
    flag("ffmpeg", &["-hwaccel_device", "-gpu"], Index, "ffmpeg -hwaccel cuda -hwaccel_device 1 -i a b"),
    flag("ffmpeg", &["-init_hw_device"], Opened, "ffmpeg -init_hw_device cuda=x:1 -i a b"),
    flag("lm_eval", &["--model_args"], Settings, "lm_eval --model vllm --model_args pretrained=m,tensor_parallel_size=2"),
    flag("paddle", &["--gpus", "--devices", "--selected_gpus"], Cards, "python -m paddle.distributed.launch --gpus 1 a.py"),
    flag("spacy", &["--gpu-id", "-g"], Index, "python -m spacy train c --gpu-id 1"),
    flag("gpu_burn", &["-i"], Index, "./gpu_burn -i 1 60"),
];

/// Programs of Python's, by the module that is run.
const MODULES: &[(&str, &str)] = &[
    ("accelerate.commands.launch", "accelerate"),
    ("deepspeed", "deepspeed"),
    ("deepspeed.launcher.runner", "deepspeed"),
    ("faster_whisper", "faster-whisper"),
    ("llama_cpp.server", "llama_cpp.server"),
    ("lm_eval", "lm_eval"),
    ("lmms_eval", "lm_eval"),
    ("paddle.distributed.fleet.launch", "paddle"),
    ("paddle.distributed.launch", "paddle"),
    ("sglang.launch_server", "sglang"),
    ("spacy", "spacy"),
    ("torch.distributed.launch", "torchrun"),
    ("torch.distributed.run", "torchrun"),
    ("ultralytics", "yolo"),
    ("vllm.entrypoints.api_server", "vllm"),
    ("vllm.entrypoints.cli.main", "vllm"),
    ("vllm.entrypoints.openai.api_server", "vllm"),
    ("whisper", "whisper"),
    ("whisperx", "whisperx"),
];

/// What a program is called here: `llama-server` is one of llama.cpp's.
pub fn program(name: &str) -> &str {
    match name {
        "paddlerun" | "fleetrun" => "paddle",
        "gpu-burn" => "gpu_burn",
        "webui.sh" | "webui.bat" | "webui-user.sh" | "webui-user.bat" => "webui",
        "lm-eval" | "lmms_eval" | "lmms-eval" => "lm_eval",
        "ffprobe" | "ffplay" => "ffmpeg",
        _ if name.starts_with("llama-") => "llama.cpp",
        _ if name.starts_with("koboldcpp") => "koboldcpp",
        other => other,
    }
}

/// The program that takes its options from a variable: `COMMANDLINE_ARGS` is that of Stable
/// Diffusion's web interface.
pub fn program_of_options(variable: &str) -> Option<&'static str> {
    (variable == "COMMANDLINE_ARGS").then_some("webui")
}

/// The program that a container of an image starts with the words behind the image, as the
/// entry points of vLLM's, `TGI`'s and llama.cpp's images say.
pub fn program_of_image(image: &str) -> Option<&'static str> {
    let path = image.split('@').next()?;
    let name = path.rsplit('/').next()?;
    let (name, tag) = name.split_once(':').unwrap_or((name, ""));
    match name {
        "vllm-openai" => Some("vllm"),
        "text-generation-inference" => Some("text-generation-launcher"),
        "llama.cpp" if tag.starts_with("server") || tag.starts_with("light") => Some("llama.cpp"),
        _ => None,
    }
}

/// The program of a module that `python -m` runs.
pub fn module(name: &str) -> Option<&'static str> {
    let found = MODULES.iter().find(|(module, _)| *module == name);
    // Others' launchers are made after PyTorch's, with its flags.
    let alike = || {
        [".distributed.run", ".distributed.launch"]
            .iter()
            .any(|end| name.ends_with(end))
            .then_some("torchrun")
    };
    found.map(|(_, program)| *program).or_else(alike)
}

/// The flags of a program.
pub fn flags(program: &str) -> impl Iterator<Item = &'static Flag> {
    FLAGS.iter().filter(move |flag| flag.program == program)
}

/// All flags.
pub fn all_flags() -> impl Iterator<Item = &'static Flag> {
    FLAGS.iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_programs_by_their_names() {
        for (image, expected) in [
            ("vllm/vllm-openai", Some("vllm")),
            ("docker.io/vllm/vllm-openai:v0.6.3", Some("vllm")),
            (
                "ghcr.io/huggingface/text-generation-inference:2.0@sha256:0",
                Some("text-generation-launcher"),
            ),
            ("ghcr.io/ggml-org/llama.cpp:server-cuda", Some("llama.cpp")),
            ("ghcr.io/ggml-org/llama.cpp:full-cuda", None),
            ("localhost:5000/x", None),
        ] {
            assert_eq!(program_of_image(image), expected, "{image}");
        }
    }

    #[test]
    fn no_program_has_a_flag_twice() {
        let mut seen = std::collections::HashSet::new();
        for flag in all_flags() {
            for name in flag.names {
                assert!(seen.insert((flag.program, name)), "{} {name}", flag.program);
            }
        }
    }
}
