package layerwise.op;

import java.util.ArrayList;
import java.util.List;

/**
 * Every rank gets the rows of all ranks: {@code y[first(r) .. first(r)+T_r] = x_r}. Several tensors travel as one
 * operator, since a decode step pays for each message rather than for its bytes.
 *
 * @param parts  tensors that are gathered
 * @param tokens T_r of each rank
 */
public record AllGather(List<Part> parts, RankTokens tokens) implements Operator {
    /**
     * One tensor.
     *
     * @param x {@code [T_r, W]}, contiguous
     * @param y {@code [ΣT, W]}, contiguous, of x's type
     */
    public record Part(TensorRef x, TensorRef y) {}

    public AllGather {
        parts = List.copyOf(parts);
        Expect.that(!parts.isEmpty(), "AllGather: nothing to gather");
        for (Part part : parts) {
            check("AllGather", part, tokens);
        }
    }

    static void check(String operator, Part part, RankTokens tokens) {
        TensorRef x = part.x();
        TensorRef y = part.y();
        Expect.rank(operator, "x", x, 2);
        Expect.shape(operator, "x", x, tokens.own(), x.dim(1));
        Expect.shape(operator, "y", y, tokens.total(), x.dim(1));
        Expect.dtype(operator, "y", y, x.dtype());
        Expect.contiguous(operator, x, y);
    }

    /** Bytes of {@code rows} rows of one tensor. */
    static long rowBytes(TensorRef tensor, long rows) {
        return tensor.dtype().bytes(rows * tensor.dim(1));
    }

    @Override
    public List<TensorRef> inputs() {
        return parts.stream().map(Part::x).toList();
    }

    @Override
    public List<TensorRef> outputs() {
        return parts.stream().map(Part::y).toList();
    }

    /** Over links: what the other ranks bring comes in once, what this one brings goes out at least once. */
    @Override
    public Work work() {
        long bytes = 0;
        long links = 0;
        for (Part part : parts) {
            bytes += part.x().bytes() + part.y().bytes();
            links += rowBytes(part.x(), tokens.linkRows());
        }
        return new Work(0, bytes, links, Arithmetic.F32);
    }

    @Override
    public String label() {
        List<String> widths = new ArrayList<>();
        for (Part part : parts) {
            widths.add(part.x().dim(1) + " " + part.x().dtype());
        }
        return "%dx(%s) R%d"
                .formatted(
                        tokens.total(),
                        String.join(", ", widths),
                        tokens.group().size());
    }
}
