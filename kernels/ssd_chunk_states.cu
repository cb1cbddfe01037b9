// ssd_chunk_states: what each segment of a sequence but the last adds to Mamba-2's state: the first of two passes over
// prefill, so that segments can go side by side.
//
// Math      as ssd_state_update, from a state of zeros, in chunks of 128 tokens: with g[t] the decays' logarithms summed from
//           the chunk's start, S <- exp(g[last])*S + sum_t exp(g[last]-g[t])*delta[t] * x[t] (x) b[t]
// Shapes    x [T,Q,64], b [T,G,128], dt [T,Q], aLog, dtBias [Q] float32, state [slots,Q,64,128] in S; starts [B+1], past,
//           slots [B] int32. states [B,segments,Q] times 8192 float32: first the cached state (zeros where the sequence has
//           no past), then what segments 0 .. add; decays [B,segments,Q] float32: base-2 logarithm of what a segment keeps
// Layout    tokens of x, b, dt lie ldx, ldb, ldd elements apart; x and b 16-byte aligned, their steps multiples of 8
// Roofline  bytes = x and b once, flops = 2*T*Q*64*128: between memory and tensor cores
// Launch    grid (segments - 1, Q, B), block (256), 101,376 bytes of dynamic shared memory; a segment has `chunks` chunks
// Numerics  decayed inputs are rounded to bf16, sums are float32
// Source    Dao and Gu 2024 (Mamba-2), §6
#include "common/ssd_chunks.cuh"

constexpr int STAGE = SSD_CHUNK * (SSD_D + SSD_N) * 2;

template <class S>
static __device__ void states(float* out, float* decays, const S* state, const bf16* x, const bf16* b, const bf16* dt,
                              const float* aLog, const float* dtBias, const int* starts, const int* past,
                              const int* slots, int heads, int groups, int chunks, int64_t ldx, int64_t ldb,
                              int64_t ldd) {
    extern __shared__ __align__(1024) uint8_t shared[];
    SsdGates* gates = reinterpret_cast<SsdGates*>(shared + 2 * STAGE);
    const int segment = blockIdx.x, segments = gridDim.x + 1, head = blockIdx.y, sequence = blockIdx.z;
    const int group = head / (heads / groups);
    const int begin = starts[sequence] + segment * chunks * SSD_CHUNK;
    const int length = chunks * SSD_CHUNK;
    const int64_t place = (static_cast<int64_t>(sequence) * segments + segment) * heads + head;
    if (segment == 0) {
        SsdState first = {};
        if (past[sequence] > 0) {
            first.read(state + (static_cast<int64_t>(slots[sequence]) * heads + head) * SSD_D * SSD_N);
        }
        first.put(out + place * SSD_D * SSD_N);
    }
    if (begin + length >= starts[sequence + 1]) {
        return; // the sequence's last segment, or behind it
    }
    x += begin * ldx + head * SSD_D;
    b += begin * ldb + group * SSD_N;
    auto fetch = [&](int chunk) {
        const uint32_t base = sharedAddress(shared) + chunk % 2 * STAGE;
        const int token = chunk * SSD_CHUNK;
        copyRows<128, SSD_CHUNK, SSD_THREADS>({base}, x + token * ldx, ldx, SSD_CHUNK);
        copyRows<256, SSD_CHUNK, SSD_THREADS>({base + SSD_CHUNK * SSD_D * 2}, b + token * ldb, ldb, SSD_CHUNK);
    };
    SsdSteps steps{dt + begin * ldd + head, ldd, dtBias[head], -expf(aLog[head]) * 1.44269504f};
    SsdState sum = {};
    float kept = 0;
    fetch(0);
    closeCopyGroup();
    if (threadIdx.x < 32) {
        steps.fetch(0, length);
    }
    for (int chunk = 0; chunk < chunks; chunk++) {
        if (threadIdx.x < 32) {
            steps.put(gates[chunk % 2]);
            steps.fetch((chunk + 1) * SSD_CHUNK, length);
        }
        awaitCopyGroups<0>();
        __syncthreads(); // this chunk is there, and all are done with the one before
        if (chunk + 1 < chunks) {
            fetch(chunk + 1);
            closeCopyGroup();
        }
        const uint32_t base = sharedAddress(shared) + chunk % 2 * STAGE;
        sum.advance({base}, {base + SSD_CHUNK * SSD_D * 2}, gates[chunk % 2]);
        kept += gates[chunk % 2].decay[SSD_CHUNK - 1];
    }
    sum.put(out + (place + heads) * SSD_D * SSD_N);
    if (threadIdx.x == 0) {
        decays[place] = kept;
    }
}

#define SSD_CHUNK_STATES(SUFFIX, S)                                                                                     \
    extern "C" __global__ __launch_bounds__(SSD_THREADS, 2) void ssd_chunk_states_##SUFFIX(                             \
        float* out, float* decays, const S* state, const bf16* x, const bf16* b, const bf16* dt, const float* aLog,     \
        const float* dtBias, const int* starts, const int* past, const int* slots, int heads, int groups, int chunks,   \
        int64_t ldx, int64_t ldb, int64_t ldd) {                                                                        \
        states(out, decays, state, x, b, dt, aLog, dtBias, starts, past, slots, heads, groups, chunks, ldx, ldb, ldd);  \
    }

SSD_CHUNK_STATES(f32, float)
SSD_CHUNK_STATES(f16, __half)
SSD_CHUNK_STATES(bf16, bf16)
