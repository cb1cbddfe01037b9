package layerwise.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import layerwise.cuda.DeviceBuffer;
import layerwise.cuda.DeviceMemory;
import layerwise.cuda.DeviceSlice;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.PeerGroup;
import layerwise.cuda.SharedMemory;
import layerwise.cuda.Staging;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Memory;
import layerwise.op.Region;
import layerwise.op.Summary;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/** Buffers in device memory, filled there. */
final class CudaMemory implements Memory {
    /** Blocks of kernels that walk an array: sixteen for each of an H100's multiprocessors. */
    private static final long WALKERS = 2112;

    /** Smaller buffers are copied by CUDA itself: tables of a step do not need threads. */
    private static final long STAGED_BYTES = Staging.CHUNK_BYTES;

    private final GpuContext gpu;
    private final CudaMemory parent;
    private final Map<String, DeviceBuffer> buffers = new HashMap<>();
    private final Map<String, SharedMemory> shared = new LinkedHashMap<>(); // closed in the same order on all ranks
    private final List<CudaMemory> children = new ArrayList<>();
    private boolean closed;

    CudaMemory(GpuContext gpu, CudaMemory parent) {
        this.gpu = gpu;
        this.parent = parent;
    }

    /** @throws IllegalArgumentException if the memory is another executor's */
    static CudaMemory own(Memory memory) {
        if (memory instanceof CudaMemory own) {
            return own;
        }
        throw new IllegalArgumentException("a memory of another executor");
    }

    @Override
    public void put(Buffer buffer, Contents contents) {
        if (holds(buffer)) {
            throw new IllegalArgumentException("the memory holds " + buffer.name() + " already");
        }
        putHere(buffer, contents);
    }

    /** Places what launches need beside tensors: executions on this memory and on its parents name theirs alike. */
    void putHere(Buffer buffer, Contents contents) {
        if (holdsHere(buffer.name())) {
            throw new IllegalArgumentException("the memory holds " + buffer.name() + " itself");
        }
        DeviceBuffer memory = gpu.device().allocate(Math.max(1, buffer.bytes()));
        buffers.put(buffer.name(), memory);
        fill(buffer, memory, contents);
    }

    /** Places a buffer where all ranks reach it; not initialised. */
    void putShared(Buffer buffer) {
        shared.put(buffer.name(), peers().allocate(Math.max(1, buffer.bytes())));
    }

    /** Memory without a name that all ranks reach. */
    SharedMemory share(long bytes) {
        SharedMemory memory = peers().allocate(Math.max(1, bytes));
        shared.put("#shared" + shared.size(), memory);
        return memory;
    }

    /** Where all ranks reach a buffer, if it was placed so. */
    Optional<SharedMemory> shared(Buffer buffer) {
        return Optional.ofNullable(holder(buffer.name()).shared.get(buffer.name()));
    }

    private PeerGroup peers() {
        return gpu.links().peers().orElseThrow();
    }

    private void fill(Buffer buffer, DeviceBuffer memory, Contents contents) {
        switch (contents) {
            case Contents.Undefined undefined -> {}
            case Contents.Zeros zeros -> gpu.main().fill(memory, (byte) 0);
            case Contents.Poison poison -> gpu.main().fill(memory, (byte) 0xFF);
            case Contents.Uniform uniform -> fill(buffer, memory, uniform);
            case Contents.RandomBytes random -> fill(buffer, memory, random);
            case Contents.CopyOf(Memory source) ->
                gpu.main().copy(own(source).place(buffer.whole()), memory.slice(0, buffer.bytes()));
            case Contents.Copied copied -> upload(parts(buffer, copied), memory);
        }
    }

    private static List<MemorySegment> parts(Buffer buffer, Contents.Copied copied) {
        if (copied.parts().stream().anyMatch(part -> part.dtype() != buffer.dtype())) {
            throw new IllegalArgumentException("parts of %s for %s".formatted(copied.parts(), buffer));
        }
        List<MemorySegment> parts =
                copied.parts().stream().map(HostTensor::memory).toList();
        long bytes = parts.stream().mapToLong(MemorySegment::byteSize).sum();
        if (bytes != buffer.bytes()) {
            throw new IllegalArgumentException("%d bytes for %s".formatted(bytes, buffer));
        }
        return parts;
    }

    /** Places everything first, so that threads never wait for an allocation between two buffers. */
    @Override
    public void putAll(Map<Buffer, Contents> contents) {
        List<Staging.Upload> uploads = new ArrayList<>();
        contents.forEach((buffer, content) -> {
            if (content instanceof Contents.Copied copied
                    && buffer.bytes() >= STAGED_BYTES
                    && Staging.canRead(parts(buffer, copied))) {
                put(buffer, new Contents.Undefined());
                uploads.add(new Staging.Upload(parts(buffer, copied), whole(buffer)));
            } else {
                put(buffer, content);
            }
        });
        if (!uploads.isEmpty()) {
            gpu.staging().upload(uploads);
        }
    }

