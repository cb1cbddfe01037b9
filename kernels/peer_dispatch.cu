// peer_dispatch: tokens into the memory of the ranks that have their experts; ids and weights into that of all ranks.
//
// Math      y_d[first + t, :] = x[t, :] for every rank d with an expert of ids[t, :]; gathered choices likewise for all d
// Shapes    x [T, bytes], y [sum T, bytes]; ids, weights [T,k] of 4 bytes an element, gathered [sum T, k]; T >= 0 of its
//           own on every rank, k 1 to 32; ranks 1 to 64, expert ids from 0 and below ranks * expertsPerRank
// Layout    contiguous, y and the gathered choices where peers reach them; 16-byte accesses where bytes and addresses
//           allow that, else single bytes
// Roofline  bytes = bytes * (T + rows that arrive), of which what goes to other ranks goes over links; no flops
// Launch    grid (blocks), the same on every rank, at most 48; block (512); a warp moves 128 accesses of a row at a time
// Numerics  exact; rows of y for other ranks' experts stay as they are
// Source    one-sided dispatch of TensorRT-LLM
#include "common/peer_experts.cuh"

template <typename V>
static __device__ void sendRows(const PeerAddresses& y, const char* x, const int* ids, int64_t T, int64_t bytes,
                                int64_t first, int k, int expertsPerRank) {
    const int64_t steps = bytes / static_cast<int64_t>(sizeof(V));
    for (RowParts work(T, steps, PART_STEPS); work.more(); work.next()) {
        const int64_t t = work.row();
        const int64_t from = work.part() * PART_STEPS + threadIdx.x % 32;
        V part[LANE_STEPS] = {};
#pragma unroll
        for (int j = 0; j < LANE_STEPS; j++) {
            if (from + 32 * j < steps) {
                part[j] = reinterpret_cast<const V*>(x)[t * steps + from + 32 * j];
            }
        }
        uint64_t ranks = ranksOf(ids + t * k, k, expertsPerRank);
        while (ranks != 0) {
            V* to = reinterpret_cast<V*>(y.at[nextRank(ranks)]) + (first + t) * steps;
#pragma unroll
            for (int j = 0; j < LANE_STEPS; j++) {
                if (from + 32 * j < steps) {
                    to[from + 32 * j] = part[j];
                }
            }
        }
    }
}

static __device__ void sendChoices(const PeerAddresses& y, const int* x, int64_t count, int64_t first, int ranks) {
    for (int64_t i = firstOfGrid(); i < count; i += gridStep()) {
        const int choice = x[i];
        for (int rank = 0; rank < ranks; rank++) {
            reinterpret_cast<int*>(y.at[rank])[first + i] = choice;
        }
    }
}

extern "C" __global__ __launch_bounds__(PEER_THREADS, 3)
void peer_dispatch_u8(const __grid_constant__ PeerGroup group, const __grid_constant__ PeerAddresses y,
                      const __grid_constant__ PeerAddresses gatheredIds,
                      const __grid_constant__ PeerAddresses gatheredWeights, const char* x, const int* ids,
                      const int* weights, int64_t T, int64_t bytes, int64_t first, int k, int expertsPerRank) {
    Meeting meeting(group);
    meeting.begin();
    sendChoices(gatheredIds, ids, T * k, first * k, group.ranks);
    sendChoices(gatheredWeights, weights, T * k, first * k, group.ranks);
    if (movesWide(y, x, bytes)) {
        sendRows<uint4>(y, x, ids, T, bytes, first, k, expertsPerRank);
    } else {
        sendRows<uint8_t>(y, x, ids, T, bytes, first, k, expertsPerRank);
    }
    meeting.end();
}
