package layerwise.cuda;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;

/** The native objects that a device still owes a destroy call, in the order in which they were made. */
final class HandleRegistry {
    private final SequencedSet<NativeHandle> open = new LinkedHashSet<>();

    void add(NativeHandle handle) {
        open.add(handle);
    }

    void remove(NativeHandle handle) {
        open.remove(handle);
    }

    int size() {
        return open.size();
    }

    /** Closes what is open, last made first; carries on after a failure and throws the first with the others suppressed. */
    void closeAll() {
        RuntimeException failure = null;
        for (NativeHandle handle : List.copyOf(open).reversed()) {
            try {
                handle.close();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
