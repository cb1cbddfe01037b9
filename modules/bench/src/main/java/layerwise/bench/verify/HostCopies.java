package layerwise.bench.verify;

import java.lang.foreign.Arena;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.reference.ReferenceExecutor;

/** The reference's copies of what a device's memory holds for good, weights above all; made when first asked for. */
final class HostCopies implements AutoCloseable {
    private final Memory device;
    private final Arena arena = Arena.ofShared();
    private final ReferenceExecutor reference = new ReferenceExecutor(Journal.NONE, Capabilities.plain());
    private final Memory copies = reference.allocate();

    /** @param device holds buffers that no operator writes */
    HostCopies(Memory device) {
        this.device = device;
    }

    /** Sees to it that there is a copy, if the device holds the buffer for good. */
    boolean keep(Buffer buffer) {
        if (!device.holds(buffer)) {
            return false;
        }
        if (!copies.holds(buffer)) {
            reference.place(copies, buffer, device.read(buffer.whole(), arena));
        }
        return true;
    }

    /** A memory that sees the copies. */
    Memory nested() {
        return copies.nested();
    }

    @Override
    public void close() {
        copies.close();
        arena.close();
    }
}
