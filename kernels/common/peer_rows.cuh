// Rows that several ranks hold in the order of ranks: those of rank 0, then those of rank 1, and so on.
#pragma once

#include "peers.cuh"

// Rows in front of each rank's; at[ranks] is all of them. As layerwise.kernels.PeerArguments lays it out.
struct RowStarts {
    int at[MOST_RANKS + 1];
};

// y[starts[r] + t, :] = x_r[t, :] for the rows t of every rank r; rows of `bytes`, moved one V at a time.
template <typename V>
__device__ inline void gatherRows(char* y, const PeerAddresses& x, const RowStarts& starts, int64_t bytes, int ranks) {
    for (int rank = 0; rank < ranks; rank++) {
        const V* from = reinterpret_cast<const V*>(x.at[rank]);
        V* to = reinterpret_cast<V*>(y + starts.at[rank] * bytes);
        const int64_t count = (starts.at[rank + 1] - starts.at[rank]) * bytes / static_cast<int64_t>(sizeof(V));
#pragma unroll 4
        for (int64_t i = firstOfGrid(); i < count; i += gridStep()) {
            to[i] = from[i];
        }
    }
}
