// index_logits_generic: index_logits for any number of heads and elements.
//
// Math      as in index_logits.cu
// Shapes    as in index_logits.cu with Q heads of D elements, D a multiple of 4; starts [B+1]
// Layout    contiguous but for rows of out, `row` elements apart
// Roofline  not for speed: small models and unusual shapes
// Launch    grid (ceil(S/128), N), block (128), dynamic shared memory 4*(Q*D + Q) bytes: a thread for each position
// Numerics  float32
// Source    as in index_logits.cu
#include "common/index_head.cuh"
#include "common/paged.cuh"

extern "C" __global__ __launch_bounds__(128)
void index_logits_generic_e4m3(float* out, const e4m3* q, const float* weights, const e4m3* elements,
                               const float* scales, const int* positions, const int* starts, const int* pageTable,
                               int B, int tablePages, int pageTokens, int first, int Q, int D, int64_t row) {
    extern __shared__ float heads[]; // Q*D elements, then Q weights
    const int64_t i = blockIdx.y;
    for (int j = threadIdx.x; j < Q * D; j += blockDim.x) {
        heads[j] = decodeE4m3(q[i * Q * D + j]);
    }
    for (int h = threadIdx.x; h < Q; h += blockDim.x) {
        heads[Q * D + h] = weights[i * Q + h];
    }
    __syncthreads();
    const int s = blockIdx.x * blockDim.x + threadIdx.x;
    if (s > positions[i]) {
        return;
    }
    const Paged paged{starts, nullptr, pageTable, B, tablePages, pageTokens};
    const int64_t at = paged.row(bisectSequence(starts, B, first + static_cast<int>(i)), s);
    const e4m3* key = elements + at * D;
    float sum = 0;
    for (int h = 0; h < Q; h++) {
        float product = 0;
        for (int d = 0; d < D; d++) {
            product = fmaf(heads[h * D + d], decodeE4m3(key[d]), product);
        }
        sum = fmaf(heads[Q * D + h], fmaxf(product, 0), sum);
    }
    out[i * row + s] = scales[at] * sum;
}
