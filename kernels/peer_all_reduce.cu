// peer_all_reduce: sum over ranks that reach each other's memory, in one shot: everyone reads everything.
//
// Math      y[i] = sum_r x_r[i], r ascending, float32
// Shapes    x, y [n], the same n on every rank; n >= 0; ranks 1 to 64
// Layout    contiguous, x where peers reach it, y apart from it; 16-byte accesses where n and addresses allow that
// Roofline  bytes = 2*(ranks+1)*n for bf16, of which 2*(ranks-1)*n come over links; flops = ranks*n
// Launch    grid (blocks), the same on every rank, at most 48; block (512)
// Numerics  |err| <= 2^-8 * |y| + ranks * 2^-24 * sum_r |x_r|; the same bits on every rank and every time
// Source    one-shot all-reduce of TensorRT-LLM and vLLM
#include "common/bf16.cuh"
#include "common/peers.cuh"

template <typename T>
static __device__ void allReduce(const PeerGroup& group, T* y, const PeerAddresses& x, int64_t n) {
    Meeting meeting(group);
    meeting.begin();
    if (movesWide(x, y, n * sizeof(T))) {
        sumOverRanks<T, WIDE<T>>(y, x, 0, n, group.ranks);
    } else {
        sumOverRanks<T, 1>(y, x, 0, n, group.ranks);
    }
    meeting.end();
}

extern "C" __global__ __launch_bounds__(PEER_THREADS, 3)
void peer_all_reduce_bf16(const __grid_constant__ PeerGroup group, bf16* y, const __grid_constant__ PeerAddresses x,
                          int64_t n) {
    allReduce(group, y, x, n);
}

extern "C" __global__ __launch_bounds__(PEER_THREADS, 3)
void peer_all_reduce_f32(const __grid_constant__ PeerGroup group, float* y, const __grid_constant__ PeerAddresses x,
                         int64_t n) {
    allReduce(group, y, x, n);
}
