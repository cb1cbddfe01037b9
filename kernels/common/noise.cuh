// A counter-based random source: the finaliser of SplitMix64 over seed and index (Steele, Lea and Flood 2014,
// figure 16), bit for bit that of layerwise.op.Noise.
#pragma once

#include <stdint.h>

__device__ __forceinline__ uint64_t noiseBits(uint64_t seed, uint64_t index) {
    uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

// The 24 bits that make a uniform number in [0, 1) when divided by 2^24.
__device__ __forceinline__ uint32_t noise24(uint64_t seed, uint64_t index) {
    return static_cast<uint32_t>(noiseBits(seed, index) >> 40);
}

// The number in a whole tensor of element i of a part of it: rows of columns elements, step apart, from number first on.
__device__ __forceinline__ int64_t wholeIndex(int64_t i, int64_t rows, int64_t columns, int64_t first, int64_t step) {
    const int64_t row = rows == 1 ? 0 : i / columns; // most tensors are whole, and divisions are slow
    return first + row * step + (i - row * columns);
}
