package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Lifecycle of handles, with native objects that are numbers and a destroy call that writes them down. */
class NativeHandleTest {
    private final HandleRegistry registry = new HandleRegistry();
    private final List<Long> destroyed = new ArrayList<>();

    private final class Fake extends NativeHandle {
        Fake(long address) {
            super(registry, MemorySegment.ofAddress(address), raw -> destroyed.add(raw.address()));
        }
    }

    private final class Stubborn extends NativeHandle {
        Stubborn(long address) {
            super(registry, MemorySegment.ofAddress(address), raw -> {
                throw new IllegalStateException("cannot destroy " + raw.address());
            });
        }
    }

    @Test
    void isDestroyedOnceHoweverOftenItIsClosed() {
        Fake handle = new Fake(7);
        assertTrue(handle.isOpen());
        handle.close();
        handle.close();
        assertFalse(handle.isOpen());
        assertEquals(List.of(7L), destroyed);
        assertEquals(0, registry.size());
    }

    @Test
    void cannotBeReadByJava() {
        try (Fake handle = new Fake(4096)) {
            MemorySegment segment = handle.handle();
            assertThrows(IndexOutOfBoundsException.class, () -> segment.get(ValueLayout.JAVA_BYTE, 0));
        }
    }

    @Test
    void isConfinedToTheThreadThatMadeIt() throws InterruptedException {
        Fake handle = new Fake(7);
        AtomicReference<Throwable> caught = new AtomicReference<>();
        Thread other = Thread.ofPlatform().start(() -> {
            try {
                handle.close();
            } catch (RuntimeException e) {
                caught.set(e);
            }
        });
        other.join();
        assertInstanceOf(WrongThreadException.class, caught.get());
        assertEquals(List.of(), destroyed);
        assertEquals(1, registry.size(), "a close that failed must not forget the handle");
    }

    @Test
    void closesLastMadeFirst() {
        new Fake(1);
        Fake second = new Fake(2);
        new Fake(3);
        second.close();
        new Fake(4);
        registry.closeAll();
        assertEquals(List.of(2L, 4L, 3L, 1L), destroyed);
        assertEquals(0, registry.size());
    }

    @Test
    void carriesOnAfterAFailureAndReportsAll() {
        new Fake(1);
        new Stubborn(2);
        new Fake(3);
        new Stubborn(4);
        var failure = assertThrows(IllegalStateException.class, registry::closeAll);
        assertEquals("cannot destroy 4", failure.getMessage());
        assertEquals(1, failure.getSuppressed().length);
        assertEquals("cannot destroy 2", failure.getSuppressed()[0].getMessage());
        assertEquals(List.of(3L, 1L), destroyed);
        assertEquals(0, registry.size());
        assertSame(IllegalStateException.class, failure.getClass());
    }
}
