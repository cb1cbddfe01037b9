// peer_return: experts' results written into the memory of the ranks whose tokens they are of.
//
// Math      home_r[self, t, :] = x[starts[r] + t, :] for every rank r where this one has an expert of ids_r[t, :]
// Shapes    x [sum T, bytes], home [ranks, T_r, bytes] on rank r; ids [T_r,k] int32; T_r >= 0 of its own on every rank, k 1
//           to 32; ranks 1 to 64, expert ids from 0 and below ranks * expertsPerRank
// Layout    contiguous, ids and home where peers reach them; 16-byte accesses where bytes and addresses allow that, else
//           single bytes
// Roofline  bytes = 2 * bytes * rows that leave, of which what other ranks get goes over links; no flops
// Launch    grid (blocks), the same on every rank, at most 48; block (512); a warp moves 128 accesses of a row at a time
// Numerics  exact; peer_combine adds what has come home
// Source    stands for the way back of TensorRT-LLM's two-sided exchange and of DeepEP: the same rows over the links
#include "common/peer_experts.cuh"
#include "common/peer_rows.cuh"

template <typename V>
static __device__ void returnRows(const PeerGroup& group, const PeerAddresses& home, const V* x,
                                  const PeerAddresses& ids, const RowStarts& starts, int64_t steps, int k,
                                  int expertsPerRank) {
    for (int rank = 0; rank < group.ranks; rank++) {
        const int first = starts.at[rank];
        const int64_t tokens = starts.at[rank + 1] - first;
        const int* theirIds = reinterpret_cast<const int*>(ids.at[rank]);
        V* place = reinterpret_cast<V*>(home.at[rank]) + group.rank * tokens * steps;
        for (RowParts work(tokens, steps, PART_STEPS); work.more(); work.next()) {
            const int64_t t = work.row();
            if (ranksOf(theirIds + t * k, k, expertsPerRank) >> group.rank & 1) {
                copyPart(place + t * steps, x + (first + t) * steps, work, steps);
            }
        }
    }
}

extern "C" __global__ __launch_bounds__(PEER_THREADS, 3)
void peer_return_u8(const __grid_constant__ PeerGroup group, const __grid_constant__ PeerAddresses home, const char* x,
                    const __grid_constant__ PeerAddresses ids, const __grid_constant__ RowStarts starts, int64_t bytes,
                    int k, int expertsPerRank) {
    Meeting meeting(group);
    meeting.begin();
    if (movesWide(home, x, bytes)) {
        returnRows(group, home, reinterpret_cast<const uint4*>(x), ids, starts, bytes / 16, k, expertsPerRank);
    } else {
        returnRows(group, home, reinterpret_cast<const uint8_t*>(x), ids, starts, bytes, k, expertsPerRank);
    }
    meeting.end();
}
