package layerwise.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Kernel;
import layerwise.cuda.KernelLaunch;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.TensorMap;

/** A launch whose arguments are given in the kernel's order. */
final class KernelCall implements Launchable {
    private final KernelLaunch launch;
    private int next;

    KernelCall(Kernel kernel, LaunchShape shape, Arena arena) {
        this.launch = kernel.prepare(arena, shape);
    }

    /** A device address; 0 is the null pointer. */
    KernelCall pointer(long address) {
        launch.pointer(next++, address);
        return this;
    }

    KernelCall number(int value) {
        launch.set(next++, value);
        return this;
    }

    /** A struct by value. */
    KernelCall struct(MemorySegment struct) {
        launch.set(next++, struct);
        return this;
    }

    /** Sizes that the kernel takes as 32 bits. */
    KernelCall size(long value) {
        return number(Math.toIntExact(value));
    }

    /** Steps and sizes that the kernel takes as 64 bits. */
    KernelCall wide(long value) {
        launch.set(next++, value);
        return this;
    }

    KernelCall map(TensorMap map) {
        launch.set(next++, map);
        return this;
    }

    KernelCall real(double value) {
        launch.set(next++, (float) value);
        return this;
    }

    @Override
    public void launch(CudaStream stream) {
        launch.launch(stream);
    }
}
