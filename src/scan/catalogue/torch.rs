//! `PyTorch`.

use super::{Api, Argument, Form, Uses, at, named};
use crate::scan::fact::Certainty;

/// A call that takes one device and starts CUDA.
const fn cuda(path: &'static str, arguments: &'static [Argument], example: &'static str) -> Api {
    Api {
        path,
        label: path,
        arguments,
        uses: Uses::Always,
        example,
    }
}

/// The common signature: `function(device=None)`.
const DEVICE: &[Argument] = &[at(0, "device", Form::Device)];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    Api {
        path: "torch.device",
        label: "torch.device",
        arguments: &[
            at(0, "device", Form::Device),
            named("type", Form::Text),
            at(1, "index", Form::Index),
        ],
        uses: Uses::WhenNamed,
        example: "import torch\ntorch.device(\"cuda\", 1)",
    },
    Api {
        path: ".to",
        label: ".to",
        arguments: &[at(0, "device", Form::Device)],
        uses: Uses::WhenNamed,
        example: "import torch\nmodel.to(1)",
    },
    Api {
        path: ".cuda",
        label: ".cuda",
        arguments: &[at(0, "device", Form::Device)],
        uses: Uses::Always,
        example: "import torch\nmodel.cuda(1)",
    },
    Api {
        path: "torch.cuda.*",
        label: "torch.cuda",
        arguments: &[named("device", Form::Device)],
        uses: Uses::Always,
        example: "import torch\ntorch.cuda.anything(device=1)",
    },
    Api {
        path: "torch.set_default_device",
        label: "torch.set_default_device",
        arguments: DEVICE,
        uses: Uses::WhenNamed,
        example: "import torch\ntorch.set_default_device(1)",
    },
    Api {
        path: "torch.Generator",
        label: "torch.Generator",
        arguments: DEVICE,
        uses: Uses::WhenNamed,
        example: "import torch\ng = torch.Generator(\"cuda:1\")",
    },
    Api {
        path: "torch.load",
        label: "torch.load",
        arguments: &[at(1, "map_location", Form::Map)],
        uses: Uses::WhenNamed,
        example: "import torch\ntorch.load(path, \"cuda:1\")",
    },
    Api {
        path: "torch.nn.DataParallel",
        label: "torch.nn.DataParallel",
        arguments: &[at(1, "device_ids", Form::Index), at(2, "output_device", Form::Device)],
        uses: Uses::Always,
        example: "import torch\ntorch.nn.DataParallel(model, device_ids=[1])",
    },
    Api {
        path: "torch.nn.parallel.DistributedDataParallel",
        label: "DistributedDataParallel",
        arguments: &[at(1, "device_ids", Form::Index), at(2, "output_device", Form::Device)],
        uses: Uses::Always,
        example: "from torch.nn.parallel import DistributedDataParallel as DDP\nDDP(model, [1])",
    },
    cuda("torch.cuda.set_device", DEVICE, "import torch\ntorch.cuda.set_device(1)"),
    cuda("torch.cuda.device", DEVICE, "import torch\nwith torch.cuda.device(1): pass"),
    cuda("torch.cuda.get_device_name", DEVICE, "import torch\ntorch.cuda.get_device_name(1)"),
    cuda("torch.cuda.get_device_properties", DEVICE, "import torch\ntorch.cuda.get_device_properties(1)"),
    cuda("torch.cuda.get_device_capability", DEVICE, "import torch\ntorch.cuda.get_device_capability(1)"),
    cuda("torch.cuda.mem_get_info", DEVICE, "import torch\ntorch.cuda.mem_get_info(1)"),
    cuda("torch.cuda.memory_allocated", DEVICE, "import torch\ntorch.cuda.memory_allocated(1)"),
    cuda("torch.cuda.memory_reserved", DEVICE, "import torch\ntorch.cuda.memory_reserved(1)"),
    cuda("torch.cuda.memory_cached", DEVICE, "import torch\ntorch.cuda.memory_cached(1)"),
    cuda("torch.cuda.memory_stats", DEVICE, "import torch\ntorch.cuda.memory_stats(1)"),
    cuda("torch.cuda.memory_summary", DEVICE, "import torch\ntorch.cuda.memory_summary(1)"),
    cuda("torch.cuda.memory_usage", DEVICE, "import torch\ntorch.cuda.memory_usage(1)"),
    cuda("torch.cuda.max_memory_allocated", DEVICE, "import torch\ntorch.cuda.max_memory_allocated(1)"),
    cuda("torch.cuda.max_memory_reserved", DEVICE, "import torch\ntorch.cuda.max_memory_reserved(1)"),
    cuda("torch.cuda.max_memory_cached", DEVICE, "import torch\ntorch.cuda.max_memory_cached(1)"),
    cuda("torch.cuda.reset_peak_memory_stats", DEVICE, "import torch\ntorch.cuda.reset_peak_memory_stats(1)"),
    cuda("torch.cuda.reset_max_memory_allocated", DEVICE, "import torch\ntorch.cuda.reset_max_memory_allocated(1)"),
    cuda("torch.cuda.reset_accumulated_memory_stats", DEVICE, "import torch\ntorch.cuda.reset_accumulated_memory_stats(1)"),
    cuda("torch.cuda.synchronize", DEVICE, "import torch\ntorch.cuda.synchronize(1)"),
    cuda("torch.cuda.current_stream", DEVICE, "import torch\ntorch.cuda.current_stream(1)"),
    cuda("torch.cuda.default_stream", DEVICE, "import torch\ntorch.cuda.default_stream(1)"),
    cuda("torch.cuda.Stream", DEVICE, "import torch\ntorch.cuda.Stream(1)"),
    cuda("torch.cuda.get_rng_state", DEVICE, "import torch\ntorch.cuda.get_rng_state(1)"),
    cuda("torch.cuda.utilization", DEVICE, "import torch\ntorch.cuda.utilization(1)"),
    cuda("torch.cuda.temperature", DEVICE, "import torch\ntorch.cuda.temperature(1)"),
    cuda("torch.cuda.power_draw", DEVICE, "import torch\ntorch.cuda.power_draw(1)"),
    cuda("torch.cuda.clock_rate", DEVICE, "import torch\ntorch.cuda.clock_rate(1)"),
    cuda("torch.cuda.list_gpu_processes", DEVICE, "import torch\ntorch.cuda.list_gpu_processes(1)"),
    cuda(
        "torch.cuda.set_per_process_memory_fraction",
        &[at(1, "device", Form::Device)],
        "import torch\ntorch.cuda.set_per_process_memory_fraction(0.8, 1)",
    ),
    cuda(
        "torch.cuda.can_device_access_peer",
        &[at(0, "device", Form::Device), at(1, "peer_device", Form::Device)],
        "import torch\ntorch.cuda.can_device_access_peer(1, peer)",
    ),
];

/// Whether a call of `path` starts nothing on the GPU: it only asks, or is switched off.
pub fn starts_nothing(path: &str, switched_off: bool) -> bool {
    path == "torch.cuda.is_initialized" || (switched_off && path.starts_with("torch.cuda.amp."))
}

/// Whether a call makes the CUDA driver start, and so read its environment.
pub fn starts_cuda(path: &str) -> Option<Certainty> {
    /// Functions that ask the driver in every version.
    const CERTAIN: &[&str] = &[
        "current_device",
        "current_stream",
        "default_stream",
        "get_device_capability",
        "get_device_name",
        "get_device_properties",
        "init",
        "is_available",
        "mem_get_info",
        "set_device",
        "synchronize",
    ];
    let function = path.strip_prefix("torch.cuda.")?;
    if CERTAIN.contains(&function) {
        return Some(Certainty::Certain);
    }
    // Newer versions count through NVML, and remember the number.
    (function == "device_count").then_some(Certainty::Fragile)
}
