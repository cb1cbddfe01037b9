// Ranks that reach each other's memory, and how their kernels meet.
//
// A collective is one kernel on every rank, with the same grid. Its ranks meet twice: at the start, after which what
// earlier kernels of every rank wrote may be read and what they read may be overwritten; and at the end, before which a
// kernel of no rank is over. So tensors that peers reach need no further care outside.
//
// To meet, block b of each rank raises a flag in every rank's mailbox and waits for theirs: for blocks b and no others,
// so not all blocks need to be resident. Flags hold the number of the meeting, which the device counts itself: it goes on
// through replays of a graph, and flags are never cleared.
#pragma once

#include <cstdint>

constexpr int MOST_RANKS = 64;
constexpr int MOST_BLOCKS = 48; // of a collective; eight ranks' fit on one GPU at once
constexpr int PEER_THREADS = 512;

// One address for each rank: where this rank reaches that rank's copy of something.
struct PeerAddresses {
    char* at[MOST_RANKS];
};

// As layerwise.cuda.PeerGroup lays it out.
struct PeerGroup {
    PeerAddresses mailboxes;
    uint64_t* failure;     // in host memory: number of the meeting << 32 | missing rank + 1, or 0
    int64_t patienceNanos; // how long to wait for a rank
    int rank;              // this one
    int ranks;
};

struct Mailbox {
    uint32_t meetings; // that this rank has had
    uint32_t blocks;   // that are through with this collective
    uint32_t failed;   // a rank was waited for in vain: nothing waits any more
    uint32_t reserved[61];
    uint32_t flags[MOST_BLOCKS][MOST_RANKS]; // the latest meeting that a rank's block has come to
};

__device__ inline uint64_t nanoseconds() {
    uint64_t now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    return now;
}

// One collective of a rank; all threads of all blocks take part.
class Meeting {
  public:
    __device__ explicit Meeting(const PeerGroup& group) : group(group) {
        const volatile Mailbox* own = mailbox(group.rank);
        number = own->meetings;
        failed = own->failed != 0;
    }

    // Comes first.
    __device__ void begin() {
        meet();
    }

    // Comes last.
    __device__ void end() {
        meet();
        Mailbox* own = mailbox(group.rank);
        if (threadIdx.x == 0 && atomicAdd(&own->blocks, 1) == gridDim.x - 1) {
            own->blocks = 0;
            own->meetings = number; // all blocks have met, so all their threads have read it
        }
    }

  private:
    const PeerGroup& group;
    uint32_t number;
    bool failed;

    __device__ Mailbox* mailbox(int rank) const {
        return reinterpret_cast<Mailbox*>(group.mailboxes.at[rank]);
    }

    __device__ void meet() {
        number++;
        __syncthreads();
        const int peer = threadIdx.x;
        if (peer < group.ranks) {
            uint32_t* theirs = &mailbox(peer)->flags[blockIdx.x][group.rank];
            asm volatile("st.release.sys.global.u32 [%0], %1;" ::"l"(theirs), "r"(number) : "memory");
            await(&mailbox(group.rank)->flags[blockIdx.x][peer], peer);
        }
        __syncthreads();
    }

    __device__ bool raised(const uint32_t* flag) const {
        uint32_t value;
        asm volatile("ld.acquire.sys.global.u32 %0, [%1];" : "=r"(value) : "l"(flag) : "memory");
        return static_cast<int>(value - number) >= 0;
    }

    // Looks at once for as long as a rank is late by its launch, then leaves the multiprocessor to others between looks.
    __device__ void await(const uint32_t* flag, int peer) {
#pragma unroll 1
        for (int look = 0; look < 256; look++) {
            if (raised(flag)) {
                return;
            }
        }
        const uint64_t start = nanoseconds();
        for (unsigned pause = 100; !failed && !raised(flag); pause = min(2 * pause, 10000u)) {
            if (static_cast<int64_t>(nanoseconds() - start) > group.patienceNanos) {
                failed = true;
                *const_cast<volatile uint32_t*>(&mailbox(group.rank)->failed) = 1;
                *const_cast<volatile uint64_t*>(group.failure) = static_cast<uint64_t>(number) << 32 | (peer + 1);
            }
            __nanosleep(pause);
        }
    }
};

// Where a thread starts and how far it goes on when the grid walks an array.
__device__ inline int64_t firstOfGrid() {
    return static_cast<int64_t>(blockIdx.x) * PEER_THREADS + threadIdx.x;
}
__device__ inline int64_t gridStep() {
    return static_cast<int64_t>(gridDim.x) * PEER_THREADS;
}

// Elements that move in one access: 16 bytes' worth where rows and addresses allow that, else one.
template <typename T>
constexpr int WIDE = 16 / sizeof(T);

template <typename T, int W>
struct alignas(W * sizeof(T)) Pack {
    T at[W];

    __device__ static Pack load(const void* from, int64_t index) {
        return *reinterpret_cast<const Pack*>(static_cast<const T*>(from) + index);
    }
    __device__ void store(void* to, int64_t index) const {
        *reinterpret_cast<Pack*>(static_cast<T*>(to) + index) = *this;
    }
};

template <typename T, int W>
__device__ inline void add(float (&sum)[W], const Pack<T, W>& part) {
#pragma unroll
    for (int j = 0; j < W; j++) {
        sum[j] += static_cast<float>(part.at[j]);
    }
}

template <typename T, int W>
__device__ inline Pack<T, W> rounded(const float (&sum)[W]) {
    Pack<T, W> pack;
#pragma unroll
    for (int j = 0; j < W; j++) {
        pack.at[j] = static_cast<T>(sum[j]);
    }
    return pack;
}

// y[i] = sum over ranks of their x[first + i], in the order of ranks: every rank gets the same bits.
template <typename T, int W>
__device__ inline void sumOverRanks(T* y, const PeerAddresses& x, int64_t first, int64_t count, int ranks) {
#pragma unroll 2
    for (int64_t i = firstOfGrid() * W; i < count; i += gridStep() * W) {
        float sum[W] = {};
#pragma unroll 4
        for (int rank = 0; rank < ranks; rank++) {
            add(sum, Pack<T, W>::load(x.at[rank], first + i));
        }
        rounded<T>(sum).store(y, i);
    }
}

// Whether addresses and a row of `bytes` allow 16-byte accesses.
__device__ inline bool movesWide(const PeerAddresses& peers, const void* own, int64_t bytes) {
    return ((reinterpret_cast<uintptr_t>(peers.at[0]) | reinterpret_cast<uintptr_t>(own) | bytes) & 15) == 0;
}
