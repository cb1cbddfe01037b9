// probe: small kernels whose results tell whether arguments, shapes and attributes of a launch arrive.
//
// Build     nvcc -cubin -arch=sm_90a -O3 probe.cu -o probe.sm_90a.cubin   (in this folder, nvcc 13.0)
// Shapes    every array has N elements of 4 bytes unless said otherwise
#include <cuda.h>
#include <stdint.h>

// y[i] += a * x[i]; 32-bit float and integer arguments.
extern "C" __global__ void probe_axpy_f32(float* y, const float* x, float a, int N) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < N) {
        y[i] += a * x[i];
    }
}

// The same, started early: waits for the kernel in front of it before it touches memory.
extern "C" __global__ void probe_axpy_dependent_f32(float* y, const float* x, float a, int N) {
    asm volatile("griddepcontrol.wait;" ::: "memory");
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < N) {
        y[i] += a * x[i];
    }
}

// y[i] = base + i in 64 bits, y [N] int64; a three-dimensional grid of one-thread blocks, numbered x first.
extern "C" __global__ void probe_ramp_i64(int64_t* y, int64_t base, int N) {
    int i = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    if (i < N) {
        y[i] = base + i;
    }
}

// y[i] = x[N-1-i] through N floats of dynamic shared memory; one block.
extern "C" __global__ void probe_reverse_f32(float* y, const float* x, int N) {
    extern __shared__ float row[];
    for (int i = threadIdx.x; i < N; i += blockDim.x) {
        row[i] = x[i];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < N; i += blockDim.x) {
        y[i] = row[N - 1 - i];
    }
}

// y[block] = rank of the block in its cluster + 100 * blocks of the cluster.
extern "C" __global__ void probe_cluster_i32(int* y) {
    uint32_t rank, size;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
    y[blockIdx.x] = static_cast<int>(rank + 100 * size);
}

// y [8,16] = the box of a float32 tensor map whose first element is at (column, row); one block.
extern "C" __global__ void probe_tensor_map_f32(
    float* y, const __grid_constant__ CUtensorMap map, int column, int row) {
    __shared__ alignas(128) float box[8 * 16];
    __shared__ uint64_t barrier;
    uint32_t target = static_cast<uint32_t>(__cvta_generic_to_shared(box));
    uint32_t arrival = static_cast<uint32_t>(__cvta_generic_to_shared(&barrier));
    if (threadIdx.x == 0) {
        asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(arrival));
        asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
        asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(arrival), "r"(8 * 16 * 4));
        asm volatile(
            "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(
                target),
            "l"(&map), "r"(column), "r"(row), "r"(arrival)
            : "memory");
    }
    __syncthreads();
    uint32_t done = 0;
    while (done == 0) {
        asm volatile(
            "{\n.reg .pred p;\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], 0;\nselp.u32 %0, 1, 0, p;\n}"
            : "=r"(done)
            : "r"(arrival)
            : "memory");
    }
    for (int i = threadIdx.x; i < 8 * 16; i += blockDim.x) {
        y[i] = box[i];
    }
}
