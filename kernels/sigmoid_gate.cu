// sigmoid_gate: rows scaled by a sigmoid, element by element or whole.
//
// Math      y[t,q,d] = x[t,q,d] / (1 + exp(-gate[t,q,d])); whole: gate[t,q] for all d
// Shapes    x, y [T,Q,D], gate [T,Q,D] or [T,Q]; any T, Q, D >= 1
// Layout    tokens lie xToken, gToken and yToken elements apart, heads xHead, gHead and yHead; 16-byte accesses where
//           pointers, steps and D allow it; y may be x with the same steps
// Roofline  bytes = 6*T*Q*D, whole 4*T*Q*D; flops = 4*T*Q*D: bandwidth-bound everywhere
// Launch    grid (T, ceil(Q*D/2048)), block (256), no dynamic shared memory
// Numerics  |err| <= (2^-8 + 2^-20) * |y|: exponential and division are the fast ones
// Source    Qiu et al. 2025 (Gated Attention for Large Language Models), §2
#include "common/gates.cuh"
#include "common/rows.cuh"

template <int W, bool WHOLE>
static __device__ void token(bf16* y, const bf16* x, const bf16* gate, int Q, int D, int64_t xHead, int64_t gHead,
                             int64_t yHead) {
    const int items = D / W;
    for (int i = blockIdx.y * blockDim.x + threadIdx.x; i < Q * items; i += gridDim.y * blockDim.x) {
        const int64_t head = i / items;
        const int d = i % items * W;
        float v[W], g[W];
        load(v, x + head * xHead + d);
        if constexpr (WHOLE) {
            const float one = sigmoid(__bfloat162float(gate[head * gHead]));
#pragma unroll
            for (int j = 0; j < W; j++) {
                v[j] *= one;
            }
        } else {
            load(g, gate + head * gHead + d);
#pragma unroll
            for (int j = 0; j < W; j++) {
                v[j] *= sigmoid(g[j]);
            }
        }
        store(y + head * yHead + d, v);
    }
}

template <bool WHOLE>
static __device__ void gated(bf16* y, const bf16* x, const bf16* gate, int Q, int D, int64_t xToken, int64_t xHead,
                             int64_t gToken, int64_t gHead, int64_t yToken, int64_t yHead) {
    const int64_t t = blockIdx.x;
    const bool wide = wideRows(x, xToken, D) && wideRows(y, yToken, D) && ((xHead | yHead) & 7) == 0 &&
                      (WHOLE || (wideRows(gate, gToken, D) && (gHead & 7) == 0));
    if (wide) {
        token<8, WHOLE>(y + t * yToken, x + t * xToken, gate + t * gToken, Q, D, xHead, gHead, yHead);
    } else {
        token<1, WHOLE>(y + t * yToken, x + t * xToken, gate + t * gToken, Q, D, xHead, gHead, yHead);
    }
}

extern "C" __global__ __launch_bounds__(256)
void sigmoid_gate_bf16(bf16* y, const bf16* x, const bf16* gate, int Q, int D, int64_t xToken, int64_t xHead,
                       int64_t gToken, int64_t gHead, int64_t yToken, int64_t yHead) {
    gated<false>(y, x, gate, Q, D, xToken, xHead, gToken, gHead, yToken, yHead);
}

extern "C" __global__ __launch_bounds__(256)
void sigmoid_gate_whole_bf16(bf16* y, const bf16* x, const bf16* gate, int Q, int D, int64_t xToken, int64_t xHead,
                             int64_t gToken, int64_t gHead, int64_t yToken, int64_t yHead) {
    gated<true>(y, x, gate, Q, D, xToken, xHead, gToken, gHead, yToken, yHead);
}
