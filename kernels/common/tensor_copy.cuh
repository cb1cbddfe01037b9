// Copies by the bulk copy engine: one thread asks, an mbarrier counts the bytes (PTX ISA, cp.async.bulk).
#pragma once

#include <cuda.h>

#include "barrier.cuh"

// What becomes of a line in L2 after this copy.
enum class Keep : uint64_t { SHORT, LONG };

__device__ inline uint64_t cachePolicy(Keep keep) {
    uint64_t policy;
    if (keep == Keep::SHORT) {
        asm("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    } else {
        asm("createpolicy.fractional.L2::evict_last.b64 %0, 1.0;" : "=l"(policy));
    }
    return policy;
}

// A box of a matrix: elements from `column` on of the rows from `row` on.
__device__ inline void copyBox(uint32_t to, const CUtensorMap& map, Barrier& barrier, int column, int row,
                               uint64_t policy) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint "
                 "[%0], [%1, {%3, %4}], [%2], %5;" ::"r"(to),
                 "l"(&map), "r"(sharedAddress(&barrier.state)), "r"(column), "r"(row), "l"(policy)
                 : "memory");
}

// A box of a tensor of five axes, innermost first.
__device__ inline void copyBox(uint32_t to, const CUtensorMap& map, Barrier& barrier, int a, int b, int c, int d, int e,
                               uint64_t policy) {
    asm volatile("cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint "
                 "[%0], [%1, {%3, %4, %5, %6, %7}], [%2], %8;" ::"r"(to),
                 "l"(&map), "r"(sharedAddress(&barrier.state)), "r"(a), "r"(b), "r"(c), "r"(d), "r"(e), "l"(policy)
                 : "memory");
}

// Bytes side by side; addresses and count are multiples of 16.
__device__ inline void copyBytes(uint32_t to, const void* from, int bytes, Barrier& barrier, uint64_t policy) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint "
                 "[%0], [%1], %2, [%3], %4;" ::"r"(to),
                 "l"(from), "r"(bytes), "r"(sharedAddress(&barrier.state)), "l"(policy)
                 : "memory");
}
