// summarize: how many elements of a matrix are not numbers, infinite, zero.
//
// Math      counts[0] += #{x is NaN}, counts[1] += #{x = +inf or -inf}, counts[2] += #{x = +0 or -0}
// Shapes    x [rows, columns], counts [3] int64; any rows, columns >= 1
// Layout    rows lie ldx elements apart, elements of a row side by side; counts must hold what to add to, zeros or not
// Roofline  bytes = rows*columns*size of an element, 3 comparisons an element: bandwidth-bound
// Launch    grid (min(rows, 2112), ceil(columns/4096)), block (256), no dynamic shared memory; blocks walk the rows
// Numerics  exact: integer sums do not depend on their order
// Source    IEEE 754
#include "common/rows.cuh"
#include "common/reduce.cuh"

static __device__ float value(const bf16* p) { return __bfloat162float(*p); }
static __device__ float value(const float* p) { return *p; }

template <class X>
static __device__ void summarize(unsigned long long* counts, const X* x, int64_t rows, int64_t columns, int64_t ldx) {
    int nans = 0, infinities = 0, zeros = 0;
    for (int64_t r = blockIdx.x; r < rows; r += gridDim.x) {
        for (int64_t c = blockIdx.y * blockDim.x + threadIdx.x; c < columns; c += gridDim.y * blockDim.x) {
            const float v = value(x + r * ldx + c);
            nans += isnan(v);
            infinities += isinf(v);
            zeros += v == 0;
        }
    }
    const int sums[3] = {blockSum(nans), blockSum(infinities), blockSum(zeros)};
    if (threadIdx.x < 3 && sums[threadIdx.x] != 0) {
        atomicAdd(counts + threadIdx.x, static_cast<unsigned long long>(sums[threadIdx.x]));
    }
}

extern "C" __global__ __launch_bounds__(256)
void summarize_bf16(unsigned long long* counts, const bf16* x, int64_t rows, int64_t columns, int64_t ldx) {
    summarize(counts, x, rows, columns, ldx);
}

extern "C" __global__ __launch_bounds__(256)
void summarize_f32(unsigned long long* counts, const float* x, int64_t rows, int64_t columns, int64_t ldx) {
    summarize(counts, x, rows, columns, ldx);
}
