// peer_combine_fp8: experts' results that travel as E4M3, packed where they were made, read and added up at home.
//
// Math      pack: scale[p,b] = max_i |x[p, 128b + i]| / 448, or 1 where that is 0; codes[p,h] = e4m3(x[p,h] / scale[p, h/128])
//           sum:  y[t,:] = sum_d v_d[first + t, :] over the ranks d with an expert of ids[t,:], d ascending, float32;
//           v is x of rank self, this one, and codes * scale of the others
// Shapes    x, codes [sum T, H], scales [sum T, ceil(H/128)] on every rank, ids [T,k] int32, y [T,H]; T >= 0 of its own
//           on every rank, k 1 to 32; ranks 1 to 64, expert ids from 0 and below ranks * expertsPerRank
// Layout    contiguous, codes and scales where peers reach them; accesses of eight elements where H % 8 == 0 and
//           addresses are multiples of 16 bytes
// Roofline  pack: bytes = 3*H*sum T; sum: bytes = (H + H/32)*(rows that are read) + 4*H*T
// Launch    pack: grid (sum T), block (512), a warp a run of 128; sum: grid (blocks), the same on every rank, at most 48,
//           block (512)
// Numerics  as if an element of another rank were e4m3(x/scale)*scale: within 2^-4 of it, or 2^-10 of its run's scale;
//           then |err| <= 2^-8 * |y| + ranks * 2^-24 * sum_d |v_d|; the same bits every time
// Source    use_low_precision_moe_combine of TensorRT-LLM; OCP 8-bit floating point specification 1.0
#include <cuda_fp8.h>

#include "common/bf16.cuh"
#include "common/peer_experts.cuh"

constexpr int RUN = 128; // layerwise.op.AllToAllCombine.FP8_RUN

extern "C" __global__ __launch_bounds__(PEER_THREADS)
void peer_combine_fp8_pack_bf16(uint8_t* codes, float* scales, const bf16* x, int64_t H) {
    const int64_t row = blockIdx.x;
    const int lane = threadIdx.x % 32;
    const int64_t runs = (H + RUN - 1) / RUN;
    for (int64_t run = threadIdx.x / 32; run < runs; run += PEER_WARPS) {
        float value[RUN / 32];
        float largest = 0;
#pragma unroll
        for (int j = 0; j < RUN / 32; j++) {
            const int64_t h = run * RUN + 32 * j + lane;
            value[j] = h < H ? __bfloat162float(x[row * H + h]) : 0;
            largest = fmaxf(largest, fabsf(value[j]));
        }
#pragma unroll
        for (int step = 16; step > 0; step /= 2) {
            largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, step));
        }
        const float scale = largest == 0 ? 1 : largest / 448;
        if (lane == 0) {
            scales[row * runs + run] = scale;
        }
#pragma unroll
        for (int j = 0; j < RUN / 32; j++) {
            const int64_t h = run * RUN + 32 * j + lane;
            if (h < H) {
                codes[row * H + h] = __nv_cvt_float_to_fp8(value[j] / scale, __NV_SATFINITE, __NV_E4M3);
            }
        }
    }
}

template <int W>
static __device__ void addCodes(float (&sum)[W], const Pack<uint8_t, W>& codes, float scale) {
#pragma unroll
    for (int j = 0; j < W; j++) {
        const __half half = static_cast<__half>(__nv_cvt_fp8_to_halfraw(codes.at[j], __NV_E4M3));
        sum[j] = __fadd_rn(sum[j], __fmul_rn(__half2float(half), scale)); // not fused: the product is rounded first
    }
}

template <int W>
static __device__ void sumRows(bf16* y, const bf16* x, const PeerAddresses& codes, const PeerAddresses& scales,
                               const int* ids, int64_t tokens, int64_t H, int64_t first, int k, int expertsPerRank,
                               int self) {
    const int64_t steps = H / W;
    const int64_t runs = (H + RUN - 1) / RUN;
    for (RowParts work(tokens, steps, 32); work.more(); work.next()) {
        const int64_t t = work.row();
        const int64_t step = work.part() * 32 + threadIdx.x % 32;
        uint64_t ranks = ranksOf(ids + t * k, k, expertsPerRank);
        if (step >= steps) {
            continue; // after what the whole warp does together
        }
        float sum[W] = {};
        while (ranks != 0) {
            const int rank = nextRank(ranks);
            const int64_t at = (first + t) * H + step * W;
            if (rank == self) {
                add(sum, Pack<bf16, W>::load(x, at));
            } else {
                const float* rowScales = reinterpret_cast<const float*>(scales.at[rank]) + (first + t) * runs;
                addCodes(sum, Pack<uint8_t, W>::load(codes.at[rank], at), rowScales[step * W / RUN]);
            }
        }
        rounded<bf16>(sum).store(y, t * H + step * W);
    }
}

extern "C" __global__ __launch_bounds__(PEER_THREADS, 2)
void peer_combine_fp8_bf16(const __grid_constant__ PeerGroup group, bf16* y, const bf16* x,
                           const __grid_constant__ PeerAddresses codes, const __grid_constant__ PeerAddresses scales,
                           const int* ids, int64_t T, int64_t H, int64_t first, int k, int expertsPerRank, int self) {
    Meeting meeting(group);
    meeting.begin();
    if (H % 8 == 0 && movesWide(codes, y, 0) && movesWide(codes, x, 0)) {
        sumRows<8>(y, x, codes, scales, ids, T, H, first, k, expertsPerRank, self);
    } else {
        sumRows<1>(y, x, codes, scales, ids, T, H, first, k, expertsPerRank, self);
    }
    meeting.end();
}