    private void upload(List<MemorySegment> parts, DeviceBuffer memory) {
        if (memory.bytes() >= STAGED_BYTES && Staging.canRead(parts)) {
            gpu.staging().upload(List.of(new Staging.Upload(parts, memory)));
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment whole = arena.allocate(memory.bytes());
            long at = 0;
            for (MemorySegment part : parts) {
                MemorySegment.copy(part, 0, whole, at, part.byteSize());
                at += part.byteSize();
            }
            gpu.device().upload(whole.asSlice(0, at), memory, gpu.main());
        }
    }

    private void fill(Buffer buffer, DeviceBuffer memory, Contents.Uniform uniform) {
        String type = switch (buffer.dtype()) {
            case BF16 -> "bf16";
            case F16 -> "f16";
            case F32 -> "f32";
            case E4M3 -> "e4m3";
            case E5M2, E2M1, UE8M0, I32, I8 ->
                throw new ConfigException("%s: no noise of type %s on a GPU".formatted(buffer.name(), buffer.dtype()));
        };
        for (Region.Run run : runs(buffer.shape().elements(), uniform.region())) {
            try (Arena arena = Arena.ofConfined()) {
                new KernelCall(
                                gpu.kernels().kernel("fill_uniform", "fill_uniform_" + type),
                                walkers(run.rows() * run.columns(), 2048),
                                arena)
                        .pointer(memory.address() + buffer.dtype().bytes(run.target()))
                        .wide(run.rows())
                        .wide(run.columns())
                        .real(uniform.low())
                        .real(uniform.high())
                        .wide(uniform.seed())
                        .wide(run.source())
                        .wide(run.step())
                        .launch(gpu.main());
            }
        }
    }

    private void fill(Buffer buffer, DeviceBuffer memory, Contents.RandomBytes random) {
        for (Region.Run run : runs(buffer.bytes(), random.region())) {
            try (Arena arena = Arena.ofConfined()) {
                new KernelCall(
                                gpu.kernels().kernel("fill_bytes", "fill_bytes_u8"),
                                walkers(run.rows() * run.columns(), 4096),
                                arena)
                        .pointer(memory.address() + run.target())
                        .wide(run.rows())
                        .wide(run.columns())
                        .number(random.limit())
                        .wide(random.seed())
                        .wide(run.source())
                        .wide(run.step())
                        .launch(gpu.main());
            }
        }
    }

    private static LaunchShape walkers(long elements, int each) {
        return LaunchShape.of((int) Math.min(Math.ceilDiv(elements, (long) each), WALKERS), 256);
    }

    /** What a buffer of that many elements is of the whole. */
    private static List<Region.Run> runs(long elements, Optional<Region> region) {
        if (region.isEmpty()) {
            return List.of(new Region.Run(0, 0, 1, elements, elements));
        }
        if (region.get().elements() != elements) {
            throw new IllegalArgumentException("%d elements for %s".formatted(elements, region.get()));
        }
        return region.get().runs();
    }

    @Override
    public boolean holds(Buffer buffer) {
        return holdsHere(buffer.name()) || (parent != null && parent.holds(buffer));
    }

    private boolean holdsHere(String name) {
        return buffers.containsKey(name) || shared.containsKey(name);
    }

    /** The memory among this and its parents that holds a buffer. */
    private CudaMemory holder(String name) {
        if (holdsHere(name)) {
            return this;
        }
        if (parent == null) {
            throw new IllegalStateException("no memory holds " + name);
        }
        return parent.holder(name);
    }

    /** Address of a tensor's first element. */
    long address(TensorRef tensor) {
        return whole(tensor.buffer()).address() + tensor.dtype().bytes(tensor.offset());
    }

    private DeviceMemory whole(Buffer buffer) {
        CudaMemory holder = holder(buffer.name());
        SharedMemory reached = holder.shared.get(buffer.name());
        return reached == null ? holder.buffers.get(buffer.name()) : reached.own();
    }

    /** Where a tensor without gaps lies. */
    DeviceSlice place(TensorRef tensor) {
        return whole(tensor.buffer()).slice(tensor.dtype().bytes(tensor.offset()), tensor.bytes());
    }

    /** Memory beside a buffer, of the same lifetime and made once: a weight in another format. */
    DeviceBuffer companion(Buffer buffer, String kind, long bytes, Consumer<DeviceBuffer> make) {
        CudaMemory holder = holder(buffer.name());
        String name = buffer.name() + "#" + kind;
        DeviceBuffer memory = holder.buffers.get(name);
        if (memory == null) {
            memory = gpu.device().allocate(bytes);
            holder.buffers.put(name, memory);
            make.accept(memory);
        }
        return memory;
    }

    @Override
    public HostTensor read(TensorRef tensor, Arena target) {
        gpu.synchronize();
        HostTensor copy =
                HostTensor.allocate(target, tensor.dtype(), tensor.shape().dims());
        if (tensor.isContiguous()) {
            gpu.device().download(place(tensor), copy, gpu.main());
            return copy;
        }
        try (Arena arena = Arena.ofConfined()) {
            Shape whole = Shape.of(tensor.buffer().shape().elements());
            HostTensor all = HostTensor.allocate(arena, tensor.dtype(), whole.dims());
            gpu.device().download(whole(tensor.buffer()), all, gpu.main());
            gather(tensor, all.memory(), copy.memory());
        }
        return copy;
    }

