package layerwise.cuda.cupti;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import layerwise.bindings.cupti.CUpti_ActivityKernel10;
import layerwise.bindings.cupti.CUpti_ActivityMemcpy6;
import layerwise.bindings.cupti.CUpti_ActivityMemcpyPtoP4;
import layerwise.bindings.cupti.CUpti_ActivityMemset4;
import layerwise.trace.CopyActivity;
import layerwise.trace.FillActivity;
import layerwise.trace.KernelActivity;

/**
 * Fields of CUPTI's records as columns of a trace, but for names; times stay nanoseconds since 1970.
 *
 * <p>CUPTI writes its own newest version of a record, which begins like the older ones; only fields that CUDA 13.0 knows
 * are read, at their offsets.
 */
final class ActivityFields {
    private static final int UNKNOWN_MEMORY = 7; // ENUM_CUDA_MEM_KIND
    private static final int REQUESTED_CACHE = 0xF; // cupti_activity.h: the low half of the byte

    private ActivityFields() {}

    static void read(MemorySegment record, KernelActivity row) {
        row.start = CUpti_ActivityKernel10.start(record);
        row.end = CUpti_ActivityKernel10.end(record);
        row.deviceId = CUpti_ActivityKernel10.deviceId(record);
        row.contextId = CUpti_ActivityKernel10.contextId(record);
        row.streamId = CUpti_ActivityKernel10.streamId(record);
        row.correlationId = Integer.toUnsignedLong(CUpti_ActivityKernel10.correlationId(record));
        row.launchType = CUpti_ActivityKernel10.launchType(record) + 1; // the exported enumeration begins with unknown
        row.cacheConfig =
                record.get(ValueLayout.JAVA_BYTE, CUpti_ActivityKernel10.cacheConfig$offset()) & REQUESTED_CACHE;
        row.registersPerThread = Short.toUnsignedInt(CUpti_ActivityKernel10.registersPerThread(record));
        row.gridX = CUpti_ActivityKernel10.gridX(record);
        row.gridY = CUpti_ActivityKernel10.gridY(record);
        row.gridZ = CUpti_ActivityKernel10.gridZ(record);
        row.blockX = CUpti_ActivityKernel10.blockX(record);
        row.blockY = CUpti_ActivityKernel10.blockY(record);
        row.blockZ = CUpti_ActivityKernel10.blockZ(record);
        row.staticSharedMemory = CUpti_ActivityKernel10.staticSharedMemory(record);
        row.dynamicSharedMemory = CUpti_ActivityKernel10.dynamicSharedMemory(record);
        row.localMemoryPerThread = CUpti_ActivityKernel10.localMemoryPerThread(record);
        row.localMemoryTotal = CUpti_ActivityKernel10.localMemoryTotal_v2(record);
        row.gridId = CUpti_ActivityKernel10.gridId(record);
        row.sharedMemoryExecuted = CUpti_ActivityKernel10.sharedMemoryExecuted(record);
        row.graphNodeId = CUpti_ActivityKernel10.graphNodeId(record);
        row.sharedMemoryLimitConfig = CUpti_ActivityKernel10.shmemLimitConfig(record);
        row.graphId = CUpti_ActivityKernel10.graphId(record);
        row.clusterX = CUpti_ActivityKernel10.clusterX(record);
        row.clusterY = CUpti_ActivityKernel10.clusterY(record);
        row.clusterZ = CUpti_ActivityKernel10.clusterZ(record);
        row.clusterSchedulingPolicy = CUpti_ActivityKernel10.clusterSchedulingPolicy(record);
        row.maxPotentialClusterSize = CUpti_ActivityKernel10.maxPotentialClusterSize(record);
        row.maxActiveClusters = CUpti_ActivityKernel10.maxActiveClusters(record);
    }

    static void read(MemorySegment record, CopyActivity row) {
        row.start = CUpti_ActivityMemcpy6.start(record);
        row.end = CUpti_ActivityMemcpy6.end(record);
        row.deviceId = CUpti_ActivityMemcpy6.deviceId(record);
        row.contextId = CUpti_ActivityMemcpy6.contextId(record);
        row.streamId = CUpti_ActivityMemcpy6.streamId(record);
        row.correlationId = Integer.toUnsignedLong(CUpti_ActivityMemcpy6.correlationId(record));
        row.bytes = CUpti_ActivityMemcpy6.bytes(record);
        row.copyKind = CUpti_ActivityMemcpy6.copyKind(record);
        row.sourceKind = memoryKind(CUpti_ActivityMemcpy6.srcKind(record));
        row.destinationKind = memoryKind(CUpti_ActivityMemcpy6.dstKind(record));
        row.graphNodeId = CUpti_ActivityMemcpy6.graphNodeId(record);
    }

    /** A copy between two GPUs, which has a record of its own. */
    static void readPeer(MemorySegment record, CopyActivity row) {
        row.start = CUpti_ActivityMemcpyPtoP4.start(record);
        row.end = CUpti_ActivityMemcpyPtoP4.end(record);
        row.deviceId = CUpti_ActivityMemcpyPtoP4.deviceId(record);
        row.contextId = CUpti_ActivityMemcpyPtoP4.contextId(record);
        row.streamId = CUpti_ActivityMemcpyPtoP4.streamId(record);
        row.correlationId = Integer.toUnsignedLong(CUpti_ActivityMemcpyPtoP4.correlationId(record));
        row.bytes = CUpti_ActivityMemcpyPtoP4.bytes(record);
        row.copyKind = CUpti_ActivityMemcpyPtoP4.copyKind(record);
        row.sourceKind = memoryKind(CUpti_ActivityMemcpyPtoP4.srcKind(record));
        row.destinationKind = memoryKind(CUpti_ActivityMemcpyPtoP4.dstKind(record));
        row.graphNodeId = CUpti_ActivityMemcpyPtoP4.graphNodeId(record);
    }

    static void read(MemorySegment record, FillActivity row) {
        row.start = CUpti_ActivityMemset4.start(record);
        row.end = CUpti_ActivityMemset4.end(record);
        row.deviceId = CUpti_ActivityMemset4.deviceId(record);
        row.contextId = CUpti_ActivityMemset4.contextId(record);
        row.streamId = CUpti_ActivityMemset4.streamId(record);
        row.correlationId = Integer.toUnsignedLong(CUpti_ActivityMemset4.correlationId(record));
        row.value = CUpti_ActivityMemset4.value(record);
        row.bytes = CUpti_ActivityMemset4.bytes(record);
        row.memoryKind = memoryKind(CUpti_ActivityMemset4.memoryKind(record));
        row.graphNodeId = CUpti_ActivityMemset4.graphNodeId(record);
    }

    /** CUPTI counts kinds of memory from 1, 0 being unknown; the exported enumeration from 0, 7 being unknown. */
    private static int memoryKind(int cupti) {
        return cupti == 0 ? UNKNOWN_MEMORY : cupti - 1;
    }
}
