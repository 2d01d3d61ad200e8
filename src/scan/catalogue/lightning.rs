//! Lightning: `Trainer` and `Fabric`, in all versions since 1.5.

use super::{Api, Argument, Form, device, named};

/// `accelerator` says which hardware `devices` counts; `gpus` (until 1.9) and `auto_select_gpus`
/// are of GPUs. Source: `lightning/fabric/utilities/device_parser.py`, `_parse_gpu_ids`: an int is
/// a count, a list or a text with a comma are indices, -1 and `"auto"` are all. Until 1.4 the
/// text `"1"` was an index.
const TRAINER: &[Argument] = &[
    named("accelerator", Form::Kind),
    named("devices", Form::Devices),
    named("gpus", Form::Gpus),
];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    device(
        "lightning.pytorch.Trainer", TRAINER,
        "from lightning import Trainer\nTrainer(accelerator=\"gpu\", devices=[1])",
    )
    .all_with(&["accelerator"], &["devices", "gpus"], "import pytorch_lightning as pl\npl.Trainer(accelerator=\"gpu\")"),
    device(
        "lightning.fabric.Fabric", TRAINER,
        "from lightning.fabric import Fabric\nFabric(accelerator=\"cuda\", devices=\"1,\")",
    )
    .all_with(&["accelerator"], &["devices"], "from lightning import Fabric\nFabric(accelerator=\"gpu\")"),
];
