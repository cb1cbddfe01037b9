// SwiGLU of one element.
#pragma once

#include "gates.cuh"

__device__ __forceinline__ float swiglu(float gate, float up) {
    return gate * (sigmoid(gate) * up);
}
