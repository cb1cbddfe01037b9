// load_files: copies warm files to the GPU through two pinned buffers a thread; what load_speed compares with.
//
// Usage: load_files THREADS CHUNK_BYTES FILE...
// Compile: nvcc -O2 -arch=sm_90 -o load_files load_files.cu
// Prints the seconds from opening the files to the last byte on the GPU, allocations included, CUDA's own start not.
#include <cuda_runtime.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

struct Chunk {
    const char* source;
    char* target;
    long bytes;
};

static void check(cudaError_t status, const char* call) {
    if (status != cudaSuccess) {
        fprintf(stderr, "%s: %s\n", call, cudaGetErrorString(status));
        exit(1);
    }
}
#define CHECK(call) check(call, #call)

static double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static void copy(const std::vector<Chunk>& chunks, std::atomic<size_t>& next, char* pinned, long chunkBytes) {
    CHECK(cudaSetDevice(0));
    cudaStream_t stream;
    CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    cudaEvent_t copied[2];
    for (cudaEvent_t& event : copied) {
        CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
        CHECK(cudaEventRecord(event, stream));
    }
    int side = 0;
    for (size_t i = next++; i < chunks.size(); i = next++, side ^= 1) {
        CHECK(cudaEventSynchronize(copied[side]));
        memcpy(pinned + side * chunkBytes, chunks[i].source, chunks[i].bytes);
        CHECK(cudaMemcpyAsync(chunks[i].target, pinned + side * chunkBytes, chunks[i].bytes, cudaMemcpyHostToDevice, stream));
        CHECK(cudaEventRecord(copied[side], stream));
    }
    CHECK(cudaStreamSynchronize(stream));
}

int main(int argc, char** argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: load_files THREADS CHUNK_BYTES FILE...\n");
        return 2;
    }
    const int threads = atoi(argv[1]);
    const long chunkBytes = atol(argv[2]);
    CHECK(cudaSetDevice(0));
    CHECK(cudaFree(nullptr));
    const double start = seconds();
    std::vector<Chunk> chunks;
    long total = 0;
    for (int i = 3; i < argc; i++) {
        const int file = open(argv[i], O_RDONLY);
        struct stat about;
        if (file < 0 || fstat(file, &about) != 0) {
            perror(argv[i]);
            return 2;
        }
        const char* source = static_cast<const char*>(mmap(nullptr, about.st_size, PROT_READ, MAP_SHARED, file, 0));
        char* target;
        CHECK(cudaMalloc(&target, about.st_size));
        for (long at = 0; at < about.st_size; at += chunkBytes) {
            chunks.push_back({source + at, target + at, std::min(chunkBytes, static_cast<long>(about.st_size) - at)});
        }
        total += about.st_size;
    }
    char* pinned;
    CHECK(cudaHostAlloc(&pinned, 2 * threads * chunkBytes, cudaHostAllocDefault));
    std::atomic<size_t> next{0};
    std::vector<std::thread> pool;
    for (int t = 0; t < threads; t++) {
        pool.emplace_back([&, t] { copy(chunks, next, pinned + 2L * t * chunkBytes, chunkBytes); });
    }
    for (std::thread& thread : pool) {
        thread.join();
    }
    const double took = seconds() - start;
    printf("load_files: %.3f GB in %.3f s, %.1f GB/s, %d threads, chunks of %ld bytes\n", total / 1e9, took,
           total / took / 1e9, threads, chunkBytes);
}
