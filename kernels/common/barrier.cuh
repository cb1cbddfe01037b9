// Barriers between the warpgroups of a block (mbarrier), and their register budgets.
#pragma once

#include <cstdint>

#include "async_copy.cuh"

// A barrier in shared memory whose phases end when a fixed number of threads have arrived.
struct Barrier {
    uint64_t state;

    __device__ inline void init(int arrivals) {
        asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(sharedAddress(&state)), "r"(arrivals) : "memory");
    }

    __device__ inline void arrive() {
        asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(sharedAddress(&state)) : "memory");
    }

    // Arrives for this thread, and keeps the phase open until copies have brought `bytes`.
    __device__ inline void arriveExpecting(int bytes) {
        asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(sharedAddress(&state)), "r"(bytes)
                     : "memory");
    }

    // This thread arrives when all its asynchronous copies up to here are done.
    __device__ inline void arriveAfterCopies() {
        asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(sharedAddress(&state)) : "memory");
    }

    // Returns when the phase of this parity is over: 0 is that of the first phase. Before it ends, parity 1 returns at
    // once, as if a phase had gone before.
    __device__ inline void wait(int parity) {
        asm volatile(
            "{\n.reg .pred over;\n"
            "again:\nmbarrier.try_wait.parity.shared::cta.b64 over, [%0], %1;\n@!over bra again;\n}" ::"r"(
                sharedAddress(&state)),
            "r"(parity)
            : "memory");
    }
};

// Makes barriers that one thread has initialised visible to asynchronous copies; a block barrier must follow.
__device__ inline void fenceBarrierInit() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

// Barrier `id` (1..15; 0 is __syncthreads) among `threads` threads, whole warps.
__device__ inline void syncNamed(int id, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// A kernel starts with what __launch_bounds__ leaves a thread; the block's sum must not grow, or claims wait forever.
template <int REGISTERS>
__device__ inline void giveUpRegisters() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}

template <int REGISTERS>
__device__ inline void claimRegisters() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}
