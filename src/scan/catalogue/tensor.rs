//! Tensor frameworks beside `PyTorch`: `TensorFlow`, Keras, JAX, Paddle, `MXNet`, Chainer, DGL, TVM.

use super::{Api, Argument, Form, at, device, gpu, named};

const GPU_NAME: &[Argument] = &[at(0, "device_name", Form::GpuText)];
const GPU_DEVICE: &[Argument] = &[at(0, "device", Form::GpuText)];

/// Paddle's `paddle.cuda` takes an index, `"gpu:1"` or a place.
const PADDLE: &[Argument] = &[at(0, "device", Form::GpuDevice)];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    device("tensorflow.device", GPU_NAME, "import tensorflow as tf\nwith tf.device(\"/GPU:1\"): pass"),
    device("tensorflow.Graph().device", GPU_NAME, "import tensorflow as tf\ng = tf.Graph()\nwith g.device(\"/job:a/task:0/device:GPU:1\"): pass"),
    device("tensorflow.DeviceSpec.from_string", &[at(0, "spec", Form::GpuText)], "import tensorflow as tf\ntf.DeviceSpec.from_string(\"/GPU:1\")"),
    device("tensorflow.DeviceSpec", &[at(3, "device_type", Form::GpuText), at(4, "device_index", Form::Index)], "import tensorflow as tf\ntf.DeviceSpec(device_type=\"GPU\", device_index=1)"),
    device("tensorflow.config.LogicalDevice", &[at(0, "name", Form::GpuText)], "import tensorflow as tf\ntf.config.LogicalDevice(\"/device:GPU:1\")"),
    gpu("tensorflow.config.get_memory_info", GPU_DEVICE, "import tensorflow as tf\ntf.config.experimental.get_memory_info(\"GPU:1\")"),
    gpu("tensorflow.config.get_memory_usage", GPU_DEVICE, "import tensorflow as tf\ntf.config.experimental.get_memory_usage(\"GPU:1\")"),
    gpu("tensorflow.config.reset_memory_stats", GPU_DEVICE, "import tensorflow as tf\ntf.config.experimental.reset_memory_stats(\"GPU:1\")"),
    // Indices within what CUDA_VISIBLE_DEVICES leaves.
    gpu("tensorflow.GPUOptions", &[named("visible_device_list", Form::List)], "import tensorflow as tf\ntf.GPUOptions(visible_device_list=\"1\")"),
    device("tensorflow.distribute.MirroredStrategy", &[at(0, "devices", Form::GpuText)], "import tensorflow as tf\ntf.distribute.MirroredStrategy([\"/gpu:1\"])")
        .all_without(&["devices", "num_gpus", "num_gpus_per_worker"], "import tensorflow as tf\ntf.distribute.MirroredStrategy()"),
    device("tensorflow.distribute.OneDeviceStrategy", GPU_DEVICE, "import tensorflow as tf\ntf.distribute.OneDeviceStrategy(\"/gpu:1\")"),
    device("tensorflow.distribute.experimental.CentralStorageStrategy", &[at(0, "compute_devices", Form::GpuText)], "import tensorflow as tf\ntf.distribute.experimental.CentralStorageStrategy([\"/gpu:1\"])")
        .all_without(&["compute_devices"], "import tensorflow as tf\ntf.distribute.experimental.CentralStorageStrategy()"),
    device("tensorflow.data.experimental.prefetch_to_device", GPU_DEVICE, "import tensorflow as tf\ntf.data.experimental.prefetch_to_device(\"/gpu:1\")"),
    device("tensorflow.data.experimental.copy_to_device", &[at(0, "target_device", Form::GpuText)], "import tensorflow as tf\ntf.data.experimental.copy_to_device(\"/gpu:1\")"),
    device("keras.device", GPU_NAME, "import keras\nwith keras.device(\"gpu:1\"): pass"),
    device("keras.distribution.DataParallel", &[at(1, "devices", Form::GpuText)], "import keras\nkeras.distribution.DataParallel(devices=[\"gpu:1\"])")
        .all_without(&["device_mesh", "devices"], "import keras\nkeras.distribution.DataParallel()"),
    gpu("keras.utils.multi_gpu_model", &[at(1, "gpus", Form::Gpus)], "from keras.utils import multi_gpu_model\nmulti_gpu_model(m, gpus=[1])"),
    // A list within what CUDA_VISIBLE_DEVICES leaves: `jax/_src/xla_bridge.py`.
    device("jax.config.update", &[at(1, "val", Form::After("jax_cuda_visible_devices"))], "import jax\njax.config.update(\"jax_cuda_visible_devices\", \"1\")"),
    device("jax.distributed.initialize", &[at(3, "local_device_ids", Form::Index)], "import jax\njax.distributed.initialize(a, 2, 0, local_device_ids=[1])"),
    device("paddle.set_device", PADDLE, "import paddle\npaddle.set_device(\"gpu:1\")"),
    device("paddle.set_default_device", PADDLE, "import paddle\npaddle.set_default_device(\"gpu:1\")"),
    gpu("paddle.CUDAPlace", &[at(0, "", Form::Index)], "import paddle\npaddle.CUDAPlace(1)"),
    gpu("paddle.static.cuda_places", &[at(0, "device_ids", Form::Index)], "import paddle\npaddle.static.cuda_places([1])")
        .all_without(&["device_ids"], "import paddle\npaddle.static.cuda_places()"),
    gpu("paddle.cuda_places", &[at(0, "device_ids", Form::Index)], "import paddle.fluid as fluid\nfluid.cuda_places(1)")
        .all_without(&["device_ids"], "import paddle.fluid as fluid\nfluid.cuda_places()"),
    device("paddle.static.device_guard", GPU_DEVICE, "import paddle\nwith paddle.static.device_guard(\"gpu:1\"): pass"),
    gpu("paddle.cuda.set_device", PADDLE, "import paddle\npaddle.cuda.set_device(1)"),
    gpu("paddle.cuda.synchronize", PADDLE, "import paddle\npaddle.device.cuda.synchronize(1)"),
    gpu("paddle.cuda.get_device_properties", PADDLE, "import paddle\npaddle.device.cuda.get_device_properties(\"gpu:1\")"),
    gpu("paddle.cuda.get_device_name", PADDLE, "import paddle\npaddle.device.cuda.get_device_name(1)"),
    gpu("paddle.cuda.get_device_capability", PADDLE, "import paddle\npaddle.device.cuda.get_device_capability(1)"),
    gpu("paddle.cuda.max_memory_allocated", PADDLE, "import paddle\npaddle.device.cuda.max_memory_allocated(1)"),
    gpu("paddle.cuda.memory_allocated", PADDLE, "import paddle\npaddle.device.cuda.memory_allocated(1)"),
    gpu("paddle.cuda.memory_reserved", PADDLE, "import paddle\npaddle.device.cuda.memory_reserved(1)"),
    gpu(".enable_use_gpu", &[at(1, "device_id", Form::Index)], "import paddle\nconfig.enable_use_gpu(100, 1)"),
    device("paddle.distributed.spawn", &[named("gpus", Form::List)], "import paddle.distributed as dist\ndist.spawn(f, nprocs=1, gpus=\"1\")"),
    gpu("mxnet.gpu", &[at(0, "device_id", Form::Index)], "import mxnet as mx\nmx.gpu(1)"),
    gpu("mxnet.gpu_memory_info", &[at(0, "device_id", Form::Index)], "import mxnet as mx\nmx.context.gpu_memory_info(1)"),
    device("mxnet.Context", &[at(0, "device_type", Form::GpuText), at(1, "device_id", Form::Index)], "import mxnet as mx\nmx.Context(\"gpu\", 1)"),
    gpu("chainer.cuda.get_device_from_id", &[at(0, "device_id", Form::Index)], "import chainer\nchainer.backends.cuda.get_device_from_id(1).use()"),
    gpu("chainer.cuda.get_device", &[at(0, "", Form::Index)], "from chainer import cuda\ncuda.get_device(1).use()"),
    gpu("chainer.cuda.to_gpu", &[at(1, "device", Form::Index)], "from chainer import cuda\ncuda.to_gpu(x, device=1)"),
    gpu(".to_gpu", &[at(0, "device", Form::Index)], "import chainer\nmodel.to_gpu(1)"),
    device("dgl.ndarray.gpu", &[at(0, "dev_id", Form::Index)], "import dgl\ndgl.ndarray.gpu(1)"),
    gpu("tvm.cuda", &[at(0, "dev_id", Form::Index)], "import tvm\ntvm.cuda(1)"),
    gpu("tvm.gpu", &[at(0, "dev_id", Form::Index)], "import tvm\ntvm.gpu(1)"),
    gpu("decord.gpu", &[at(0, "dev_id", Form::Index)], "import decord\ndecord.gpu(1)"),
];
