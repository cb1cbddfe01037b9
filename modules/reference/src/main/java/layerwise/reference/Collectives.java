package layerwise.reference;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.Buffer;
import layerwise.op.Communicator;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.Elements;

/** Operators of several ranks. Sums are taken in float64 in rank order, so that every rank gets the same bits. */
final class Collectives {
    private final Function<TensorRef, Operand> operands;
    private final Communicator communicator;

    Collectives(Function<TensorRef, Operand> operands, Communicator communicator) {
        this.operands = operands;
        this.communicator = communicator;
    }

    void run(AllReduce op) {
        List<byte[]> parts = communicator.allGather(bytes(op.x(), 0, op.x().dim(0)));
        double[][] sums = new double[(int) op.x().dim(0)][(int) op.x().dim(1)];
        for (byte[] part : parts) {
            Operand rows = received(part, op.x().dtype(), op.x().dim(1));
            for (int t = 0; t < sums.length; t++) {
                add(sums[t], rows.row(t));
            }
        }
        write(op.y(), sums);
    }

    void run(AllGather op) {
        op.parts().forEach(part -> gather(part, op.tokens()));
    }

    private void gather(AllGather.Part part, RankTokens tokens) {
        List<byte[]> all = communicator.allGather(bytes(part.x(), 0, tokens.own()));
        for (int rank = 0; rank < all.size(); rank++) {
            int first = tokens.first(rank);
            store(
                    all.get(rank),
                    part.y().slice(0, first, first + tokens.counts().get(rank)));
        }
    }

    void run(ReduceScatter op) {
        RankTokens tokens = op.tokens();
        List<byte[]> toEach = new ArrayList<>();
        for (int rank = 0; rank < tokens.group().size(); rank++) {
            int first = tokens.first(rank);
            toEach.add(bytes(op.x(), first, first + tokens.counts().get(rank)));
        }
        double[][] sums = new double[tokens.own()][(int) op.x().dim(1)];
        for (byte[] part : communicator.exchange(toEach)) {
            Operand rows = received(part, op.x().dtype(), op.x().dim(1));
            for (int t = 0; t < sums.length; t++) {
                add(sums[t], rows.row(t));
            }
        }
        write(op.y(), sums);
    }

    void run(AllToAllDispatch op) {
        gather(op.ids(), op.tokens());
        gather(op.weights(), op.tokens());
        RankTokens tokens = op.tokens();
        Operand ids = operands.apply(op.ids().y());
        List<byte[]> toEach = new ArrayList<>();
        for (int rank = 0; rank < tokens.group().size(); rank++) {
            ByteArrayOutputStream message = new ByteArrayOutputStream();
            for (int t = 0; t < tokens.own(); t++) {
                if (goesTo(rank, ids, tokens.first() + t, op.expertsPerRank())) {
                    message.writeBytes(bytes(op.x().x(), t, t + 1));
                }
            }
            toEach.add(message.toByteArray());
        }
        List<byte[]> fromEach = communicator.exchange(toEach);
        int self = tokens.group().rank();
        for (int rank = 0; rank < fromEach.size(); rank++) {
            Operand rows =
                    received(fromEach.get(rank), op.x().x().dtype(), op.x().x().dim(1));
            Operand y = operands.apply(op.x().y());
            int next = 0;
            for (int t = tokens.first(rank);
                    t < tokens.first(rank) + tokens.counts().get(rank);
                    t++) {
                if (goesTo(self, ids, t, op.expertsPerRank())) {
                    y.writeRow(t, rows.row(next++));
                }
            }
        }
    }

    void run(AllToAllCombine op) {
        RankTokens tokens = op.tokens();
        int ranks = tokens.group().size();
        int self = tokens.group().rank();
        // Ranks know only their own choices: they send every row of the other's tokens, and the receiver leaves out
        // those
        // that no expert of the sender made.
        List<byte[]> toEach = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            int first = tokens.first(rank);
            toEach.add(bytes(op.x(), first, first + tokens.counts().get(rank)));
        }
        List<byte[]> fromEach = communicator.exchange(toEach);
        Operand ids = operands.apply(op.ids());
        double[][] sums = new double[tokens.own()][(int) op.x().dim(1)];
        for (int rank = 0; rank < ranks; rank++) {
            Operand rows = received(fromEach.get(rank), op.x().dtype(), op.x().dim(1));
            for (int t = 0; t < sums.length; t++) {
                if (goesTo(rank, ids, t, op.expertsPerRank())) {
                    float[] row = rows.row(t);
                    if (rank != self && op.wire() == AllToAllCombine.Wire.FP8) {
                        roundToFp8(row);
                    }
                    add(sums[t], row);
                }
            }
        }
        write(op.y(), sums);
    }

    /** Whether a token has an expert on a rank. */
    private static boolean goesTo(int rank, Operand ids, int token, int expertsPerRank) {
        for (int j = 0; j < ids.width(); j++) {
            if (ids.getInt(token, j) / expertsPerRank == rank) {
                return true;
            }
        }
        return false;
    }

    private static void roundToFp8(float[] row) {
        MemorySegment one = MemorySegment.ofArray(new byte[1]);
        for (int from = 0; from < row.length; from += AllToAllCombine.FP8_RUN) {
            int to = Math.min(row.length, from + AllToAllCombine.FP8_RUN);
            float largest = 0;
            for (int i = from; i < to; i++) {
                largest = Math.max(largest, Math.abs(row[i]));
            }
            float scale = largest == 0 ? 1 : largest / 448;
            for (int i = from; i < to; i++) {
                Elements.set(one, DType.E4M3, 0, row[i] / scale);
                row[i] = Elements.get(one, DType.E4M3, 0) * scale;
            }
        }
    }

    private static void add(double[] sums, float[] row) {
        for (int h = 0; h < row.length; h++) {
            sums[h] += row[h];
        }
    }

    private void write(TensorRef tensor, double[][] sums) {
        Operand y = operands.apply(tensor);
        float[] row = new float[(int) tensor.dim(1)];
        for (int t = 0; t < sums.length; t++) {
            for (int h = 0; h < row.length; h++) {
                row[h] = (float) sums[t][h];
            }
            y.writeRow(t, row);
        }
    }

    /** Rows of a contiguous tensor as they are stored. */
    private byte[] bytes(TensorRef tensor, long fromRow, long toRow) {
        TensorRef rows = tensor.slice(0, fromRow, toRow);
        return storage(rows).toArray(JAVA_BYTE);
    }

    private void store(byte[] from, TensorRef rows) {
        MemorySegment.copy(MemorySegment.ofArray(from), 0, storage(rows), 0, from.length);
    }

    private MemorySegment storage(TensorRef rows) {
        return operands.apply(rows).memory().asSlice(rows.dtype().bytes(rows.offset()), rows.bytes());
    }

    /** A message of stored rows as something to read from. */
    private static Operand received(byte[] message, DType dtype, long width) {
        long rows = message.length / dtype.bytes(width);
        TensorRef tensor = Buffer.of("message", dtype, rows, width).whole();
        return new Operand(MemorySegment.ofArray(message), tensor);
    }
}
