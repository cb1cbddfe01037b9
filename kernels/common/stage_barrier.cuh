// Barriers between the warps that fill the stages of a pipeline and the warps that use them (PTX ISA, mbarrier).
#pragma once

#include <cstdint>

__device__ inline void createBarrier(uint32_t barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

__device__ inline void arrive(uint32_t barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

// Arrives once every copyAsync that this thread has started so far is complete; one of the barrier's arrivals.
__device__ inline void arriveAfterCopies(uint32_t barrier) {
    asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(barrier) : "memory");
}

// Waits for the end of the phase of this parity: 0 is that of the barrier's first phase.
__device__ inline void awaitPhase(uint32_t barrier, int parity) {
    uint32_t over;
    do {
        asm volatile("{\n.reg .pred p;\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}"
                     : "=r"(over)
                     : "r"(barrier), "r"(parity)
                     : "memory");
    } while (over == 0);
}

// Barrier of the first `threads` threads, whole warps, of a block that has others, too.
template <int threads>
__device__ inline void synchroniseFirst() {
    asm volatile("bar.sync 1, %0;" ::"n"(threads) : "memory");
}
