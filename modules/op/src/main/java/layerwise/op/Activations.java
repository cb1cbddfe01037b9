package layerwise.op;

import java.util.List;
import java.util.Optional;
import layerwise.tensor.DType;

/**
 * Rows that products over experts multiply: as they were stored, or rounded to E4M3 by {@link RoundRows} for weights that want
 * it ({@link Weight#roundsActivations}).
 *
 * @param data   {@code [P,K]}; of rounded rows their codes, at steps of whole 16-byte vectors
 * @param scales {@code [P,ceil(K/128)]} float32, what 128 codes of a row are multiplied with; those of one block of all rows
 *               lie side by side, blocks whole 16-byte vectors apart, so that tensor maps take them. Empty for rows as stored
 */
public record Activations(TensorRef data, Optional<TensorRef> scales) {
    private static final int CODES_OF_VECTOR = 16;
    private static final int SCALES_OF_VECTOR = 4;

    public Activations {
        Expect.rank("Activations", "data", data, 2);
        if (scales.isPresent()) {
            checkRounded(data, scales.get());
        }
    }

    private static void checkRounded(TensorRef codes, TensorRef scales) {
        Expect.dtype("Activations", "codes", codes, DType.E4M3);
        Expect.dtype("Activations", "scales", scales, DType.F32);
        Expect.shape("Activations", "scales", scales, codes.dim(0), blocks(codes.dim(1)));
        Expect.that(
                codes.strides().step(1) == 1
                        && (codes.dim(1) | codes.strides().step(0) | codes.offset()) % CODES_OF_VECTOR == 0,
                "Activations: codes that are no whole vectors: %s",
                codes);
        Expect.that(
                scales.strides().step(0) == 1 && (scales.strides().step(1) | scales.offset()) % SCALES_OF_VECTOR == 0,
                "Activations: scales that are no whole vectors: %s with steps %s",
                scales,
                scales.strides());
    }

    private static long blocks(long width) {
        return Math.ceilDiv(width, (long) Weight.ROUNDED_BLOCK);
    }

    /** Rows as stored. */
    public static Activations plain(TensorRef data) {
        return new Activations(data, Optional.empty());
    }

    /** New buffers for rounded rows: codes of that name, and scales of that name and {@code _scales}. */
    public static Activations rounded(String name, long rows, long width) {
        long apart = Math.ceilDiv(rows, (long) SCALES_OF_VECTOR) * SCALES_OF_VECTOR;
        TensorRef scales = Buffer.of(name + "_scales", DType.F32, blocks(width), apart)
                .whole()
                .slice(1, 0, rows)
                .transposed();
        return new Activations(Buffer.of(name, DType.E4M3, rows, width).whole(), Optional.of(scales));
    }

    public boolean isRounded() {
        return scales.isPresent();
    }

    /** P. */
    public long rows() {
        return data.dim(0);
    }

    /** K. */
    public long width() {
        return data.dim(1);
    }

    /** Every tensor that holds a part of them. */
    public List<TensorRef> tensors() {
        return scales.map(tensor -> List.of(data, tensor)).orElse(List.of(data));
    }

    /** Bytes of so many rows. */
    long bytes(long rows) {
        return tensors().stream()
                .mapToLong(tensor -> tensor.dtype().bytes(rows * tensor.dim(1)))
                .sum();
    }

    @Override
    public String toString() {
        return data + (isRounded() ? " with scales" : "");
    }
}
