// Warpgroup products that attention needs beside those of wgmma.cuh: values lie in rows along the reduced axis, scores
// of a tile start anew, operands may be f16. Accumulators and swizzle as described there.
#pragma once

#include <cuda_fp16.h>

#include <type_traits>

#include "bf16.cuh"
#include "wgmma.cuh"

// A box is a swizzled tile of 64 columns.
constexpr int BOX_COLUMNS = 64;
constexpr int BOX_ROW_BYTES = 128;

template <class E>
constexpr bool IS_HALF = std::is_same_v<E, __half>;

// Two floats as one word of two elements, the first in the low half.
template <class E>
__device__ inline uint32_t pack(float low, float high) {
    if constexpr (IS_HALF<E>) {
        uint32_t packed;
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
        return packed;
    } else {
        return packBf16(low, high);
    }
}

// The A operand of a product, 16 rows by 16 elements a warp, from a swizzled box: rows `row` .., elements 16*step ..
__device__ inline void loadRows(uint32_t (&a)[4], uint32_t box, int row, int step) {
    const int lane = threadIdx.x % 32;
    const uint32_t at = box + swizzledChunk(row + lane % 16, 2 * step + lane / 16);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3])
                 : "r"(at)
                 : "memory");
}

// Descriptors of swizzled boxes as products take them, all from one word that the warp shares and the compiler knows as
// shared: its uniform unit then adds offsets beside the products, where vector registers would cost more than a narrow
// product takes. Made anew in each round of a loop, since otherwise the compiler makes all descriptors before it and
// has no registers left.
struct Boxes {
    uint32_t low;

    // Boxes whose rows are the product's: the reduced axis goes along them.
    static __device__ __forceinline__ Boxes rows(uint32_t address) { return {shared(address, 16)}; }

    // Boxes side by side, `lead` bytes from one to the next, whose rows go along the reduced axis.
    static __device__ __forceinline__ Boxes columns(uint32_t address, uint32_t lead) { return {shared(address, lead)}; }

    // `bytes` further on.
    __device__ __forceinline__ uint64_t at(uint32_t bytes) const {
        constexpr uint64_t SWIZZLE_128 = 1ull << 62;
        constexpr uint64_t EIGHT_ROWS = 1024 / 16;
        return SWIZZLE_128 | EIGHT_ROWS << 32 | (low + bytes / 16);
    }

private:
    static __device__ __forceinline__ uint32_t shared(uint32_t address, uint32_t lead) {
        uint32_t low = lead / 16 << 16 | (address & 0x3FFFF) >> 4;
        asm volatile("" : "+r"(low));
        return __shfl_sync(0xFFFFFFFFu, low, 0);
    }
};

#define D4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define D8(i) D4(i), D4(i + 4)
#define D16(i) D8(i), D8(i + 8)

// d[64,64] = a[64,16] * b[64,16]^T, plus d where `add`; reduced axis along the rows of both.
template <class E>
__device__ inline void multiplyN64(float (&d)[32], uint64_t a, uint64_t b, bool add) {
#define TEXT(TYPE) \
    "{\n.reg .pred add;\nsetp.ne.b32 add, %34, 0;\n" \
    "wgmma.mma_async.sync.aligned.m64n64k16.f32." TYPE "." TYPE " " \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
    " %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, " \
    "%32, %33, add, 1, 1, 0, 0;\n}"
    if constexpr (IS_HALF<E>) {
        asm volatile(TEXT("f16")
                     : D16(0), D16(16)
                     : "l"(a), "l"(b), "r"(static_cast<int>(add)));
    } else {
        asm volatile(TEXT("bf16")
                     : D16(0), D16(16)
                     : "l"(a), "l"(b), "r"(static_cast<int>(add)));
    }
#undef TEXT
}

// The same with a in registers.
template <class E>
__device__ inline void multiplyN64(float (&d)[32], const uint32_t (&a)[4], uint64_t b, bool add) {
#define TEXT(TYPE) \
    "{\n.reg .pred add;\nsetp.ne.b32 add, %37, 0;\n" \
    "wgmma.mma_async.sync.aligned.m64n64k16.f32." TYPE "." TYPE " " \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
    " %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, " \
    "{%32, %33, %34, %35}, %36, add, 1, 1, 0;\n}"
    if constexpr (IS_HALF<E>) {
        asm volatile(TEXT("f16")
                     : D16(0), D16(16)
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)));
    } else {
        asm volatile(TEXT("bf16")
                     : D16(0), D16(16)
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)));
    }
#undef TEXT
}

