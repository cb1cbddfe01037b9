// Copies that one thread asks for and a barrier counts in bytes: boxes of tensor maps (PTX ISA 8.0, cp.async.bulk).
#pragma once

#include <cuda.h>

#include "barrier.cuh"

// A box of a map of two axes whose first element is (column, row).
__device__ inline void copyBox(uint32_t to, const CUtensorMap& map, int column, int row, const Barrier& barrier) {
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];"
        ::"r"(to), "l"(&map), "r"(column), "r"(row), "r"(sharedAddress(&barrier.state))
        : "memory");
}

// A box of a map of three axes.
__device__ inline void copyBox(
    uint32_t to, const CUtensorMap& map, int column, int head, int row, const Barrier& barrier) {
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%2, %3, %4}], [%5];" ::"r"(to),
                 "l"(&map), "r"(column), "r"(head), "r"(row), "r"(sharedAddress(&barrier.state))
                 : "memory");
}
