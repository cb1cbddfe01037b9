package layerwise.model.weights;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.Region;
import layerwise.op.Share;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;
import layerwise.tensor.Shape;

/**
 * What {@link Part}s stand for a weight: one matrix of them, or one for each of some experts.
 *
 * @param experts the experts of this rank; one of one where it is a matrix
 * @param parts   of each expert, one below the other
 * @param k       columns, of which this rank may have some
 * @param stacked whether there is an axis of experts
 */
record Stack(String name, Share experts, List<List<Part>> parts, Share k, boolean stacked) {
    List<Part> first() {
        return parts.getFirst();
    }

    List<Part> all() {
        return parts.stream().flatMap(List::stream).toList();
    }

    /** {@code [.., rows, columns]}. */
    Shape shape(long rows, long columns) {
        return stacked ? Shape.of(experts.size(), rows, columns) : Shape.of(rows, columns);
    }

    /** What this is of the whole stack, in blocks of elements that share something. */
    Region region(long rowBlock, long columnBlock) {
        List<Share> runs = new ArrayList<>();
        List<Share> blocks =
                first().stream().map(part -> part.rows().blocks(rowBlock)).toList();
        // Parts of one matrix that follow each other are rows of the same whole.
        List<Long> starts = new ArrayList<>();
        long whole = 0;
        long before = 0;
        for (int i = 0; i < blocks.size(); i++) {
            boolean another =
                    i == 0 || !first().get(i).module().equals(first().get(i - 1).module());
            if (another) {
                before = whole;
                whole += blocks.get(i).whole();
            }
            starts.add(before);
        }
        for (int i = 0; i < blocks.size(); i++) {
            long start = starts.get(i);
            runs.add(new Share(
                    start + blocks.get(i).from(), start + blocks.get(i).to(), whole));
        }
        boolean allRows = blocks.stream().allMatch(Share::isWhole);
        return new Region(experts, allRows ? List.of(Share.all(whole)) : runs, k.blocks(columnBlock));
    }

    /** Rows of one matrix in blocks, those of all its parts. */
    long rows(long rowBlock) {
        return first().stream()
                .mapToLong(part -> part.rows().blocks(rowBlock).size())
                .sum();
    }

    /** One tensor of every part, each element of which stands for a block of the matrix. */
    List<HostTensor> tensors(NamedTensors tensors, String suffix, DType dtype, long rowBlock, long columnBlock) {
        Share columns = k.blocks(columnBlock);
        return all().stream()
                .map(part -> {
                    Share own = part.rows().blocks(rowBlock);
                    Shape whole = Shape.of(own.whole(), columns.whole());
                    return part(unpacked(tensors, part.module() + suffix, dtype, whole), own, columns);
                })
                .toList();
    }

    /** A rank's part of a tensor: a view where it has whole rows, else a copy. */
    private static HostTensor part(HostTensor whole, Share rows, Share columns) {
        if (rows.isWhole() && columns.isWhole()) {
            return whole;
        }
        HostTensor own = whole.slice(0, rows.from(), rows.to()).slice(1, columns.from(), columns.to());
        // What is copied lives as long as something refers to it; native code sees it only while it is uploaded.
        return own.isContiguous() ? own : own.copyContiguous(Arena.ofAuto());
    }

    /** A tensor of the checkpoint; two E2M1 elements are one byte there. */
    private static HostTensor unpacked(NamedTensors tensors, String name, DType dtype, Shape shape) {
        if (dtype != DType.E2M1) {
            return tensors.tensor(name, shape, Set.of(dtype));
        }
        Shape packed = Shape.of(shape.dim(0), shape.dim(1) / 2);
        return tensors.tensor(name, packed, Set.of(DType.I8)).reinterpret(dtype, shape.dims());
    }
}
