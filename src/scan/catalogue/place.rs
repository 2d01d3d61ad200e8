//! Cards that are chosen without a call's argument: `jax.devices()[1]`, `config.device = 1`.

use super::Form;

/// A list of cards, of which an index picks one.
#[derive(Debug)]
pub struct Listing {
    /// The qualified path of the list; `()` at the end where a call makes it.
    pub path: &'static str,
    /// Which of its arguments says what kind of hardware is listed.
    pub kind: ListedKind,
    /// Code that picks card 1.
    pub example: &'static str,
}

/// What kind of hardware a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedKind {
    /// CUDA cards, always.
    Cuda,
    /// What this argument says, the CPU among them where it is not given.
    Named {
        /// Its place.
        position: Option<usize>,
        /// Its keyword.
        keyword: &'static str,
    },
    /// What this argument says; the best hardware there is where it is not given.
    Best {
        /// Its place.
        position: Option<usize>,
        /// Its keyword.
        keyword: &'static str,
    },
}

const fn cuda(path: &'static str, example: &'static str) -> Listing {
    Listing {
        path,
        kind: ListedKind::Cuda,
        example,
    }
}

/// A list of physical or logical devices of `TensorFlow`: of all kinds, or of one.
const fn tensorflow(path: &'static str, example: &'static str) -> Listing {
    let kind = ListedKind::Named {
        position: Some(0),
        keyword: "device_type",
    };
    Listing {
        path,
        kind,
        example,
    }
}

#[rustfmt::skip]
const LISTINGS: &[Listing] = &[
    // `devices(backend=None)`, but `local_devices(process_index=None, backend=None)`.
    Listing {
        path: "jax.devices()",
        kind: ListedKind::Best { position: Some(0), keyword: "backend" },
        example: "import jax\njax.device_put(x, jax.devices()[1])",
    },
    Listing {
        path: "jax.local_devices()",
        kind: ListedKind::Best { position: Some(1), keyword: "backend" },
        example: "import jax\nd = jax.local_devices(backend=\"gpu\")[1]",
    },
    tensorflow("tensorflow.config.list_physical_devices()", "import tensorflow as tf\ngpus = tf.config.list_physical_devices(\"GPU\")\ntf.config.set_visible_devices(gpus[1], \"GPU\")"),
    tensorflow("tensorflow.config.list_logical_devices()", "import tensorflow as tf\nd = tf.config.list_logical_devices(\"GPU\")[1]"),
    tensorflow("tensorflow.config.get_visible_devices()", "import tensorflow as tf\nd = tf.config.get_visible_devices(\"GPU\")[1]"),
    Listing {
        path: "keras.distribution.list_devices()",
        kind: ListedKind::Named { position: Some(0), keyword: "device_type" },
        example: "import keras\nd = keras.distribution.list_devices(\"gpu\")[1]",
    },
    cuda("numba.cuda.gpus", "from numba import cuda\nwith cuda.gpus[1]: pass"),
    cuda("numba.cuda.gpus.lst", "from numba import cuda\nd = cuda.gpus.lst[1]"),
    cuda("numba.cuda.list_devices()", "from numba import cuda\nd = cuda.list_devices()[1]"),
    cuda("warp.get_cuda_devices()", "import warp as wp\nd = wp.get_cuda_devices()[1]"),
    cuda("cuda.core.Device.get_all_devices()", "from cuda.core import Device\nd = Device.get_all_devices()[1]"),
    cuda("torch.cuda.default_generators", "import torch\ng = torch.cuda.default_generators[1]"),
];

/// An attribute that holds a card.
#[derive(Debug)]
pub struct Property {
    /// The qualified path of the object, and the attribute.
    pub path: &'static str,
    /// How it says which device.
    pub form: Form,
    /// Code that sets it to 1.
    pub example: &'static str,
}

const fn faiss(path: &'static str, example: &'static str) -> Property {
    Property {
        path,
        form: Form::Index,
        example,
    }
}

#[rustfmt::skip]
const PROPERTIES: &[Property] = &[
    // `GpuIndexConfig::device` in faiss/gpu/GpuIndex.h, which the others inherit.
    faiss("faiss.GpuIndexFlatConfig().device", "import faiss\nc = faiss.GpuIndexFlatConfig()\nc.device = 1"),
    faiss("faiss.GpuIndexIVFFlatConfig().device", "import faiss\nc = faiss.GpuIndexIVFFlatConfig()\nc.device = 1"),
    faiss("faiss.GpuIndexIVFPQConfig().device", "import faiss\nc = faiss.GpuIndexIVFPQConfig()\nc.device = 1"),
    faiss("faiss.GpuIndexIVFScalarQuantizerConfig().device", "import faiss\nc = faiss.GpuIndexIVFScalarQuantizerConfig()\nc.device = 1"),
    faiss("faiss.GpuIndexBinaryFlatConfig().device", "import faiss\nc = faiss.GpuIndexBinaryFlatConfig()\nc.device = 1"),
    faiss("faiss.GpuIndexCagraConfig().device", "import faiss\nc = faiss.GpuIndexCagraConfig()\nc.device = 1"),
    faiss("faiss.GpuDistanceParams().device", "import faiss\np = faiss.GpuDistanceParams()\np.device = 1"),
];

/// The row of a list.
pub fn listing(path: &str) -> Option<&'static Listing> {
    let find = |path: &str| LISTINGS.iter().find(|listing| listing.path == path);
    find(path).or_else(|| find(&super::alias::canonical(path)?))
}

/// Whether a list may have this last name: a cheap question before [`listing`].
pub fn may_be_listing(name: &str) -> bool {
    LISTINGS.iter().any(|listing| {
        let path = listing.path.trim_end_matches("()");
        path.ends_with(name) && path[..path.len() - name.len()].ends_with('.')
    })
}

/// The row of an attribute.
pub fn property(path: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.path == path)
}

/// All lists.
pub fn listings() -> impl Iterator<Item = &'static Listing> {
    LISTINGS.iter()
}

/// All attributes.
pub fn properties() -> impl Iterator<Item = &'static Property> {
    PROPERTIES.iter()
}
