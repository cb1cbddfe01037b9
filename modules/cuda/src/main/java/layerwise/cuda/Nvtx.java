package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import layerwise.bindings.nvtx.nvtxEventAttributes_v2;
import layerwise.bindings.nvtx.nvtxMessageValue_t;
import layerwise.bindings.nvtx.nvtx_h;

/**
 * Ranges for other profilers, in the default domain. Texts are registered strings, as the tools that read these traces
 * expect ({@code NVTX_EVENTS.textId}).
 */
public final class Nvtx {
    private static final short ATTRIBUTES_VERSION = 3; // nvToolsExt.h: NVTX_VERSION

    private Nvtx() {}

    /** NVTX, empty where libnvtx3interop cannot be had: then there are no ranges, and no failure. */
    public static Optional<Nvtx> load() {
        return Libraries.has(CudaLibrary.NVTX) ? Optional.of(new Nvtx()) : Optional.empty();
    }

    /** Registers a text, once for many uses; never freed, since NVTX keeps it. */
    public Range range(String text) {
        Arena forever = Arena.global();
        MemorySegment registered = nvtx_h.nvtxDomainRegisterStringA(MemorySegment.NULL, forever.allocateFrom(text));
        MemorySegment attributes = nvtxEventAttributes_v2.allocate(forever);
        nvtxEventAttributes_v2.version(attributes, ATTRIBUTES_VERSION);
        nvtxEventAttributes_v2.size(attributes, (short) nvtxEventAttributes_v2.sizeof());
        nvtxEventAttributes_v2.messageType(attributes, nvtx_h.NVTX_MESSAGE_TYPE_REGISTERED());
        nvtxMessageValue_t.registered(nvtxEventAttributes_v2.message(attributes), registered);
        return new Range(attributes);
    }

    /** A text that ranges can be opened with. Any thread may use it; each closes what it opened, innermost first. */
    public static final class Range {
        private final MemorySegment attributes;

        private Range(MemorySegment attributes) {
            this.attributes = attributes;
        }

        /** Opens a range on the calling thread. */
        public void push() {
            // The depth, or -2 without a profiler: neither is a failure.
            int _ = nvtx_h.nvtxRangePushEx(attributes);
        }

        /** Puts the text at this moment, enclosing nothing. */
        public void mark() {
            nvtx_h.nvtxMarkEx(attributes);
        }
    }

    /** Closes the calling thread's innermost range. */
    public void pop() {
        int _ = nvtx_h.nvtxRangePop();
    }
}
