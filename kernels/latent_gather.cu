// latent_gather: the cached rows of every sequence, past and new, one sequence after the other.
//
// Math      rows[context(b) + p, :] = cache[row(b, p), :] for p < past[b] + new tokens of b, context(b) = the sum of
//           those lengths over the sequences before b
// Shapes    cache [pages, pageTokens, width] bf16 or e4m3, rows [S, width] bf16, starts [B+1], past [B],
//           pageTable [B, tablePages] int32; any B, S, width >= 1
// Layout    rows of the result lie ldRows elements apart; cache and tables are contiguous. Eight elements per access
//           where pointers and steps allow it
// Roofline  bytes = S*width*(2 + size of a cache element), no flops: bandwidth-bound everywhere
// Launch    grid (ceil(longest/16), B), longest = max_b(past[b] + new tokens of b), block (256), no dynamic shared
//           memory
// Numerics  exact: bf16 holds every E4M3 value
// Source    pages: Kwon et al. 2023, §4
#include "common/latent.cuh"
#include "common/paged.cuh"

constexpr int ROWS = 16; // of one block

template <int W, class C>
static __device__ void copy(bf16* to, const C* cache, const Paged& paged, int sequence, int first, int count, int width,
                            int64_t ldRows) {
    const int vectors = width / W;
    for (int i = threadIdx.x; i < count * vectors; i += blockDim.x) {
        const int64_t r = i / vectors;
        const int column = i % vectors * W;
        float v[W];
        load(v, cache + paged.row(sequence, first + r) * width + column);
        store(to + r * ldRows + column, v);
    }
}

template <class C>
static __device__ void gather(bf16* rows, const C* cache, const Paged& paged, int width, int64_t ldRows) {
    const int sequence = blockIdx.y;
    const int length = paged.past[sequence] + paged.starts[sequence + 1] - paged.starts[sequence];
    const int first = blockIdx.x * ROWS;
    if (first >= length) {
        return;
    }
    bf16* to = rows + (contextStart(paged.starts, paged.past, sequence) + first) * ldRows;
    const int count = min(ROWS, length - first);
    if (wideRows(rows, ldRows, width) && wideCache(cache, width)) {
        copy<8>(to, cache, paged, sequence, first, count, width, ldRows);
    } else {
        copy<1>(to, cache, paged, sequence, first, count, width, ldRows);
    }
}

extern "C" __global__ __launch_bounds__(256)
void latent_gather_bf16(bf16* rows, const bf16* cache, const int* starts, const int* past, const int* pageTable,
                        int B, int tablePages, int pageTokens, int width, int64_t ldRows) {
    gather(rows, cache, Paged{starts, past, pageTable, B, tablePages, pageTokens}, width, ldRows);
}

extern "C" __global__ __launch_bounds__(256)
void latent_gather_e4m3(bf16* rows, const e4m3* cache, const int* starts, const int* past, const int* pageTable,
                        int B, int tablePages, int pageTokens, int width, int64_t ldRows) {
    gather(rows, cache, Paged{starts, past, pageTable, B, tablePages, pageTokens}, width, ldRows);
}
