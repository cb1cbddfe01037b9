// tile_nvfp4: NVFP4 weights from the order of the checkpoint to the tiles that the products read.
//
// Math      codes and block scales in another order; the bits of eight codes are mixed, scales change from E4M3 to an
//           unsigned format of five exponent and three mantissa bits that holds the same values; codes of a block whose
//           scale is 0 become 0
// Shapes    w [E,N,K/2] bytes, low nibble = even k, blockScales [E,N,K/16] E4M3 from 0 to 448, tiles
//           [E, ceil(N/128), ceil(K/128), 9216] bytes (common/nvfp4_tiles.cuh); K % 16 == 0; gated: row tiles take 64
//           rows and their 64 partners N/2 further on, N % 2 == 0
// Layout    row-major, contiguous; tiles 16-byte aligned, w and scales any
// Roofline  bytes = 2*0.5625*E*N*K, no arithmetic: bandwidth-bound; runs once, when weights are prepared
// Launch    grid (ceil(K/128), row tiles, E), block (256); a block a tile
// Numerics  exact
// Source    NVFP4 as ModelOpt stores it; PTX ISA, fragments A of mma.m16n8k16 and wgmma.mma_async
#include "common/nvfp4_tiles.cuh"
#include "common/tile_rows.cuh"

// The byte that common/nvfp4_tiles.cuh wants for an E4M3 scale; 0 for 0.
__device__ uint8_t tileScale(uint8_t e4m3) {
    const int exponent = e4m3 >> 3 & 15, mantissa = e4m3 & 7;
    if (exponent > 0) {
        return static_cast<uint8_t>((exponent + 3) << 3 | mantissa);
    }
    if (mantissa == 0) {
        return 0;
    }
    const int leading = 31 - __clz(mantissa); // value = mantissa * 2^-9
    return static_cast<uint8_t>((leading + 1) << 3 | (mantissa << (3 - leading) & 7));
}

// Two codes of a byte as a pair of common/nvfp4_tiles.cuh.
__device__ uint32_t tilePair(uint32_t byte) {
    const uint32_t halves = (byte & 15) | (byte >> 4) << 16;
    return (halves & 0x00080008) << 12 | (halves & 0x00070007) << 6;
}

template <bool GATED>
__device__ void tile(char* tiles, const uint8_t* w, const uint8_t* blockScales, int N, int K) {
    const TileRows<GATED> rows{static_cast<int>(blockIdx.y), N};
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const long long number = ((long long)blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    char* to = tiles + number * NVFP4_TILE_BYTES;
    uint32_t pairs[8][4] = {};
    uint8_t scales[2][8] = {};
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const int n = rows(warp * 16 + lane / 4 + 8 * h);
        if (n < 0) {
            continue;
        }
        const long long row = (long long)blockIdx.z * N + n;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            const int block = blockIdx.x * 8 + i;
            if (block >= K / 16) {
                continue;
            }
            scales[h][i] = tileScale(blockScales[row * (K / 16) + block]);
            if (scales[h][i] != 0) {
                const uint8_t* codes = w + row * (K / 2) + block * 8 + lane % 4;
                pairs[i][h] = tilePair(codes[0]);
                pairs[i][2 + h] = tilePair(codes[4]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < 8; i++) {
        const int chunk = 8 * i + (lane / 4 ^ i % 4 * 2);
        reinterpret_cast<uint32_t*>(to)[warp * 256 + chunk * 4 + lane % 4] = packTileWord(pairs[i]);
    }
    if (lane % 4 == 0) {
        uint32_t packed[4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
            packed[i] = scales[0][i] | scales[0][i + 4] << 8 | scales[1][i] << 16 | scales[1][i + 4] << 24;
        }
        reinterpret_cast<uint4*>(to + NVFP4_CODE_BYTES)[warp * 8 + lane / 4] =
            make_uint4(packed[0], packed[1], packed[2], packed[3]);
    }
}

extern "C" __global__ __launch_bounds__(256)
void tile_nvfp4_plain(char* __restrict__ tiles, const uint8_t* __restrict__ w, const uint8_t* __restrict__ blockScales,
                      int N, int K) {
    tile<false>(tiles, w, blockScales, N, K);
}

extern "C" __global__ __launch_bounds__(256)
void tile_nvfp4_gated(char* __restrict__ tiles, const uint8_t* __restrict__ w, const uint8_t* __restrict__ blockScales,
                      int N, int K) {
    tile<true>(tiles, w, blockScales, N, K);
}
