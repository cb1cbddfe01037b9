// Copies from global to shared memory that run beside the threads that asked for them, in groups, and the fences that
// order them with the tensor cores.
#pragma once

#include <cstdint>

__device__ inline uint32_t sharedAddress(const void* pointer) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// 16 bytes, or 16 zeros where !valid; then `from` is not read, but must be an aligned address.
__device__ inline void copyAsync16(uint32_t to, const void* from, bool valid) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(valid ? 16 : 0)
                 : "memory");
}

// 4 bytes, or 4 zeros where !valid.
__device__ inline void copyAsync4(uint32_t to, const void* from, bool valid) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"(from), "r"(valid ? 4 : 0) : "memory");
}

__device__ inline void closeCopyGroup() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits until at most `pending` of this thread's youngest groups are still on their way.
template <int pending>
__device__ inline void awaitCopyGroups() {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

// What this thread has seen written to shared memory becomes visible to its wgmma.
__device__ inline void showToTensorCores() {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
