// rotary: rotary position embedding by a table of cosines and sines.
//
// Math      (y[a], y[b]) = (x[a]*c - x[b]*s, x[b]*c + x[a]*s) for pair i of a head, c = table[position, 0, i],
//           s = table[position, 1, i]; interleaved: a = 2i, b = 2i+1; half_split: a = i, b = i+D/2; rounded once
// Shapes    x, y [T,Q,D], positions [T] int32, table [P,2,D/2] float32; D even, every position < P
// Layout    tokens lie xToken and yToken elements apart, heads xHead and yHead, elements of a head side by side;
//           y may be x with the same steps. 16-byte accesses where pointers and steps allow it; table lies on 16 bytes
// Roofline  bytes = 4*T*Q*D + 4*T*D, flops = 3*T*Q*D: bandwidth-bound everywhere
// Launch    grid (T, ceil(Q*D/2048)), block (256), no dynamic shared memory
// Numerics  |err| <= 2^-8*|y| + 2^-23*(|x[a]| + |x[b]|)
// Source    Su et al. 2021, eq. 34
#include "common/rotate.cuh"

template <Pairs P, int W>
static __device__ void token(
    bf16* y, const bf16* x, const float* angles, int Q, int D, int64_t xHead, int64_t yHead) {
    const int items = rotationItems<P, W>(D);
    for (int i = blockIdx.y * blockDim.x + threadIdx.x; i < Q * items; i += gridDim.y * blockDim.x) {
        const int64_t head = i / items;
        rotate<P, W>(y + head * yHead, x + head * xHead, angles, D, i % items, [](int, const float (&)[W]) {});
    }
}

template <Pairs P>
static __device__ void rotary(bf16* y, const bf16* x, const int* positions, const float* table, int Q, int D,
                              int64_t xToken, int64_t xHead, int64_t yToken, int64_t yHead) {
    const int64_t t = blockIdx.x;
    const float* angles = table + static_cast<int64_t>(positions[t]) * D;
    if (wideHeads<P>(x, xToken, xHead, D) && wideHeads<P>(y, yToken, yHead, D)) {
        token<P, 8>(y + t * yToken, x + t * xToken, angles, Q, D, xHead, yHead);
    } else {
        token<P, 1>(y + t * yToken, x + t * xToken, angles, Q, D, xHead, yHead);
    }
}

extern "C" __global__ __launch_bounds__(256)
void rotary_interleaved_bf16(bf16* y, const bf16* x, const int* positions, const float* table, int Q, int D,
                             int64_t xToken, int64_t xHead, int64_t yToken, int64_t yHead) {
    rotary<Pairs::INTERLEAVED>(y, x, positions, table, Q, D, xToken, xHead, yToken, yHead);
}

extern "C" __global__ __launch_bounds__(256)
void rotary_half_split_bf16(bf16* y, const bf16* x, const int* positions, const float* table, int Q, int D,
                            int64_t xToken, int64_t xHead, int64_t yToken, int64_t yHead) {
    rotary<Pairs::HALF_SPLIT>(y, x, positions, table, Q, D, xToken, xHead, yToken, yHead);
}
