// replay_cost: what launching a captured graph costs the processor, from C++; GraphReplayCostIT does the same from Java.
//
// Launch    replay_cost NODES...; prints a line for each: nodes and the median microseconds of a cudaGraphLaunch
// Method    batches of 100 launches, each launch timed, the device idle before a batch; the first batches are dropped
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "probe.cu"

static void check(cudaError_t status) {
    if (status != cudaSuccess) {
        std::fprintf(stderr, "%s\n", cudaGetErrorString(status));
        std::exit(1);
    }
}

static double median(int nodes) {
    constexpr int n = 1024, warmup = 5, batches = 20, launches = 100;
    float *x, *y;
    cudaStream_t stream;
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    check(cudaMalloc(&x, 4 * n));
    check(cudaMalloc(&y, 4 * n));
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    for (int i = 0; i < nodes; i++) {
        probe_axpy_f32<<<4, 256, 0, stream>>>(y, x, 1.0f, n);
    }
    check(cudaStreamEndCapture(stream, &graph));
    check(cudaGraphInstantiate(&exec, graph, 0));
    check(cudaGraphUpload(exec, stream));
    std::vector<double> micros;
    for (int batch = 0; batch < warmup + batches; batch++) {
        check(cudaStreamSynchronize(stream));
        for (int i = 0; i < launches; i++) {
            auto start = std::chrono::steady_clock::now();
            check(cudaGraphLaunch(exec, stream));
            std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - start;
            if (batch >= warmup) {
                micros.push_back(taken.count());
            }
        }
    }
    check(cudaStreamSynchronize(stream));
    std::sort(micros.begin(), micros.end());
    return micros[micros.size() / 2];
}

int main(int count, char** arguments) {
    for (int i = 1; i < count; i++) {
        int nodes = std::atoi(arguments[i]);
        std::printf("%d %.3f\n", nodes, median(nodes));
    }
}
