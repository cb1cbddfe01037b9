// gated_rms_norm: root-mean-square normalisation of groups of a row, with a SiLU gate before or after it.
//
// Math      gate_first: v = x[t,g,d] * silu(z[t,g,d]); y[t,g,d] = v * rsqrt(mean_d(v^2) + eps) * gain
//           norm_first: y[t,g,d] = x[t,g,d] * rsqrt(mean_d(x[t,g,:]^2) + eps) * gain * silu(z[t,g,d])
// Shapes    x, z, y [T,G,D], gain [G*D], or [D] for all groups (gainStep 0); any T, G, D >= 1
// Layout    tokens of x, z and y lie ldx, ldz and ldy elements apart, groups follow each other; 16-byte accesses where
//           pointers, steps and D allow it; y may be x
// Roofline  bytes = 6*T*G*D, flops = 9*T*G*D: bandwidth-bound everywhere
// Launch    grid (ceil(T*G/8)), or half of it for D <= 128, block (256), no dynamic shared memory; a warp, or half of one,
//           for each group. Where 16-byte accesses go, x, z and gain of up to 512 elements, or 128, come at once; else
//           x is read twice but for the first 256 elements, one by one the first 64, or 32
// Numerics  |err| <= (2^-8 + 2^-20 + 8*sqrt(D)*2^-24) * |y|: exponential and division are the fast ones
// Source    Dao and Gu 2024 (Mamba-2), §7.1; Zhang and Sennrich 2019, eq. 4
#include "common/gates.cuh"
#include "common/warp_rows.cuh"

template <int LANES, int W, bool GATE_FIRST>
static __device__ void group(bf16* y, const bf16* x, const bf16* z, const bf16* gain, int D, float eps) {
    auto gate = [&](int i, float (&v)[W]) {
        float g[W];
        load(g, z + i);
#pragma unroll
        for (int j = 0; j < W; j++) {
            v[j] *= g[j] * sigmoid(g[j]);
        }
    };
    scaleRow<LANES, W, W == 8 ? 1 : 2>(
        D,
        [&](int i, float (&v)[W]) {
            load(v, x + i);
            if constexpr (GATE_FIRST) {
                gate(i, v);
            }
        },
        [&](float squares) { return rsqrtf(squares / D + eps); },
        [&](int i, float (&v)[W], float factor) {
            float g[W];
            load(g, gain + i);
#pragma unroll
            for (int j = 0; j < W; j++) {
                v[j] *= factor * g[j];
            }
            if constexpr (!GATE_FIRST) {
                gate(i, v);
            }
            storeAtOnce(y + i, v);
        });
}

static __device__ __forceinline__ void unpack(float (&v)[8], const uint4& raw) {
    const uint32_t word[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
    for (int j = 0; j < 4; j++) {
        v[2 * j] = lowBf16(word[j]);
        v[2 * j + 1] = highBf16(word[j]);
    }
}

// A group of at most 8*LANES*HELD elements, multiples of 8, all of whose operands are on their way before the first is
// used: few registers hold them as they come, so that many threads have copies under way.
template <int LANES, int HELD, bool GATE_FIRST>
static __device__ __forceinline__ void shortGroup(bf16* y, const bf16* x, const bf16* z, const bf16* gain, int D,
                                                  float eps) {
    constexpr int STEP = 8 * LANES;
    const int start = threadIdx.x % LANES * 8;
    auto fetch = [&](const bf16* p, int i) {
        return start + i * STEP < D ? *reinterpret_cast<const uint4*>(p + start + i * STEP) : make_uint4(0, 0, 0, 0);
    };
    uint4 of_x[HELD], of_z[HELD], of_gain[HELD];
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        of_x[i] = fetch(x, i);
        of_z[i] = fetch(z, i);
    }
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        of_gain[i] = fetch(gain, i);
    }
    auto gate = [](float (&v)[8], const uint4& raw) {
        float g[8];
        unpack(g, raw);
#pragma unroll
        for (int j = 0; j < 8; j++) {
            v[j] *= g[j] * sigmoid(g[j]);
        }
    };
    float v[HELD][8];
    float squares = 0;
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        unpack(v[i], of_x[i]);
        if constexpr (GATE_FIRST) {
            gate(v[i], of_z[i]);
        }
#pragma unroll
        for (int j = 0; j < 8; j++) {
            squares += v[i][j] * v[i][j];
        }
    }
#pragma unroll
    for (int distance = LANES / 2; distance > 0; distance /= 2) {
        squares += __shfl_xor_sync(0xFFFFFFFFu, squares, distance);
    }
    const float factor = rsqrtf(squares / D + eps);
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        if (start + i * STEP < D) {
            float g[8];
            unpack(g, of_gain[i]);
#pragma unroll
            for (int j = 0; j < 8; j++) {
                v[i][j] *= factor * g[j];
            }
            if constexpr (!GATE_FIRST) {
                gate(v[i], of_z[i]);
            }
            storeAtOnce(y + start + i * STEP, v[i]);
        }
    }
}

template <bool GATE_FIRST>
static __device__ void rows(bf16* y, const bf16* x, const bf16* z, const bf16* gain, int64_t T, int G, int D,
                            int64_t gainStep, int64_t ldx, int64_t ldz, int64_t ldy, float eps) {
    const WarpRow row = warpRow(T, G, D);
    if (!row.exists) {
        return;
    }
    const int64_t at = row.head * D;
    const bool wide = wideRows(x, ldx, D) && wideRows(z, ldz, D) && wideRows(y, ldy, D) && wideRows(gain, gainStep, D);
    x += row.token * ldx + at;
    z += row.token * ldz + at;
    y += row.token * ldy + at;
    gain += row.head * gainStep;
    if (wide && D <= HALF_ROW) {
        shortGroup<16, 1, GATE_FIRST>(y, x, z, gain, D, eps);
    } else if (wide && D <= 4 * HALF_ROW) {
        shortGroup<32, 2, GATE_FIRST>(y, x, z, gain, D, eps);
    } else if (wide) {
        group<32, 8, GATE_FIRST>(y, x, z, gain, D, eps);
    } else if (D <= HALF_ROW) {
        group<16, 1, GATE_FIRST>(y, x, z, gain, D, eps);
    } else {
        group<32, 1, GATE_FIRST>(y, x, z, gain, D, eps);
    }
}

extern "C" __global__ __launch_bounds__(256, 5)
void gated_rms_norm_gate_first_bf16(bf16* y, const bf16* x, const bf16* z, const bf16* gain, int64_t T, int G, int D,
                                    int64_t gainStep, int64_t ldx, int64_t ldz, int64_t ldy, float eps) {
    rows<true>(y, x, z, gain, T, G, D, gainStep, ldx, ldz, ldy, eps);
}

extern "C" __global__ __launch_bounds__(256, 5)
void gated_rms_norm_norm_first_bf16(bf16* y, const bf16* x, const bf16* z, const bf16* gain, int64_t T, int G, int D,
                                    int64_t gainStep, int64_t ldx, int64_t ldz, int64_t ldy, float eps) {
    rows<false>(y, x, z, gain, T, G, D, gainStep, ldx, ldz, ldy, eps);
}
