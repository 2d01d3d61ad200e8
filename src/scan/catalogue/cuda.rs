//! Libraries close to CUDA: `CuPy`, Numba, `PyCUDA`, cuda-python, Warp, `OpenCV`, RAPIDS, DALI.

use super::{Api, Argument, Form, at, device, gpu, named};

/// The first argument is an index; these functions are compiled and give it no name of use.
const INDEX: &[Argument] = &[at(0, "device", Form::Index)];
const DEVICE_ID: &[Argument] = &[at(0, "device_id", Form::Index)];
/// Warp takes `"cuda:1"`; a number is not a device.
const WARP: &[Argument] = &[at(0, "device", Form::Text)];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    gpu("cupy.*", &[], "import cupy as cp\nx = cp.zeros(3)").labelled("cupy"),
    gpu("cupy.cuda.Device", INDEX, "import cupy\ncupy.cuda.Device(1).use()"),
    gpu("cupy.cuda.runtime.setDevice", INDEX, "import cupy\ncupy.cuda.runtime.setDevice(1)"),
    gpu("cupy.cuda.runtime.getDeviceProperties", INDEX, "import cupy\ncupy.cuda.runtime.getDeviceProperties(1)"),
    gpu("numba.cuda.*", &[], "from numba import cuda\ncuda.to_device(x)").labelled("numba.cuda"),
    gpu("numba.cuda.select_device", DEVICE_ID, "from numba import cuda\ncuda.select_device(1)"),
    gpu("pycuda.driver.Device", &[at(0, "", Form::Index)], "import pycuda.driver as drv\ndrv.Device(1)"),
    gpu("pycuda.tools.make_default_context", &[], "from pycuda.tools import make_default_context\nmake_default_context()"),
    // cuda-python: `from cuda import cudart` until 12.x, `from cuda.bindings import runtime` since.
    gpu("cuda.bindings.driver.cuDeviceGet", &[at(0, "ordinal", Form::Index)], "from cuda import cuda\ncuda.cuDeviceGet(1)"),
    gpu("cuda.bindings.driver.cuDevicePrimaryCtxRetain", &[at(0, "dev", Form::Index)], "from cuda.bindings import driver\ndriver.cuDevicePrimaryCtxRetain(1)"),
    gpu("cuda.bindings.driver.cuDeviceGetName", &[at(1, "dev", Form::Index)], "from cuda.bindings import driver\ndriver.cuDeviceGetName(64, 1)"),
    gpu("cuda.bindings.driver.cuDeviceGetAttribute", &[at(1, "dev", Form::Index)], "from cuda.bindings import driver\ndriver.cuDeviceGetAttribute(a, 1)"),
    gpu("cuda.bindings.driver.cuCtxCreate", &[at(1, "dev", Form::Index)], "from cuda import cuda\ncuda.cuCtxCreate(0, 1)"),
    gpu("cuda.bindings.runtime.cudaSetDevice", INDEX, "from cuda import cudart\ncudart.cudaSetDevice(1)"),
    gpu("cuda.bindings.runtime.cudaInitDevice", INDEX, "from cuda.bindings import runtime\nruntime.cudaInitDevice(1, 0, 0)"),
    gpu("cuda.bindings.runtime.cudaGetDeviceProperties", INDEX, "from cuda.bindings import runtime as cudart\ncudart.cudaGetDeviceProperties(1)"),
    gpu("cuda.bindings.runtime.cudaDeviceGetAttribute", &[at(1, "device", Form::Index)], "from cuda import cudart\ncudart.cudaDeviceGetAttribute(a, 1)"),
    gpu("cuda.bindings.runtime.cudaDeviceCanAccessPeer", &[at(0, "device", Form::Index), at(1, "peerDevice", Form::Index)], "from cuda import cudart\ncudart.cudaDeviceCanAccessPeer(1, peer)"),
    // The libraries themselves, through `ctypes`, `cffi` or a wrapper of it.
    gpu(".cudaSetDevice", INDEX, "import ctypes\nctypes.CDLL(\"libcudart.so\").cudaSetDevice(1)").labelled("cudaSetDevice"),
    gpu(".cudaInitDevice", INDEX, "lib = ctypes.CDLL(\"libcudart.so\")\nlib.cudaInitDevice(1, 0, 0)").labelled("cudaInitDevice"),
    gpu(".cudaGetDeviceProperties", &[at(1, "device", Form::Index)], "lib = ctypes.CDLL(\"libcudart.so\")\nlib.cudaGetDeviceProperties(p, 1)").labelled("cudaGetDeviceProperties"),
    gpu(".cudaMalloc", &[], "lib = ctypes.CDLL(\"libcudart.so\")\nlib.cudaMalloc(p, 64)").labelled("cudaMalloc"),
    gpu(".cuInit", &[], "lib = ctypes.CDLL(\"libcuda.so\")\nlib.cuInit(0)").labelled("cuInit"),
    gpu(".cuDeviceGet", &[at(1, "ordinal", Form::Index)], "lib = ctypes.CDLL(\"libcuda.so.1\")\nlib.cuDeviceGet(p, 1)").labelled("cuDeviceGet"),
    gpu("cuda.core.Device", DEVICE_ID, "from cuda.core.experimental import Device\nDevice(1).set_current()"),
    gpu("cuda.core.DeviceMemoryResource", DEVICE_ID, "from cuda.core import DeviceMemoryResource\nDeviceMemoryResource(1)"),
    device("warp.set_device", &[at(0, "ident", Form::Text)], "import warp as wp\nwp.set_device(\"cuda:1\")"),
    device("warp.get_device", &[at(0, "ident", Form::Text)], "import warp as wp\nwp.get_device(\"cuda:1\")"),
    gpu("warp.get_cuda_device", &[at(0, "ordinal", Form::Index)], "import warp as wp\nwp.get_cuda_device(1)"),
    device("warp.ScopedDevice", WARP, "import warp as wp\nwith wp.ScopedDevice(\"cuda:1\"): pass"),
    device("warp.synchronize_device", WARP, "import warp as wp\nwp.synchronize_device(\"cuda:1\")"),
    device("warp.Stream", WARP, "import warp as wp\nwp.Stream(\"cuda:1\")"),
    gpu("cv2.cuda.setDevice", INDEX, "import cv2\ncv2.cuda.setDevice(1)"),
    gpu("cv2.cuda.DeviceInfo", &[at(0, "device_id", Form::Index)], "import cv2\ncv2.cuda.DeviceInfo(1)"),
    gpu("cv2.cuda.printCudaDeviceInfo", INDEX, "import cv2\ncv2.cuda.printCudaDeviceInfo(1)"),
    gpu("dlib.cuda.set_device", &[at(0, "device_id", Form::Index)], "import dlib\ndlib.cuda.set_device(1)"),
    // `devices: int | list[int] = 0`, `rmm/rmm.py`.
    gpu("rmm.reinitialize", &[at(4, "devices", Form::Index)], "import rmm\nrmm.reinitialize(devices=[1])"),
    gpu("rmm.mr.set_per_device_resource", INDEX, "import rmm\nrmm.mr.set_per_device_resource(1, mr)"),
    gpu("rmm.mr.get_per_device_resource", INDEX, "import rmm\nrmm.mr.get_per_device_resource(1)"),
    // The mask of each worker; without one, a worker for every card.
    gpu("dask_cuda.LocalCUDACluster", &[at(0, "CUDA_VISIBLE_DEVICES", Form::Mask), at(1, "n_workers", Form::Count)], "from dask_cuda import LocalCUDACluster\nLocalCUDACluster(n_workers=1)")
        .all_without(&["CUDA_VISIBLE_DEVICES", "n_workers"], "from dask_cuda import LocalCUDACluster\nLocalCUDACluster()"),
    gpu("nvidia.dali.Pipeline", &[at(2, "device_id", Form::Index)], "from nvidia.dali.pipeline import Pipeline\nPipeline(8, 2, device_id=1)"),
    gpu("nvidia.dali.pipeline_def", &[named("device_id", Form::Index)], "from nvidia.dali import pipeline_def\n@pipeline_def(device_id=1)\ndef p(): pass"),
    gpu("pyarrow.cuda.Context", &[at(0, "device_number", Form::Index)], "import pyarrow.cuda\npyarrow.cuda.Context(1)"),
];
