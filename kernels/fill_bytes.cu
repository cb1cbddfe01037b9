// fill_bytes: reproducible raw bytes below a limit, the same on every executor.
//
// Math      x[r,c] = floor(limit * noise24(seed, first + r*step + c) / 2^24), in integers, so exact
// Shapes    x [R,C], R, C >= 1, any R*C below 2^40; 1 <= limit <= 256; rows of a part of a larger tensor, step of whose
//           bytes lie from one row to the next, the part's first being number first; a whole tensor is one row
// Layout    contiguous; 16-byte stores where x lies on 16 bytes and rows are multiples of 16 bytes, or there is one only
// Roofline  bytes = R*C, no flops, about 20 integer operations a byte: bound by integer units, not by memory
// Launch    grid (min(ceil(R*C/4096), 2112)), block (256), no dynamic shared memory; blocks walk the array
// Numerics  exact
// Source    Steele, Lea and Flood 2014, figure 16
#include "common/noise.cuh"

static __device__ uint32_t byteAt(uint64_t seed, int64_t i, uint32_t limit) {
    return static_cast<uint32_t>(static_cast<uint64_t>(noise24(seed, i)) * limit >> 24);
}

extern "C" __global__ __launch_bounds__(256)
void fill_bytes_u8(uint8_t* x, int64_t rows, int64_t columns, int limit, uint64_t seed, int64_t first, int64_t step) {
    const int64_t n = rows * columns;
    const int64_t thread = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int64_t threads = static_cast<int64_t>(gridDim.x) * blockDim.x;
    const bool wide = reinterpret_cast<uintptr_t>(x) % 16 == 0 && (rows == 1 || columns % 16 == 0);
    const int64_t vectors = wide ? n / 16 : 0;
    for (int64_t i = thread; i < vectors; i += threads) {
        const int64_t at = wholeIndex(i * 16, rows, columns, first, step);
        uint32_t word[4] = {0, 0, 0, 0};
#pragma unroll
        for (int j = 0; j < 16; j++) {
            word[j / 4] |= byteAt(seed, at + j, limit) << (8 * (j % 4));
        }
        reinterpret_cast<uint4*>(x)[i] = make_uint4(word[0], word[1], word[2], word[3]);
    }
    for (int64_t i = vectors * 16 + thread; i < n; i += threads) {
        x[i] = byteAt(seed, wholeIndex(i, rows, columns, first, step), limit);
    }
}
