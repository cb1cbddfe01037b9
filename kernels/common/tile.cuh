// Shared-memory boxes that tensor cores read: rows of 64 bf16 (128 bytes), 16-byte chunks exchanged within 8 rows so
// that neither a column of chunks nor a row meets a bank twice (the hardware's 128-byte swizzle).
#pragma once

#include <stdint.h>

#include "barrier.cuh"

constexpr int BOX_COLUMNS = 64;
constexpr int BOX_ROW_BYTES = 128;

// Byte offset of chunk `chunk` (8 elements) of a row; boxes lie on multiples of 1024 bytes.
__device__ __forceinline__ uint32_t chunkOffset(int row, int chunk) {
    return row * BOX_ROW_BYTES + ((chunk ^ (row & 7)) << 4);
}

// Copies 16 bytes asynchronously, or writes zeros where `present` is false; `from` must be readable either way.
__device__ __forceinline__ void copyChunk(uint32_t to, const void* from, bool present) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(present ? 16 : 0)
                 : "memory");
}

__device__ __forceinline__ void storeChunk(uint32_t to, uint4 v) {
    asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w)
                 : "memory");
}

__device__ __forceinline__ void storeWord(uint32_t to, uint32_t v) {
    asm volatile("st.shared.b32 [%0], %1;" ::"r"(to), "r"(v) : "memory");
}
