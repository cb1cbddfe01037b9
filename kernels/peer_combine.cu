// peer_combine: experts' results read from the ranks that made them and added up.
//
// Math      y[t,:] = sum_d x_d[first + t, :] over the ranks d with an expert of ids[t,:], d ascending, float32
// Shapes    x [sum T, H] on every rank, ids [T,k] int32, y [T,H]; T >= 0 of its own on every rank, k 1 to 32; ranks 1 to
//           64, expert ids from 0 and below ranks * expertsPerRank
// Layout    contiguous, x where peers reach it; 16-byte accesses where H and addresses allow that
// Roofline  bytes = 2*H*(rows that are read + T) for bf16, rows of other ranks come over links; flops = H * rows
// Launch    grid (blocks), the same on every rank, at most 48; block (512); a warp adds 32 accesses of a row at a time
// Numerics  |err| <= 2^-8 * |y| + ranks * 2^-24 * sum_d |x_d|; the same bits every time
// Source    one-sided combine of TensorRT-LLM
#include "common/bf16.cuh"
#include "common/peer_experts.cuh"

constexpr int TOGETHER = 4; // ranks whose rows are on their way at once

template <typename T, int W>
static __device__ void sumRows(T* y, const PeerAddresses& x, const int* ids, int64_t tokens, int64_t H, int64_t first,
                               int k, int expertsPerRank) {
    const int64_t steps = H / W;
    for (RowParts work(tokens, steps, 32); work.more(); work.next()) {
        const int64_t t = work.row();
        const int64_t step = work.part() * 32 + threadIdx.x % 32;
        uint64_t ranks = ranksOf(ids + t * k, k, expertsPerRank);
        if (step >= steps) {
            continue; // after what the whole warp does together
        }
        float sum[W] = {};
        while (ranks != 0) {
            const int count = min(TOGETHER, __popcll(ranks));
            Pack<T, W> parts[TOGETHER];
#pragma unroll
            for (int j = 0; j < TOGETHER; j++) {
                if (j < count) {
                    parts[j] = Pack<T, W>::load(x.at[nextRank(ranks)], (first + t) * H + step * W);
                }
            }
#pragma unroll
            for (int j = 0; j < TOGETHER; j++) {
                if (j < count) {
                    add(sum, parts[j]);
                }
            }
        }
        rounded<T>(sum).store(y, t * H + step * W);
    }
}

template <typename T>
static __device__ void combine(const PeerGroup& group, T* y, const PeerAddresses& x, const int* ids, int64_t tokens,
                               int64_t H, int64_t first, int k, int expertsPerRank) {
    Meeting meeting(group);
    meeting.begin();
    if (movesWide(x, y, H * sizeof(T))) {
        sumRows<T, WIDE<T>>(y, x, ids, tokens, H, first, k, expertsPerRank);
    } else {
        sumRows<T, 1>(y, x, ids, tokens, H, first, k, expertsPerRank);
    }
    meeting.end();
}

extern "C" __global__ __launch_bounds__(PEER_THREADS, 2)
void peer_combine_bf16(const __grid_constant__ PeerGroup group, bf16* y, const __grid_constant__ PeerAddresses x,
                       const int* ids, int64_t T, int64_t H, int64_t first, int k, int expertsPerRank) {
    combine(group, y, x, ids, T, H, first, k, expertsPerRank);
}

extern "C" __global__ __launch_bounds__(PEER_THREADS, 2)
void peer_combine_f32(const __grid_constant__ PeerGroup group, float* y, const __grid_constant__ PeerAddresses x,
                      const int* ids, int64_t T, int64_t H, int64_t first, int k, int expertsPerRank) {
    combine(group, y, x, ids, T, H, first, k, expertsPerRank);
}
