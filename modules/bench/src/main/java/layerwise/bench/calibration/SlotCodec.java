package layerwise.bench.calibration;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Choices as calibration files hold them: little-endian 32-bit integers, compressed by zlib, in Base64. */
final class SlotCodec {
    /** More than zlib can make of a byte, so that a small text cannot claim a large matrix. */
    private static final long MOST_EXPANSION = 1100;

    private SlotCodec() {}

    static String encode(int[] slots) {
        ByteBuffer raw = ByteBuffer.allocate(4 * slots.length).order(ByteOrder.LITTLE_ENDIAN);
        raw.asIntBuffer().put(slots);
        Deflater deflater = new Deflater();
        try {
            deflater.setInput(raw.array());
            deflater.finish();
            ByteArrayOutputStream packed = new ByteArrayOutputStream();
            byte[] chunk = new byte[8192];
            while (!deflater.finished()) {
                packed.write(chunk, 0, deflater.deflate(chunk));
            }
            return Base64.getEncoder().encodeToString(packed.toByteArray());
        } finally {
            deflater.end();
        }
    }

    /**
     * Decodes exactly so many choices.
     *
     * @throws IllegalArgumentException if the text is damaged or holds another number of them; the message says what
     */
    static int[] decode(String text, long count) {
        byte[] packed = Base64.getDecoder().decode(text);
        if (4 * count > MOST_EXPANSION * (packed.length + 1L)) {
            throw new IllegalArgumentException("%d bytes cannot hold %d numbers".formatted(packed.length, count));
        }
        byte[] raw = new byte[(int) (4 * count)];
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(packed);
            int filled = 0;
            while (filled < raw.length) {
                int more = inflater.inflate(raw, filled, raw.length - filled);
                if (more == 0) {
                    throw new IllegalArgumentException(
                            "it holds %d bytes, expected %d numbers of 4".formatted(filled, count));
                }
                filled += more;
            }
            if (inflater.inflate(new byte[1]) != 0 || !inflater.finished()) {
                throw new IllegalArgumentException("it holds more than %d numbers of 4 bytes".formatted(count));
            }
        } catch (DataFormatException e) {
            throw new IllegalArgumentException("it is not compressed by zlib: " + e.getMessage(), e);
        } finally {
            inflater.end();
        }
        int[] slots = new int[(int) count];
        ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(slots);
        return slots;
    }
}
