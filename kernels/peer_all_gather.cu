// peer_all_gather: every rank gets the rows of all ranks that reach each other's memory; up to four tensors at once.
//
// Math      y[starts[r] + t, :] = x_r[t, :] for every part
// Shapes    x [T_r, bytes], y [sum T, bytes]; T_r >= 0 of its own on every rank, any bytes; ranks 1 to 64
// Layout    contiguous, x where peers reach it; 16-byte accesses where bytes and addresses allow that, else single bytes
// Roofline  bytes = 2*bytes*sum T, of which bytes*(sum T - T_own) come over links; no flops
// Launch    grid (blocks), the same on every rank, at most 48; block (512)
// Numerics  exact
// Source    NCCL user guide, AllGather
#include "common/peer_rows.cuh"

constexpr int MOST_PARTS = 4;

struct GatherParts {
    PeerAddresses x[MOST_PARTS];
    char* y[MOST_PARTS];
    int64_t bytes[MOST_PARTS]; // of a row; 0 for parts that there are not
};

extern "C" __global__ __launch_bounds__(PEER_THREADS, 3)
void peer_all_gather_u8(const __grid_constant__ PeerGroup group, const __grid_constant__ GatherParts parts,
                        const __grid_constant__ RowStarts starts) {
    Meeting meeting(group);
    meeting.begin();
    for (int p = 0; p < MOST_PARTS; p++) {
        if (movesWide(parts.x[p], parts.y[p], parts.bytes[p])) {
            gatherRows<uint4>(parts.y[p], parts.x[p], starts, parts.bytes[p], group.ranks);
        } else {
            gatherRows<uint8_t>(parts.y[p], parts.x[p], starts, parts.bytes[p], group.ranks);
        }
    }
    meeting.end();
}
