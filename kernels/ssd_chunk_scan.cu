// ssd_chunk_scan: Mamba-2's recurrence over many tokens, on the tensor cores: the second pass over prefill, or the only one
// where a sequence is one segment.
//
// Math      as ssd_state_update, in chunks of 128 tokens: with g[t] the decays' logarithms summed from the chunk's start,
//           y[t] = exp(g[t]) * S c[t] + sum_{s<=t} (c[t].b[s]) * exp(g[t]-g[s])*delta[s] * x[s] + skip*x[t], then
//           S <- exp(g[last])*S + sum_t exp(g[last]-g[t])*delta[t] * x[t] (x) b[t]
// Shapes    x, y [T,Q,64], b, c [T,G,128], dt [T,Q], aLog, dtBias, skip [Q] float32, state [slots,Q,64,128] in S; starts
//           [B+1], past, slots [B] int32; states and decays as ssd_chunk_states leaves them, null for one segment
// Layout    tokens of x, b, c, dt lie ldx, ldb, ldc, ldd elements apart; x, b, c 16-byte aligned, their steps multiples of 8;
//           y contiguous
// Roofline  bytes = x, b, c, y once, flops = 2*T*(128*(G*128 + Q*64) + 2*Q*64*128): bandwidth-bound; this kernel computes
//           c.b of a group for each head again
// Launch    grid (segments, Q, B), block (256), 99,840 bytes of dynamic shared memory; a segment has `chunks` chunks
// Numerics  scores, decayed inputs and the state that meets c are rounded to bf16, sums and the state itself are float32
// Source    Dao and Gu 2024 (Mamba-2), §6
#include "common/ssd_chunks.cuh"

constexpr int BLOCK = 32; // tokens whose scores a warp holds at once

struct Tiles {
    WarpTile<256> c, b;
    WarpTile<128> x;
    WarpTile<256> state;
};

// Rows row .. row+15 of a chunk: y as sums of products.
static __device__ void outputs(float (&y)[8][4], int row, const Tiles& tiles, const SsdGates& gates, float skip) {
    const int lane = threadIdx.x % 32;
#pragma unroll 1
    for (int k = 0; k < SSD_N / 16; k++) {
        uint32_t a[4];
        tiles.c.left(a, row, k);
#pragma unroll
        for (int j = 0; j < 8; j += 2) {
            uint32_t operands[2][2];
            tiles.state.right(operands, j * 8, k);
            addWarpProduct(y[j], a, operands[0]);
            addWarpProduct(y[j + 1], a, operands[1]);
        }
    }
    const float decay[2] = {gates.decay[row + lane / 4], gates.decay[row + lane / 4 + 8]};
#pragma unroll
    for (int j = 0; j < 8; j++) {
#pragma unroll
        for (int h = 0; h < 2; h++) {
            y[j][2 * h] *= fastExp2(decay[h]);
            y[j][2 * h + 1] *= fastExp2(decay[h]);
        }
    }
    for (int first = 0; first < row + 16; first += BLOCK) {
        float scores[BLOCK / 8][4] = {};
#pragma unroll 2
        for (int k = 0; k < SSD_N / 16; k++) {
            uint32_t a[4];
            tiles.c.left(a, row, k);
#pragma unroll
            for (int j = 0; j < BLOCK / 8; j += 2) {
                uint32_t operands[2][2];
                tiles.b.right(operands, first + j * 8, k);
                addWarpProduct(scores[j], a, operands[0]);
                addWarpProduct(scores[j + 1], a, operands[1]);
            }
        }
#pragma unroll
        for (int j = 0; j < BLOCK / 8; j++) {
            const int s = first + j * 8 + lane % 4 * 2;
            const float2 before = *reinterpret_cast<const float2*>(&gates.decay[s]);
            const float2 delta = *reinterpret_cast<const float2*>(&gates.delta[s]);
#pragma unroll
            for (int h = 0; h < 2; h++) {
                const int t = row + lane / 4 + 8 * h;
                scores[j][2 * h] = s <= t ? scores[j][2 * h] * fastExp2(decay[h] - before.x) * delta.x : 0;
                scores[j][2 * h + 1] = s + 1 <= t ? scores[j][2 * h + 1] * fastExp2(decay[h] - before.y) * delta.y : 0;
                // skip * x[t] joins in before the rounding: what a token takes from itself may cancel it.
                scores[j][2 * h] += s == t ? skip : 0;
                scores[j][2 * h + 1] += s + 1 == t ? skip : 0;
            }
        }
#pragma unroll
        for (int k = 0; k < BLOCK / 16; k++) {
            uint32_t a[4];
            packLeft(a, scores[2 * k], scores[2 * k + 1]);
#pragma unroll
            for (int j = 0; j < 8; j += 2) {
                uint32_t operands[2][2];
                tiles.x.rightTransposed(operands, j * 8, first / 16 + k);
                addWarpProduct(y[j], a, operands[0]);
                addWarpProduct(y[j + 1], a, operands[1]);
            }
        }
    }
}

// Through the warp's own rows of c, which nobody else reads, so that whole rows go to memory.
static __device__ void storeRows(bf16* y, int step, int rows, const float (&sums)[8][4], int row, const Tiles& tiles) {
    const int lane = threadIdx.x % 32;
    __syncwarp();
#pragma unroll
    for (int j = 0; j < 8; j++) {
        storeShared(tiles.c.pair(row + lane / 4, j), packBf16(sums[j][0], sums[j][1]));
        storeShared(tiles.c.pair(row + lane / 4 + 8, j), packBf16(sums[j][2], sums[j][3]));
    }
    __syncwarp();
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int r = row + i * 4 + lane / 8;
        if (r < rows) {
            *reinterpret_cast<uint4*>(y + static_cast<int64_t>(r) * step + lane % 8 * 8) = loadShared16(tiles.c.at(r, lane % 8));
        }
    }
}

