package layerwise.bench.collectives;

import java.lang.foreign.Arena;
import layerwise.op.Noise;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/**
 * What ranks bring to a collective and what they must get. The numbers are small even integers, such that every sum of ranks
 * is exact in bfloat16 in any order, and repeat after a prime number of rows, so that no part of a tensor is like another.
 */
final class KnownNumbers {
    private static final int ROWS = 61;

    /** Integers up to this are exact in bfloat16. */
    private static final int EXACT = 256;

    private static final int GREATEST_GIVEN = 15;

    private final CollectiveShape shape;
    private final float[][] brought;
    private final float[] sums;

    KnownNumbers(CollectiveShape shape) {
        this.shape = shape;
        int ranks = shape.group().size();
        int greatest = Math.clamp(EXACT / 2 / ranks, 1, GREATEST_GIVEN);
        brought = new float[ranks][(int) (ROWS * shape.width())];
        sums = new float[brought[0].length];
        for (int rank = 0; rank < ranks; rank++) {
            for (int i = 0; i < sums.length; i++) {
                brought[rank][i] = 2 * Math.floorMod(Noise.bits(rank, i), greatest + 1);
                sums[i] += brought[rank][i];
            }
        }
    }

    /** Halves of the rows that this rank brings until they repeat, or all where they are fewer: {@code [rows, width]}. */
    HostTensor given(Arena arena) {
        int rows = (int) Math.min(ROWS, shape.given().dim(0));
        float[] halves = new float[(int) (rows * shape.width())];
        for (int i = 0; i < halves.length; i++) {
            halves[i] = brought[shape.group().rank()][i] / 2;
        }
        return HostTensor.copyOf(arena, DType.BF16, Shape.of(rows, shape.width()), halves);
    }

    /** An element of what this rank must get. */
    float expected(long element) {
        long own = shape.group().rank() * shape.part();
        int from = (int) (element / shape.part());
        long within = element % shape.part();
        return switch (shape.collective()) {
            case ALL_REDUCE -> sums[place(element)];
            case REDUCE_SCATTER -> sums[place(own + element)];
            case ALL_GATHER -> brought[from][place(within)];
            case ALL_TO_ALL -> brought[from][place(own + within)];
        };
    }

    private int place(long element) {
        return (int) (element % sums.length);
    }
}
