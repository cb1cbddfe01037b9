// Scales of elements that become E4M3.
#pragma once

#include <cstdint>

constexpr float LARGEST = 448, LEAST = 1e-4f;

// The power of two at or above a normal number: any mantissa carries into the exponent.
__device__ __forceinline__ float powerOfTwo(float v) {
    return __uint_as_float((__float_as_uint(v) + 0x7FFFFFu) & 0xFF800000u);
}
