// pool_rows: positions in a token's sequence as rows of the paged pool.
//
// Math      rows[t,j] = -1 where indices[t,j] < 0, else page * pageTokens + s % pageTokens with s = indices[t,j], page =
//           pageTable[sequence of t, s / pageTokens]
// Shapes    indices and rows [T,k], starts [B+1], pageTable [B, tablePages] int32; any T, k, B, pageTokens
// Layout    contiguous; four at a time where k is a multiple of 4 and pointers are of 16 bytes
// Roofline  bytes = 8*T*k and the page table: bandwidth-bound in prefill, latency-bound in decode
// Launch    grid (T), block (256), no dynamic shared memory
// Numerics  exact
// Source    Kwon et al. 2023, section 4
#include "common/index_head.cuh"
#include "common/paged.cuh"

extern "C" __global__ __launch_bounds__(256)
void pool_rows_i32(int* rows, const int* indices, const int* starts, const int* pageTable, int B, int tablePages,
                   int pageTokens, int k) {
    const int64_t t = blockIdx.x;
    const Paged paged{starts, nullptr, pageTable, B, tablePages, pageTokens};
    const int sequence = bisectSequence(starts, B, t);
    const int* from = indices + t * k;
    int* to = rows + t * k;
    const auto row = [&](int s) { return s < 0 ? -1 : static_cast<int>(paged.row(sequence, s)); };
    if (k % 4 == 0 && ((reinterpret_cast<uintptr_t>(indices) | reinterpret_cast<uintptr_t>(rows)) & 15) == 0) {
        for (int j = 4 * threadIdx.x; j < k; j += 4 * blockDim.x) {
            const int4 s = *reinterpret_cast<const int4*>(from + j);
            *reinterpret_cast<int4*>(to + j) = make_int4(row(s.x), row(s.y), row(s.z), row(s.w));
        }
    } else {
        for (int j = threadIdx.x; j < k; j += blockDim.x) {
            to[j] = row(from[j]);
        }
    }
}
