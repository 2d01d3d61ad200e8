//! Calls of Rust's libraries that choose a card.

use super::Form;
use super::native::{NativeCall, call};

const FIRST: &[(usize, Form)] = &[(0, Form::Index)];

#[rustfmt::skip]
pub(super) const CALLS: &[NativeCall] = &[
    // cudarc: `CudaDevice` until 0.12, `CudaContext` since 0.13.
    call("cudarc::driver::CudaContext::new", 2, FIRST, "let c = CudaContext::new(1)?;"),
    call("cudarc::driver::CudaDevice::new", 2, FIRST, "let d = cudarc::driver::CudaDevice::new(1)?;").labelled("CudaDevice::new"),
    call("cudarc::driver::CudaDevice::new_with_stream", 2, FIRST, "let d = CudaDevice::new_with_stream(1)?;").labelled("CudaDevice::new_with_stream"),
    call("cudarc::driver::CudaDeviceBuilder::new", 2, FIRST, "let d = CudaDeviceBuilder::new(1).build()?;"),
    call("cudarc::driver::result::device::get", 3, FIRST, "let d = result::device::get(1)?;"),
    // candle
    call("candle_core::Device::new_cuda", 2, FIRST, "let d = Device::new_cuda(1)?;"),
    call("candle_core::Device::new_cuda_with_stream", 2, FIRST, "let d = Device::new_cuda_with_stream(1)?;"),
    call("candle_core::Device::cuda_if_available", 2, FIRST, "let d = candle_core::Device::cuda_if_available(1)?;"),
    // tch, and burn on top of it
    call("tch::Device::Cuda", 2, FIRST, "let d = tch::Device::Cuda(1);"),
    call("burn_tch::LibTorchDevice::Cuda", 2, FIRST, "let d = LibTorchDevice::Cuda(1);"),
    // burn on top of candle
    call("burn_candle::CandleDevice::cuda", 2, FIRST, "let d = CandleDevice::cuda(1);"),
    // flodl
    call("flodl::Device::CUDA", 2, FIRST, "let d = Device::CUDA(1);"),
    // cust and its predecessor rustacuda
    call("cust::device::Device::get_device", 2, FIRST, "let d = Device::get_device(1)?;"),
    // ort
    call(".with_device_id", 1, FIRST, "let p = CUDAExecutionProvider::default().with_device_id(1).build();").beside(&["CUDAExecutionProvider", "TensorRTExecutionProvider", "NVRTXExecutionProvider", "CUDA", "TensorRT", "NVRTX"]),
    // llama-cpp-2
    call(".with_main_gpu", 1, FIRST, "let p = LlamaModelParams::default().with_main_gpu(1);"),
    // custos
    call("custos::CUDA::new", 2, FIRST, "let d = CUDA::new(1)?;"),
    // CUDA's own functions, through generated bindings
    call("cudaSetDevice", 1, FIRST, "unsafe { cudaSetDevice(1) };"),
    call("cuda_set_device", 1, FIRST, "cuda_set_device(1);"),
    call("cudaGetDeviceProperties", 1, &[(1, Form::Index)], "unsafe { cudaGetDeviceProperties(&mut p, 1) };"),
    call("cuDeviceGet", 1, &[(1, Form::Index)], "unsafe { sys::cuDeviceGet(&mut d, 1) };"),
    call("ggml_backend_cuda_init", 1, FIRST, "unsafe { ggml_backend_cuda_init(1) };"),
];