template <class S>
static __device__ void scan(bf16* y, S* state, const float* states, const float* decays, const bf16* x, const bf16* b,
                            const bf16* c, const bf16* dt, const float* aLog, const float* dtBias, const float* skip,
                            const int* starts, const int* past, const int* slots, int heads, int groups, int chunks,
                            int64_t ldx, int64_t ldb, int64_t ldc, int64_t ldd) {
    extern __shared__ __align__(1024) uint8_t shared[];
    const uint32_t base = sharedAddress(shared);
    constexpr int WIDE_TILE = SSD_CHUNK * SSD_N * 2, NARROW_TILE = SSD_CHUNK * SSD_D * 2;
    const Tiles tiles{{base}, {base + WIDE_TILE}, {base + 2 * WIDE_TILE}, {base + 2 * WIDE_TILE + NARROW_TILE}};
    SsdGates& gates = *reinterpret_cast<SsdGates*>(shared + 2 * WIDE_TILE + 2 * NARROW_TILE);
    const int segment = blockIdx.x, segments = gridDim.x, head = blockIdx.y, sequence = blockIdx.z;
    const int group = head / (heads / groups);
    const int begin = starts[sequence] + segment * chunks * SSD_CHUNK;
    const int left = starts[sequence + 1] - begin; // to the sequence's end
    if (left <= 0) {
        return;
    }
    const int length = min(left, chunks * SSD_CHUNK);
    x += begin * ldx + head * SSD_D;
    b += begin * ldb + group * SSD_N;
    c += begin * ldc + group * SSD_N;
    y += (static_cast<int64_t>(begin) * heads + head) * SSD_D;
    auto cached = [&] { return state + (static_cast<int64_t>(slots[sequence]) * heads + head) * SSD_D * SSD_N; };
    auto fetch = [&](int token) {
        copyRows<256, SSD_CHUNK, SSD_THREADS>(tiles.c, c + token * ldc, ldc, left - token);
        copyRows<256, SSD_CHUNK, SSD_THREADS>(tiles.b, b + token * ldb, ldb, left - token);
        copyRows<128, SSD_CHUNK, SSD_THREADS>(tiles.x, x + token * ldx, ldx, left - token);
        closeCopyGroup();
    };
    fetch(0);
    SsdSteps steps{dt + begin * ldd + head, ldd, dtBias[head], -expf(aLog[head]) * 1.44269504f};
    if (threadIdx.x < 32) {
        steps.fetch(0, left);
    }
    SsdState sum = {};
    if (segments > 1) {
        const int64_t place = static_cast<int64_t>(sequence) * segments * heads + head;
        sum.decayAndAdd(0, states + place * SSD_D * SSD_N);
        for (int i = 0; i < segment; i++) {
            const int64_t at = place + static_cast<int64_t>(i) * heads;
            sum.decayAndAdd(fastExp2(decays[at]), states + (at + heads) * SSD_D * SSD_N);
        }
    } else if (past[sequence] > 0) {
        sum.read(cached());
    }
    const int warp = threadIdx.x / 32;
    const int row = 16 * (warp < 4 ? warp : 11 - warp); // short and long rows of scores meet on each scheduler
    for (int token = 0; token < length; token += SSD_CHUNK) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
            const int chunk = threadIdx.x / 128 * 8 + j;
            storeShared(tiles.state.pair(SsdState::row(), chunk), packBf16(sum.s[j][0], sum.s[j][1]));
            storeShared(tiles.state.pair(SsdState::row() + 8, chunk), packBf16(sum.s[j][2], sum.s[j][3]));
        }
        if (threadIdx.x < 32) {
            steps.put(gates);
        }
        awaitCopyGroups<0>();
        __syncthreads();
        {
            float sums[8][4] = {};
            outputs(sums, row, tiles, gates, skip[head]);
            storeRows(y + static_cast<int64_t>(token) * heads * SSD_D, heads * SSD_D, left - token, sums, row, tiles);
        }
        if (threadIdx.x < 32) {
            steps.fetch(token + SSD_CHUNK, left);
        }
        sum.advance(tiles.x, tiles.b, gates);
        __syncthreads(); // the chunk is read
        if (token + SSD_CHUNK < length) {
            fetch(token + SSD_CHUNK);
        }
    }
    if (length == left) {
        sum.write(cached());
    }
}

#define SSD_CHUNK_SCAN(SUFFIX, S)                                                                                       \
    extern "C" __global__ __launch_bounds__(SSD_THREADS, 2) void ssd_chunk_scan_##SUFFIX(                               \
        bf16* y, S* state, const float* states, const float* decays, const bf16* x, const bf16* b, const bf16* c,       \
        const bf16* dt, const float* aLog, const float* dtBias, const float* skip, const int* starts, const int* past,  \
        const int* slots, int heads, int groups, int chunks, int64_t ldx, int64_t ldb, int64_t ldc, int64_t ldd) {      \
        scan(y, state, states, decays, x, b, c, dt, aLog, dtBias, skip, starts, past, slots, heads, groups, chunks,     \
             ldx, ldb, ldc, ldd);                                                                                       \
    }

SSD_CHUNK_SCAN(f32, float)
SSD_CHUNK_SCAN(f16, __half)
SSD_CHUNK_SCAN(bf16, bf16)
