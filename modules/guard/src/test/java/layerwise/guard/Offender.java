package layerwise.guard;

import java.lang.foreign.MemorySegment;

/** Breaks every rule that a class can break by itself, so that a test can see each of them bite. */
final class Offender {
    private Offender() {}

    static void print() {
        System.out.println();
    }

    static void declare() throws Throwable {
        print();
    }

    static void fail() {
        throw new RuntimeException("bare");
    }

    @SuppressWarnings("restricted")
    static MemorySegment grow(MemorySegment memory) {
        return memory.reinterpret(Long.MAX_VALUE);
    }

    static final class NameManager {
        private NameManager() {}
    }
}