// d[64,64] = a[64,32] * b[64,32]^T of e4m3, plus d where `add`; reduced axis along the rows of both.
__device__ inline void multiplyCodesN64(float (&d)[32], uint64_t a, uint64_t b, bool add) {
    asm volatile(
        "{\n.reg .pred add;\nsetp.ne.b32 add, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k32.f32.e4m3.e4m3 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "
        " %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
        "%32, %33, add, 1, 1;\n}"
        : D16(0), D16(16)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

// The same with a in registers.
__device__ inline void multiplyCodesN64(float (&d)[32], const uint32_t (&a)[4], uint64_t b, bool add) {
    asm volatile(
        "{\n.reg .pred add;\nsetp.ne.b32 add, %37, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k32.f32.e4m3.e4m3 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "
        " %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
        "{%32, %33, %34, %35}, %36, add, 1, 1;\n}"
        : D16(0), D16(16)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)));
}

// d[64,80] = a[64,16] * b[80,16]^T, plus d where `add`; reduced axis along the rows of both.
__device__ inline void multiplyScores(float (&d)[40], uint64_t a, uint64_t b, bool add) {
    asm volatile(
        "{\n.reg .pred add;\nsetp.ne.b32 add, %42, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n80k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "
        " %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39}, "
        "%40, %41, add, 1, 1, 0, 0;\n}"
        : D16(0), D16(16), D8(32)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

// d[64,128] = a[64,16] * b[128,16]^T, plus d where `add`; reduced axis along the rows of both.
__device__ inline void multiplyScores(float (&d)[64], uint64_t a, uint64_t b, bool add) {
    asm volatile(
        "{\n.reg .pred add;\nsetp.ne.b32 add, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "
        " %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, "
        " %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, "
        " %60, %61, %62, %63}, "
        "%64, %65, add, 1, 1, 0, 0;\n}"
        : D16(0), D16(16), D16(32), D16(48)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

// d[64,256] = a[64,16] * b[16,256], plus d where `add`; b in rows along the reduced axis, four boxes wide.
__device__ inline void multiplyRowsN256(float (&d)[128], uint64_t a, uint64_t b, bool add) {
    asm volatile(
        "{\n.reg .pred add;\nsetp.ne.b32 add, %130, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "
        " %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, "
        " %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, "
        " %60, %61, %62, %63, %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
        " %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, %96, %97, %98, %99, "
        " %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, "
        " %110, %111, %112, %113, %114, %115, %116, %117, %118, %119, "
        " %120, %121, %122, %123, %124, %125, %126, %127}, "
        "%128, %129, add, 1, 1, 0, 1;\n}"
        : D16(0), D16(16), D16(32), D16(48), D16(64), D16(80), D16(96), D16(112)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

// d[64,128] += a[64,16] * b[16,128]: a in registers; b two boxes wide.
template <class E>
__device__ inline void multiplyRows(float (&d)[64], const uint32_t (&a)[4], uint64_t b) {
#define TEXT(TYPE) \
    "wgmma.mma_async.sync.aligned.m64n128k16.f32." TYPE "." TYPE " " \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
    " %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, " \
    " %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, " \
    " %60, %61, %62, %63}, " \
    "{%64, %65, %66, %67}, %68, 1, 1, 1, 1;"
    if constexpr (IS_HALF<E>) {
        asm volatile(TEXT("f16")
                     : D16(0), D16(16), D16(32), D16(48)
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
    } else {
        asm volatile(TEXT("bf16")
                     : D16(0), D16(16), D16(32), D16(48)
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
    }
#undef TEXT
}

// d[64,256] += a[64,16] * b[16,256]: a in registers; b four boxes wide.
template <class E>
__device__ inline void multiplyRows(float (&d)[128], const uint32_t (&a)[4], uint64_t b) {
#define TEXT(TYPE) \
    "wgmma.mma_async.sync.aligned.m64n256k16.f32." TYPE "." TYPE " " \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
    " %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, " \
    " %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, " \
    " %60, %61, %62, %63, %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
    " %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, %96, %97, %98, %99, " \
    " %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, " \
    " %110, %111, %112, %113, %114, %115, %116, %117, %118, %119, " \
    " %120, %121, %122, %123, %124, %125, %126, %127}, " \
    "{%128, %129, %130, %131}, %132, 1, 1, 1, 1;"
    if constexpr (IS_HALF<E>) {
        asm volatile(TEXT("f16")
                     : D16(0), D16(16), D16(32), D16(48), D16(64), D16(80), D16(96), D16(112)
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
    } else {
        asm volatile(TEXT("bf16")
                     : D16(0), D16(16), D16(32), D16(48), D16(64), D16(80), D16(96), D16(112)
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
    }
#undef TEXT
}

#undef D16
#undef D8
#undef D4
