// Blocks of a cluster: what one tells the other, and copies that reach both.
#pragma once

#include "tensor_copy.cuh"

// All threads of all blocks meet; what they did to shared memory before is seen after.
__device__ inline void syncCluster() {
    asm volatile("barrier.cluster.arrive.aligned;\nbarrier.cluster.wait.aligned;" ::: "memory");
}

// Number of this block in its cluster.
__device__ inline int rankInCluster() {
    uint32_t rank;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return static_cast<int>(rank);
}

// Arrives at the barrier that lies where `barrier` does in block `rank` of the cluster.
__device__ inline void arriveAt(Barrier& barrier, int rank) {
    asm volatile("{\n.reg .b32 there;\nmapa.shared::cluster.u32 there, %0, %1;\n"
                 "mbarrier.arrive.shared::cluster.b64 _, [there];\n}" ::"r"(sharedAddress(&barrier.state)),
                 "r"(rank)
                 : "memory");
}

// A box of a matrix, as copyBox, into the same place of both blocks of a cluster; the barrier of each counts its bytes.
__device__ inline void copyBoxToBoth(uint32_t to, const CUtensorMap& map, Barrier& barrier, int column, int row,
                                     uint64_t policy) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
                 ".multicast::cluster.L2::cache_hint [%0], [%1, {%3, %4}], [%2], %5, %6;" ::"r"(to),
                 "l"(&map), "r"(sharedAddress(&barrier.state)), "r"(column), "r"(row),
                 "h"(static_cast<uint16_t>(3)), "l"(policy)
                 : "memory");
}
