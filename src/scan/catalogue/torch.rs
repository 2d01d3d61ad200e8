//! `PyTorch`.

use super::{Api, Argument, Form, at, device, gpu, named};

/// The common signature: `function(device=None)`.
const DEVICE: &[Argument] = &[at(0, "device", Form::Device)];

/// `torch.nn.DataParallel(module, device_ids=None, output_device=None)`.
const PARALLEL: &[Argument] = &[
    at(1, "device_ids", Form::Index),
    at(2, "output_device", Form::Device),
];

/// `torch.accelerator` counts as CUDA does where CUDA is the accelerator.
const ACCELERATOR: &[Argument] = &[at(0, "", Form::Device)];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    device(
        "torch.device",
        &[at(0, "device", Form::Device), named("type", Form::Text), at(1, "index", Form::Index)],
        "import torch\ntorch.device(\"cuda\", 1)",
    ),
    device(".to", DEVICE, "import torch\nmodel.to(1)"),
    gpu(".cuda", DEVICE, "import torch\nmodel.cuda(1)"),
    device(".to_empty", &[named("device", Form::Device)], "import torch\nmodel.to_empty(device=1)"),
    gpu("torch.cuda.*", &[named("device", Form::Device)], "import torch\ntorch.cuda.anything(device=1)")
        .labelled("torch.cuda"),
    device("torch.set_default_device", DEVICE, "import torch\ntorch.set_default_device(1)"),
    device("torch.Generator", DEVICE, "import torch\ng = torch.Generator(\"cuda:1\")"),
    device("torch.Stream", DEVICE, "import torch\ntorch.Stream(\"cuda:1\")"),
    device("torch.Event", DEVICE, "import torch\ntorch.Event(\"cuda:1\")"),
    device("torch.load", &[at(1, "map_location", Form::Map)], "import torch\ntorch.load(path, \"cuda:1\")"),
    device("torch.jit.load", &[at(1, "map_location", Form::Map)], "import torch\ntorch.jit.load(path, map_location=\"cuda:1\")"),
    device("torch.hub.load_state_dict_from_url", &[at(2, "map_location", Form::Map)], "import torch\ntorch.hub.load_state_dict_from_url(u, d, {\"cuda:0\": \"cuda:1\"})"),
    device("torch.random.fork_rng", &[at(0, "devices", Form::Index)], "import torch\nwith torch.random.fork_rng(devices=[1]): pass"),
    // The kind of device, without an index; `enabled=False` switches it off.
    device("torch.amp.autocast", &[at(0, "device_type", Form::Text)], "import torch\nwith torch.autocast(\"cuda\"): pass"),
    device("torch.amp.GradScaler", &[at(0, "device", Form::Text)], "import torch\nscaler = torch.amp.GradScaler(\"cuda\")"),
    gpu("torch.nn.DataParallel", PARALLEL, "import torch\ntorch.nn.DataParallel(model, device_ids=[1])")
        .all_without(&["device_ids"], "import torch\ntorch.nn.DataParallel(model)"),
    gpu("torch.nn.parallel.data_parallel", &[at(2, "device_ids", Form::Index), at(3, "output_device", Form::Device)], "import torch\ntorch.nn.parallel.data_parallel(m, x, [1])")
        .all_without(&["device_ids"], "import torch\ntorch.nn.parallel.data_parallel(m, x)"),
    gpu("torch.nn.parallel.DistributedDataParallel", PARALLEL, "from torch.nn.parallel import DistributedDataParallel as DDP\nDDP(model, [1])")
        .labelled("DistributedDataParallel"),
    gpu("torch.nn.parallel.replicate", &[at(1, "devices", Form::Index)], "import torch\ntorch.nn.parallel.replicate(m, [1])"),
    gpu("torch.nn.parallel.scatter", &[at(1, "target_gpus", Form::Index)], "import torch\ntorch.nn.parallel.scatter(x, [1])"),
    gpu("torch.nn.parallel.scatter_kwargs", &[at(2, "target_gpus", Form::Index)], "from torch.nn.parallel.scatter_gather import scatter_kwargs\nscatter_kwargs(x, k, [1])"),
    gpu("torch.nn.parallel.gather", &[at(1, "target_device", Form::Device)], "import torch\ntorch.nn.parallel.gather(x, 1)"),
    device("torch.distributed.init_process_group", &[named("device_id", Form::Device)], "import torch.distributed as dist\ndist.init_process_group(\"nccl\", device_id=1)"),
    device("torch.distributed.barrier", &[at(2, "device_ids", Form::Index)], "import torch.distributed as dist\ndist.barrier(device_ids=[1])"),
    device("torch.distributed.fsdp.FullyShardedDataParallel", &[at(9, "device_id", Form::Device)], "from torch.distributed.fsdp import FullyShardedDataParallel as FSDP\nFSDP(model, device_id=1)"),
    device("torch.distributed.rpc.TensorPipeRpcBackendOptions", &[named("devices", Form::Index)], "from torch.distributed import rpc\nrpc.TensorPipeRpcBackendOptions(devices=[1])"),
    gpu("torch.cuda.set_device", DEVICE, "import torch\ntorch.cuda.set_device(1)"),
    gpu("torch.cuda.device", DEVICE, "import torch\ntorch.cuda.device(1)"),
    gpu("torch.cuda.get_device_name", DEVICE, "import torch\ntorch.cuda.get_device_name(1)"),
    gpu("torch.cuda.get_device_properties", DEVICE, "import torch\ntorch.cuda.get_device_properties(1)"),
    gpu("torch.cuda.get_device_capability", DEVICE, "import torch\ntorch.cuda.get_device_capability(1)"),
    gpu("torch.cuda.mem_get_info", DEVICE, "import torch\ntorch.cuda.mem_get_info(1)"),
    gpu("torch.cuda.memory_allocated", DEVICE, "import torch\ntorch.cuda.memory_allocated(1)"),
    gpu("torch.cuda.memory_reserved", DEVICE, "import torch\ntorch.cuda.memory_reserved(1)"),
    gpu("torch.cuda.memory_cached", DEVICE, "import torch\ntorch.cuda.memory_cached(1)"),
    gpu("torch.cuda.memory_stats", DEVICE, "import torch\ntorch.cuda.memory_stats(1)"),
    gpu("torch.cuda.memory_stats_as_nested_dict", DEVICE, "import torch\ntorch.cuda.memory_stats_as_nested_dict(1)"),
    gpu("torch.cuda.memory_summary", DEVICE, "import torch\ntorch.cuda.memory_summary(1)"),
    gpu("torch.cuda.memory_usage", DEVICE, "import torch\ntorch.cuda.memory_usage(1)"),
    gpu("torch.cuda.max_memory_allocated", DEVICE, "import torch\ntorch.cuda.max_memory_allocated(1)"),
    gpu("torch.cuda.max_memory_reserved", DEVICE, "import torch\ntorch.cuda.max_memory_reserved(1)"),
    gpu("torch.cuda.max_memory_cached", DEVICE, "import torch\ntorch.cuda.max_memory_cached(1)"),
    gpu("torch.cuda.reset_peak_memory_stats", DEVICE, "import torch\ntorch.cuda.reset_peak_memory_stats(1)"),
    gpu("torch.cuda.reset_max_memory_allocated", DEVICE, "import torch\ntorch.cuda.reset_max_memory_allocated(1)"),
    gpu("torch.cuda.reset_max_memory_cached", DEVICE, "import torch\ntorch.cuda.reset_max_memory_cached(1)"),
    gpu("torch.cuda.reset_accumulated_memory_stats", DEVICE, "import torch\ntorch.cuda.reset_accumulated_memory_stats(1)"),
    gpu("torch.cuda.get_per_process_memory_fraction", DEVICE, "import torch\ntorch.cuda.get_per_process_memory_fraction(1)"),
    gpu("torch.cuda.device_memory_used", DEVICE, "import torch\ntorch.cuda.device_memory_used(1)"),
    gpu("torch.cuda.synchronize", DEVICE, "import torch\ntorch.cuda.synchronize(1)"),
    gpu("torch.cuda.current_stream", DEVICE, "import torch\ntorch.cuda.current_stream(1)"),
    gpu("torch.cuda.default_stream", DEVICE, "import torch\ntorch.cuda.default_stream(1)"),
    gpu("torch.cuda.Stream", DEVICE, "import torch\ntorch.cuda.Stream(1)"),
    gpu("torch.cuda.get_rng_state", DEVICE, "import torch\ntorch.cuda.get_rng_state(1)"),
    gpu("torch.cuda.utilization", DEVICE, "import torch\ntorch.cuda.utilization(1)"),
    gpu("torch.cuda.temperature", DEVICE, "import torch\ntorch.cuda.temperature(1)"),
    gpu("torch.cuda.power_draw", DEVICE, "import torch\ntorch.cuda.power_draw(1)"),
    gpu("torch.cuda.clock_rate", DEVICE, "import torch\ntorch.cuda.clock_rate(1)"),
    gpu("torch.cuda.list_gpu_processes", DEVICE, "import torch\ntorch.cuda.list_gpu_processes(1)"),
    gpu("torch.cuda.set_rng_state", &[at(1, "device", Form::Device)], "import torch\ntorch.cuda.set_rng_state(s, 1)"),
    gpu("torch.cuda.set_per_process_memory_fraction", &[at(1, "device", Form::Device)], "import torch\ntorch.cuda.set_per_process_memory_fraction(0.8, 1)"),
    gpu("torch.cuda.caching_allocator_alloc", &[at(1, "device", Form::Device)], "import torch\ntorch.cuda.caching_allocator_alloc(64, 1)"),
    gpu("torch.cuda.ExternalStream", &[at(1, "device", Form::Device)], "import torch\ntorch.cuda.ExternalStream(p, 1)"),
    gpu("torch.cuda.get_stream_from_external", &[at(1, "device", Form::Device)], "import torch\ntorch.cuda.get_stream_from_external(p, 1)"),
    gpu("torch.cuda.use_mem_pool", &[at(1, "device", Form::Device)], "import torch\nwith torch.cuda.use_mem_pool(p, 1): pass"),
    gpu("torch.cuda.can_device_access_peer", &[at(0, "device", Form::Device), at(1, "peer_device", Form::Device)], "import torch\ntorch.cuda.can_device_access_peer(1, peer)"),
    gpu("torch.cuda.comm.broadcast", &[at(1, "devices", Form::Index)], "import torch\ntorch.cuda.comm.broadcast(x, [1])"),
    gpu("torch.cuda.comm.broadcast_coalesced", &[at(1, "devices", Form::Index)], "import torch\ntorch.cuda.comm.broadcast_coalesced(x, [1])"),
    gpu("torch.cuda.comm.scatter", &[at(1, "devices", Form::Index)], "import torch\ntorch.cuda.comm.scatter(x, [1])"),
    gpu("torch.cuda.comm.gather", &[at(2, "destination", Form::Device)], "import torch\ntorch.cuda.comm.gather(x, destination=1)"),
    gpu("torch.cuda.comm.reduce_add", &[at(1, "destination", Form::Device)], "import torch\ntorch.cuda.comm.reduce_add(x, 1)"),
    gpu("torch.cuda.comm.reduce_add_coalesced", &[at(1, "destination", Form::Device)], "import torch\ntorch.cuda.comm.reduce_add_coalesced(x, 1)"),
    device("torch.accelerator.set_device_index", ACCELERATOR, "import torch\ntorch.accelerator.set_device_index(1)"),
    device("torch.accelerator.set_device_idx", ACCELERATOR, "import torch\ntorch.accelerator.set_device_idx(1)"),
    device("torch.accelerator.device_index", ACCELERATOR, "import torch\ntorch.accelerator.device_index(1)"),
    device("torch.accelerator.current_stream", ACCELERATOR, "import torch\ntorch.accelerator.current_stream(1)"),
    device("torch.accelerator.synchronize", ACCELERATOR, "import torch\ntorch.accelerator.synchronize(1)"),
    device("torch.accelerator.get_device_capability", ACCELERATOR, "import torch\ntorch.accelerator.get_device_capability(1)"),
    device("torch.accelerator.memory_stats", ACCELERATOR, "import torch\ntorch.accelerator.memory_stats(1)"),
    device("torch.accelerator.memory_allocated", ACCELERATOR, "import torch\ntorch.accelerator.memory_allocated(1)"),
    device("torch.accelerator.memory_reserved", ACCELERATOR, "import torch\ntorch.accelerator.memory_reserved(1)"),
    device("torch.accelerator.max_memory_allocated", ACCELERATOR, "import torch\ntorch.accelerator.max_memory_allocated(1)"),
    device("torch.accelerator.max_memory_reserved", ACCELERATOR, "import torch\ntorch.accelerator.max_memory_reserved(1)"),
    device("torch.accelerator.reset_peak_memory_stats", ACCELERATOR, "import torch\ntorch.accelerator.reset_peak_memory_stats(1)"),
    device("torch.accelerator.reset_accumulated_memory_stats", ACCELERATOR, "import torch\ntorch.accelerator.reset_accumulated_memory_stats(1)"),
    device("torch.accelerator.get_memory_info", ACCELERATOR, "import torch\ntorch.accelerator.get_memory_info(1)"),
];

/// Whether a call of `path` starts nothing on the GPU: it only asks, or is switched off.
pub fn starts_nothing(path: &str, switched_off: bool) -> bool {
    let is_mixed_precision = ["torch.cuda.amp.", "torch.amp."]
        .iter()
        .any(|start| path.starts_with(start));
    // Marks in the profiler's time line.
    let is_mark = path.starts_with("torch.cuda.nvtx.");
    path == "torch.cuda.is_initialized" || is_mark || (switched_off && is_mixed_precision)
}

/// Whether a call of `path` puts no work on the GPU: it asks whether there is one, or prepares.
pub fn only_asks(path: &str) -> bool {
    const QUESTIONS: &[&str] = &[
        "device_count",
        "empty_cache",
        "get_arch_list",
        "is_available",
        "is_bf16_supported",
        "is_current_stream_capturing",
        "manual_seed",
        "manual_seed_all",
    ];
    path.strip_prefix("torch.cuda.")
        .is_some_and(|name| QUESTIONS.contains(&name))
}
