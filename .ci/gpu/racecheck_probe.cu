// racecheck_probe: which orderings racecheck follows. Each kernel hands 128 words from one warp to another through shared
// memory, ordered as the PTX ISA asks; racecheck should find nothing in any. What it reports for the first is no race.
//
// Build     nvcc -arch=sm_90a racecheck_probe.cu -o racecheck_probe
// Run       compute-sanitizer --tool racecheck --print-limit 2 ./racecheck_probe NUMBER   (0, 1 or 2; checks the sum)
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "../../kernels/common/stage_barrier.cuh"

enum Order { COPIES_AND_BARRIER, STORES_AND_BARRIER, COPIES_AND_SYNC };

__device__ uint32_t address(const void* shared) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
}

template <Order order>
__global__ void hand(int* out, const int* in) {
    __shared__ alignas(16) int words[128];
    __shared__ alignas(8) uint64_t full;
    bool producer = threadIdx.x < 32;
    if (threadIdx.x == 0) {
        createBarrier(address(&full), 32);
    }
    __syncthreads();
    if (producer) {
        int at = 4 * threadIdx.x;
        if (order == STORES_AND_BARRIER) {
            *reinterpret_cast<int4*>(words + at) = *reinterpret_cast<const int4*>(in + at);
            arrive(address(&full));
        } else {
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address(words + at)), "l"(in + at) : "memory");
            if (order == COPIES_AND_BARRIER) {
                arriveAfterCopies(address(&full));
            } else {
                asm volatile("cp.async.wait_all;" ::: "memory");
            }
        }
    }
    if (order == COPIES_AND_SYNC) {
        __syncthreads();
    } else if (!producer) {
        awaitPhase(address(&full), 0);
    }
    if (!producer) {
        for (int i = threadIdx.x - 32; i < 128; i += 32) {
            atomicAdd(out, words[127 - i]);
        }
    }
}

int main(int count, char** arguments) {
    int values[128], sum = 0, *in, *out;
    for (int i = 0; i < 128; i++) {
        values[i] = i;
    }
    cudaMalloc(&in, sizeof values);
    cudaMalloc(&out, 4);
    cudaMemcpy(in, values, sizeof values, cudaMemcpyHostToDevice);
    cudaMemset(out, 0, 4);
    switch (count > 1 ? std::atoi(arguments[1]) : 0) {
        case 0: hand<COPIES_AND_BARRIER><<<1, 64>>>(out, in); break;
        case 1: hand<STORES_AND_BARRIER><<<1, 64>>>(out, in); break;
        default: hand<COPIES_AND_SYNC><<<1, 64>>>(out, in);
    }
    cudaMemcpy(&sum, out, 4, cudaMemcpyDeviceToHost);
    std::printf("sum %d, expected %d\n", sum, 127 * 128 / 2);
    return sum != 127 * 128 / 2;
}