    /** Copies runs along the last axis; where its elements do not lie side by side, each of them is a run. */
    private static void gather(TensorRef tensor, MemorySegment source, MemorySegment target) {
        DType dtype = tensor.dtype();
        boolean sideBySide = tensor.strides().step(-1) == 1;
        long width = sideBySide ? tensor.dim(-1) : 1;
        int axes = sideBySide ? tensor.rank() - 1 : tensor.rank();
        for (long run = 0; run < tensor.shape().elements() / width; run++) {
            long start = tensor.offset();
            long rest = run;
            for (int axis = axes - 1; axis >= 0; axis--) {
                start += rest % tensor.dim(axis) * tensor.strides().step(axis);
                rest /= tensor.dim(axis);
            }
            MemorySegment.copy(source, dtype.bytes(start), target, dtype.bytes(run * width), dtype.bytes(width));
        }
    }

    @Override
    public Summary summarize(TensorRef tensor) {
        String type = tensor.dtype() == DType.F32 ? "f32" : "bf16";
        if (tensor.rank() != 2 || (tensor.dtype() != DType.F32 && tensor.dtype() != DType.BF16)) {
            throw new IllegalArgumentException("expected a bf16 or float32 matrix: " + tensor);
        }
        TensorRef rows = tensor.strides().step(1) == 1 ? tensor : tensor.transposed();
        try (Arena arena = Arena.ofConfined();
                DeviceBuffer counts = gpu.device().allocate(24)) {
            gpu.main().fill(counts, (byte) 0);
            new KernelCall(
                            gpu.kernels().kernel("summarize", "summarize_" + type),
                            LaunchShape.of((int) Math.min(rows.dim(0), WALKERS), 256)
                                    .grid(
                                            (int) Math.min(rows.dim(0), WALKERS),
                                            (int) Math.ceilDiv(rows.dim(1), 4096),
                                            1),
                            arena)
                    .pointer(counts.address())
                    .pointer(address(rows))
                    .wide(rows.dim(0))
                    .wide(rows.dim(1))
                    .wide(rows.strides().step(0))
                    .launch(gpu.main());
            MemorySegment host = arena.allocate(24, 8);
            gpu.device().download(counts, host, gpu.main());
            return new Summary(
                    tensor.shape().elements(),
                    host.getAtIndex(ValueLayout.JAVA_LONG, 0),
                    host.getAtIndex(ValueLayout.JAVA_LONG, 1),
                    host.getAtIndex(ValueLayout.JAVA_LONG, 2));
        }
    }

    @Override
    public Runnable copying(TensorRef source, TensorRef target) {
        source.requireCopyableTo(target);
        DeviceSlice from = place(source);
        DeviceSlice to = place(target);
        return () -> gpu.main().copy(from, to);
    }

    @Override
    public void refill(Buffer buffer, Contents contents) {
        fill(buffer, whole(buffer).owner(), contents);
    }

    @Override
    public OptionalLong firstNotFinite(Buffer buffer) {
        String type = switch (buffer.dtype()) {
            case BF16 -> "bf16";
            case F16 -> "f16";
            case F32 -> "f32";
            case E4M3 -> "e4m3";
            case E5M2, E2M1, UE8M0, I32, I8 -> "";
        };
        if (type.isEmpty()) {
            return OptionalLong.empty();
        }
        DeviceBuffer first = scratch();
        try (Arena arena = Arena.ofConfined()) {
            gpu.main().fill(first, (byte) 0xFF);
            new KernelCall(
                            gpu.kernels().kernel("find_not_finite", "find_not_finite_" + type),
                            walkers(buffer.shape().elements(), 4096),
                            arena)
                    .pointer(first.address())
                    .pointer(address(buffer.whole()))
                    .wide(buffer.shape().elements())
                    .launch(gpu.main());
            MemorySegment host = arena.allocate(Long.BYTES, Long.BYTES);
            gpu.device().download(first, host, gpu.main());
            long found = host.get(ValueLayout.JAVA_LONG, 0);
            return found == -1 ? OptionalLong.empty() : OptionalLong.of(found);
        }
    }

    /** Eight bytes for an answer. */
    private DeviceBuffer scratch() {
        return buffers.computeIfAbsent("#scratch", name -> gpu.device().allocate(Long.BYTES));
    }

    @Override
    public CudaMemory nested() {
        CudaMemory child = new CudaMemory(gpu, this);
        children.add(child);
        return child;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        gpu.device().synchronize();
        List.copyOf(children).reversed().forEach(CudaMemory::close);
        if (parent != null) {
            parent.children.remove(this);
        }
        shared.values().forEach(SharedMemory::close);
        buffers.values().forEach(DeviceBuffer::close);
    }
}
