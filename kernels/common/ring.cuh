// Rings of places in shared memory that some warps fill and others use.
#pragma once

#include "barrier.cuh"

// A place in a ring of N, and the parity of its phase; a place is first awaited empty with the other parity.
template <int N>
struct Turn {
    int place = 0, parity = 0;

    __device__ __forceinline__ void advance(int places) {
        place += places;
        if (place >= N) {
            place -= N;
            parity ^= 1;
        }
    }

    __device__ __forceinline__ Turn ahead(int places) const {
        Turn turn = *this;
        turn.advance(places);
        return turn;
    }
};

// A barrier that one thread of each warp arrives at, when the whole warp got there.
__device__ __forceinline__ void arriveWarp(Barrier& barrier) {
    __syncwarp();
    if (threadIdx.x % 32 == 0) {
        barrier.arrive();
    }
}

// Whether a wait for the barrier's phase of this parity would return at once.
__device__ __forceinline__ bool passed(const Barrier& barrier, int parity) {
    uint32_t over;
    asm volatile(
        "{\n.reg .pred over;\nmbarrier.test_wait.parity.shared::cta.b64 over, [%1], %2;\nselp.u32 %0, 1, 0, over;\n}"
        : "=r"(over)
        : "r"(sharedAddress(&barrier.state)), "r"(parity)
        : "memory");
    return over != 0;
}
