//! Calls of C and C++ that choose a card: CUDA's own, and those of libraries.

use super::Form;
use super::native::{NativeCall, call};

const FIRST: &[(usize, Form)] = &[(0, Form::Index)];
const SECOND: &[(usize, Form)] = &[(1, Form::Index)];
const THIRD: &[(usize, Form)] = &[(2, Form::Index)];
const FOURTH: &[(usize, Form)] = &[(3, Form::Index)];
const FIRST_TWO: &[(usize, Form)] = &[(0, Form::Index), (1, Form::Index)];
const PEERS: &[(usize, Form)] = &[(1, Form::Index), (2, Form::Index)];
const COPY: &[(usize, Form)] = &[(1, Form::Index), (3, Form::Index)];
const TEXT: &[(usize, Form)] = &[(0, Form::Text)];
const LIST: &[(usize, Form)] = &[(0, Form::List)];

#[rustfmt::skip]
pub(super) const CALLS: &[NativeCall] = &[
    // CUDA's runtime: https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__DEVICE.html
    call("cudaSetDevice", 1, FIRST, "cudaSetDevice(1);"),
    call("cudaInitDevice", 1, FIRST, "cudaInitDevice(1, 0, 0);"),
    call("cudaSetValidDevices", 1, FIRST, "int devices[] = {1}; cudaSetValidDevices(devices, 1);"),
    call("cudaGetDeviceProperties", 1, SECOND, "cudaGetDeviceProperties(&p, 1);"),
    call("cudaGetDeviceProperties_v2", 1, SECOND, "cudaGetDeviceProperties_v2(&p, 1);"),
    call("cudaDeviceGetAttribute", 1, THIRD, "cudaDeviceGetAttribute(&v, a, 1);"),
    call("cudaDeviceGetP2PAttribute", 1, &[(2, Form::Index), (3, Form::Index)], "cudaDeviceGetP2PAttribute(&v, a, 1, 0);"),
    call("cudaDeviceGetPCIBusId", 1, THIRD, "cudaDeviceGetPCIBusId(text, 64, 1);"),
    call("cudaDeviceGetDefaultMemPool", 1, SECOND, "cudaDeviceGetDefaultMemPool(&pool, 1);"),
    call("cudaDeviceGetMemPool", 1, SECOND, "cudaDeviceGetMemPool(&pool, 1);"),
    call("cudaDeviceSetMemPool", 1, FIRST, "cudaDeviceSetMemPool(1, pool);"),
    call("cudaDeviceCanAccessPeer", 1, PEERS, "cudaDeviceCanAccessPeer(&can, 1, 0);").of_two_cards(),
    call("cudaDeviceEnablePeerAccess", 1, FIRST, "cudaDeviceEnablePeerAccess(1, 0);").of_two_cards(),
    call("cudaDeviceDisablePeerAccess", 1, FIRST, "cudaDeviceDisablePeerAccess(1);").of_two_cards(),
    call("cudaMemPrefetchAsync", 1, THIRD, "cudaMemPrefetchAsync(p, n, 1);"),
    call("cudaMemAdvise", 1, FOURTH, "cudaMemAdvise(p, n, advice, 1);"),
    call("cudaMemcpyPeer", 1, COPY, "cudaMemcpyPeer(to, 1, from, 0, n);").of_two_cards(),
    call("cudaMemcpyPeerAsync", 1, COPY, "cudaMemcpyPeerAsync(to, 1, from, 0, n, s);").of_two_cards(),
    call("cudaGLSetGLDevice", 1, FIRST, "cudaGLSetGLDevice(1);"),
    // The driver: https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__DEVICE.html
    call("cuDeviceGet", 1, SECOND, "cuDeviceGet(&device, 1);"),
    call("cuDeviceGetName", 1, THIRD, "cuDeviceGetName(text, 64, 1);"),
    call("cuDeviceGetAttribute", 1, THIRD, "cuDeviceGetAttribute(&v, a, 1);"),
    call("cuDeviceTotalMem", 1, SECOND, "cuDeviceTotalMem(&n, 1);"),
    call("cuDeviceComputeCapability", 1, THIRD, "cuDeviceComputeCapability(&a, &b, 1);"),
    call("cuDevicePrimaryCtxRetain", 1, SECOND, "cuDevicePrimaryCtxRetain(&c, 1);"),
    call("cuDevicePrimaryCtxRelease", 1, FIRST, "cuDevicePrimaryCtxRelease(1);"),
    call("cuDevicePrimaryCtxReset", 1, FIRST, "cuDevicePrimaryCtxReset(1);"),
    call("cuDeviceCanAccessPeer", 1, PEERS, "cuDeviceCanAccessPeer(&can, 1, 0);").of_two_cards(),
    call("cuCtxCreate", 1, THIRD, "cuCtxCreate(&c, 0, 1);"),
    call("cuCtxCreate_v2", 1, THIRD, "cuCtxCreate_v2(&c, 0, 1);"),
    call("cuMemPrefetchAsync", 1, THIRD, "cuMemPrefetchAsync(p, n, 1, s);"),
    call("cuMemAdvise", 1, FOURTH, "cuMemAdvise(p, n, advice, 1);"),
    call("cuda::device::get", 2, FIRST, "auto d = cuda::device::get(1);"),
    call("cuda::device_ref", 2, FIRST, "cuda::device_ref device{1};"),
    // PyTorch's C++: c10/cuda/CUDAGuard.h, c10/cuda/CUDAFunctions.h, c10/cuda/CUDAStream.h
    call("c10::Device", 1, TEXT, "torch::Device device(\"cuda:1\");").labelled("torch::Device"),
    call("c10::cuda::CUDAGuard", 1, FIRST, "c10::cuda::CUDAGuard guard(1);"),
    call("c10::cuda::OptionalCUDAGuard", 1, FIRST, "at::cuda::OptionalCUDAGuard guard(1);"),
    call("c10::cuda::set_device", 2, FIRST, "c10::cuda::set_device(1);"),
    call("NCudaLib::SetDevice", 2, FIRST, "NCudaLib::SetDevice(1);"),
    call("c10::cuda::SetDevice", 2, FIRST, "c10::cuda::SetDevice(1);"),
    call("c10::cuda::MaybeSetDevice", 2, FIRST, "c10::cuda::MaybeSetDevice(1);"),
    call("c10::cuda::ExchangeDevice", 2, FIRST, "c10::cuda::ExchangeDevice(1);"),
    call("c10::cuda::MaybeExchangeDevice", 2, FIRST, "c10::cuda::MaybeExchangeDevice(1);"),
    call("c10::cuda::getCurrentCUDAStream", 1, FIRST, "at::cuda::getCurrentCUDAStream(1);"),
    call("c10::cuda::getDefaultCUDAStream", 1, FIRST, "at::cuda::getDefaultCUDAStream(1);"),
    call("c10::cuda::getStreamFromPool", 2, SECOND, "at::cuda::getStreamFromPool(false, 1);"),
    call("at::cuda::getDeviceProperties", 2, FIRST, "at::cuda::getDeviceProperties(1);"),
    call("at::cuda::canDeviceAccessPeer", 2, FIRST_TWO, "at::cuda::canDeviceAccessPeer(1, 0);").of_two_cards(),
    call("torch::cuda::synchronize", 2, FIRST, "torch::cuda::synchronize(1);"),
    call(".device_index", 1, FIRST, "auto o = torch::TensorOptions().device(torch::kCUDA).device_index(1);").beside(&["kCUDA", "CUDA", "TensorOptions"]),
    // OpenCV: opencv2/core/cuda.hpp
    call("cv::cuda::setDevice", 2, FIRST, "cv::cuda::setDevice(1);"),
    call("cv::cuda::DeviceInfo", 2, FIRST, "cv::cuda::DeviceInfo info(1);"),
    call("cv::cuda::printCudaDeviceInfo", 1, FIRST, "cv::cuda::printCudaDeviceInfo(1);"),
    call("cv::cuda::printShortCudaDeviceInfo", 1, FIRST, "cv::cuda::printShortCudaDeviceInfo(1);"),
    // ONNX Runtime: onnxruntime_c_api.h, tensorrt_provider_factory.h
    call("OrtSessionOptionsAppendExecutionProvider_CUDA", 1, SECOND, "OrtSessionOptionsAppendExecutionProvider_CUDA(options, 1);"),
    call("OrtSessionOptionsAppendExecutionProvider_Tensorrt", 1, SECOND, "OrtSessionOptionsAppendExecutionProvider_Tensorrt(options, 1);"),
    call("Ort::MemoryInfo", 2, THIRD, "Ort::MemoryInfo info(\"Cuda\", OrtArenaAllocator, 1, OrtMemTypeDefault);").beside(&["\"Cuda\"", "\"CUDA\"", "\"CudaPinned\""]),
    // faiss: faiss/gpu/GpuCloner.h, faiss/gpu/utils/DeviceUtils.h
    call("faiss::gpu::index_cpu_to_gpu", 1, SECOND, "faiss::gpu::index_cpu_to_gpu(&resources, 1, index);"),
    call("faiss::gpu::setCurrentDevice", 2, FIRST, "faiss::gpu::setCurrentDevice(1);"),
    call("faiss::gpu::DeviceScope", 2, FIRST, "faiss::gpu::DeviceScope scope(1);"),
    call("faiss_index_cpu_to_gpu", 1, SECOND, "faiss_index_cpu_to_gpu(resources, 1, index, &out);"),
    // ggml: ggml/include/ggml-cuda.h
    call("ggml_backend_cuda_init", 1, FIRST, "ggml_backend_cuda_init(1);"),
    call("ggml_backend_cuda_buffer_type", 1, FIRST, "ggml_backend_cuda_buffer_type(1);"),
    call("ggml_backend_cuda_get_device_memory", 1, FIRST, "ggml_backend_cuda_get_device_memory(1, &a, &b);"),
    call("ggml_backend_cuda_get_device_description", 1, FIRST, "ggml_backend_cuda_get_device_description(1, text, 64);"),
    call("ggml_cuda_set_device", 1, FIRST, "ggml_cuda_set_device(1);"),
    call("ggml_cuda_set_main_device", 1, FIRST, "ggml_cuda_set_main_device(1);"),
    // Paddle: paddle_analysis_config.h, phi/common/place.h
    call(".EnableUseGpu", 1, SECOND, "config.EnableUseGpu(100, 1);"),
    call("phi::GPUPlace", 1, FIRST, "auto place = paddle::GPUPlace(1);"),
    call("phi::CUDAPlace", 1, FIRST, "auto place = platform::CUDAPlace(1);"),
    // TensorFlow's GPUOptions.
    call(".set_visible_device_list", 1, LIST, "options.config.mutable_gpu_options()->set_visible_device_list(\"1\");"),
    // OpenACC and OpenMP count what CUDA shows.
    call("acc_set_device_num", 1, FIRST, "acc_set_device_num(1, acc_device_nvidia);").beside(&["acc_device_nvidia", "acc_device_default", "acc_device_not_host"]),
    call("omp_set_default_device", 1, FIRST, "omp_set_default_device(1);"),
    // Kokkos: core/src/impl/Kokkos_InitializationSettings.hpp
    call(".set_device_id", 1, FIRST, "auto settings = Kokkos::InitializationSettings().set_device_id(1);").beside(&["Kokkos", "InitializationSettings"]),
    call("dlib::cuda::set_device", 2, FIRST, "dlib::cuda::set_device(1);"),
    call("caffe::Caffe::SetDevice", 2, FIRST, "Caffe::SetDevice(1);"),
    call("mxnet::cpp::Context::gpu", 2, FIRST, "auto context = Context::gpu(1);"),
    call("mxnet::Context::GPU", 2, FIRST, "auto context = mxnet::Context::GPU(1);"),
    call("rmm::cuda_device_id", 1, FIRST, "rmm::cuda_device_id device{1};"),
    call("rmm::cuda_set_device_raii", 1, FIRST, "rmm::cuda_set_device_raii raii{rmm::cuda_device_id{1}};"),
    // darknet: src/cuda.c
    call("cuda_set_device", 1, FIRST, "cuda_set_device(1);"),
];
