// Blocks of a cluster: barriers and copies between their shared memories (PTX ISA: barrier.cluster, mapa, cp.async.bulk).
#pragma once

#include "barrier.cuh"

// All threads of a cluster arrive, then wait: what they wrote before is visible after. A block must not end while others
// still reach into its shared memory.
__device__ inline void arriveAtCluster() {
    asm volatile("barrier.cluster.arrive.release;" ::: "memory");
}
__device__ inline void awaitCluster() {
    asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
}

// Arrives where nothing but barriers that fenceBarrierInit shows must be visible after; no wait for what was written.
__device__ inline void arriveWithBarriers() {
    asm volatile("barrier.cluster.arrive.relaxed;" ::: "memory");
}

// The address, as other blocks' copies and arrivals take it, of what block `rank` has where this block has `own`.
__device__ inline uint32_t addressIn(uint32_t own, uint32_t rank) {
    uint32_t address;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"(own), "r"(rank));
    return address;
}

// Arrives at a barrier of any block of the cluster. Products that have been awaited have read what they read, but nothing
// that threads have stored is shown to the other block by this: with the scope of a cluster each arrival would wait for
// all of the thread's accesses to memory, and each wait would empty L1.
__device__ inline void arriveInCluster(uint32_t barrier) {
    asm volatile("mbarrier.arrive.shared::cluster.b64 _, [%0];" ::"r"(barrier) : "memory");
}

// Copies bytes of this block's shared memory to another block, whose barrier counts them; the source must stay as it is
// until they have come. Addresses and count are multiples of 16.
__device__ inline void sendBytes(uint32_t to, uint32_t from, int bytes, uint32_t barrier) {
    asm volatile("cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to),
                 "r"(from), "r"(bytes), "r"(barrier)
                 : "memory");
}
