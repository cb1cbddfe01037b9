// Powers of two by the special function unit.
#pragma once

// 2^v to about two units of float32; 0 where that would be subnormal.
__device__ __forceinline__ float fastExp2(float v) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(v));
    return y;
}
