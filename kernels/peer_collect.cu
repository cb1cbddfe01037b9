// peer_collect: a dispatch in which receivers fetch: tokens out of the memory of the ranks that have them, ids and weights
// of all.
//
// Math      y[starts[r] + t, :] = x_r[t, :] where this rank has an expert of ids_r[t, :]; gathered choices for all r and t
// Shapes    x [T_r, bytes], y [sum T, bytes]; ids, weights [T_r,k] of 4 bytes an element, gathered [sum T, k]; T_r >= 0 of
//           its own on every rank, k 1 to 32; ranks 1 to 64, expert ids from 0 and below ranks * expertsPerRank
// Layout    contiguous, x, ids and weights where peers reach them; 16-byte accesses where bytes and addresses allow that,
//           else single bytes
// Roofline  bytes = 2 * bytes * rows that arrive, of which what other ranks have comes over links; no flops
// Launch    grid (blocks), the same on every rank, at most 48; block (512); a warp moves 128 accesses of a row at a time
// Numerics  exact; rows of y for other ranks' experts stay as they are
// Source    stands for the two-sided exchange of TensorRT-LLM and for DeepEP's normal mode: the same rows over the links
#include "common/peer_experts.cuh"
#include "common/peer_rows.cuh"

template <typename V>
static __device__ void fetchRows(const PeerGroup& group, V* y, const PeerAddresses& x, const PeerAddresses& ids,
                                 const RowStarts& starts, int64_t steps, int k, int expertsPerRank) {
    for (int rank = 0; rank < group.ranks; rank++) {
        const int first = starts.at[rank];
        const int* theirIds = reinterpret_cast<const int*>(ids.at[rank]);
        for (RowParts work(starts.at[rank + 1] - first, steps, PART_STEPS); work.more(); work.next()) {
            const int64_t t = work.row();
            if (ranksOf(theirIds + t * k, k, expertsPerRank) >> group.rank & 1) {
                copyPart(y + (first + t) * steps, reinterpret_cast<const V*>(x.at[rank]) + t * steps, work, steps);
            }
        }
    }
}

extern "C" __global__ __launch_bounds__(PEER_THREADS, 3)
void peer_collect_u8(const __grid_constant__ PeerGroup group, char* y, char* gatheredIds, char* gatheredWeights,
                     const __grid_constant__ PeerAddresses x, const __grid_constant__ PeerAddresses ids,
                     const __grid_constant__ PeerAddresses weights, const __grid_constant__ RowStarts starts,
                     int64_t bytes, int k, int expertsPerRank) {
    Meeting meeting(group);
    meeting.begin();
    gatherRows<int>(gatheredIds, ids, starts, 4 * k, group.ranks);
    gatherRows<int>(gatheredWeights, weights, starts, 4 * k, group.ranks);
    if (movesWide(x, y, bytes)) {
        fetchRows(group, reinterpret_cast<uint4*>(y), x, ids, starts, bytes / 16, k, expertsPerRank);
    } else {
        fetchRows(group, reinterpret_cast<uint8_t*>(y), x, ids, starts, bytes, k, expertsPerRank);
    }
    meeting.end();
}
