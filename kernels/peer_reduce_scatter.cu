// peer_reduce_scatter: each of the ranks that reach each other's memory gets its part of the sum.
//
// Math      y[i] = sum_r x_r[first + i], r ascending, float32
// Shapes    x [N] on every rank; y [n], n of its own and from an own first on every rank; n >= 0; ranks 1 to 64
// Layout    contiguous, x where peers reach it; 16-byte accesses where n, first and addresses allow that
// Roofline  bytes = 2*(ranks+1)*n for bf16, of which 2*(ranks-1)*n come over links; flops = ranks*n
// Launch    grid (blocks), the same on every rank, at most 48; block (512)
// Numerics  |err| <= 2^-8 * |y| + ranks * 2^-24 * sum_r |x_r|; the same bits every time
// Source    NCCL user guide, ReduceScatter
#include "common/bf16.cuh"
#include "common/peers.cuh"

template <typename T>
static __device__ void reduceScatter(const PeerGroup& group, T* y, const PeerAddresses& x, int64_t first, int64_t n) {
    Meeting meeting(group);
    meeting.begin();
    if (movesWide(x, y, (first | n) * static_cast<int64_t>(sizeof(T)))) {
        sumOverRanks<T, WIDE<T>>(y, x, first, n, group.ranks);
    } else {
        sumOverRanks<T, 1>(y, x, first, n, group.ranks);
    }
    meeting.end();
}

extern "C" __global__ __launch_bounds__(PEER_THREADS, 3)
void peer_reduce_scatter_bf16(const __grid_constant__ PeerGroup group, bf16* y, const __grid_constant__ PeerAddresses x,
                              int64_t first, int64_t n) {
    reduceScatter(group, y, x, first, n);
}

extern "C" __global__ __launch_bounds__(PEER_THREADS, 3)
void peer_reduce_scatter_f32(const __grid_constant__ PeerGroup group, float* y, const __grid_constant__ PeerAddresses x,
                             int64_t first, int64_t n) {
    reduceScatter(group, y, x, first, n);
}
