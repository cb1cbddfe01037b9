package layerwise.bench.operators;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.ReduceScatter;
import layerwise.op.Step;
import layerwise.op.Strides;
import layerwise.op.TensorRef;
import layerwise.op.Work;
import layerwise.tensor.DType;
import layerwise.tensor.Shape;

/** The operators of programs, each once: those that differ by layer and names of buffers only take the same time. */
final class DistinctOperators {
    private final Set<Kind> seen = new HashSet<>();

    /**
     * An operator and where it was met first.
     *
     * @param module ranges around it, outermost first
     */
    record Placed(String module, Operator operator) {
        /** Whether it needs all ranks at once. */
        boolean isCollective() {
            return operator instanceof AllReduce
                    || operator instanceof AllGather
                    || operator instanceof ReduceScatter
                    || operator instanceof AllToAllDispatch
                    || operator instanceof AllToAllCombine;
        }
    }

    /** What the time of an operator depends on. */
    private record Kind(String name, OperatorSizes sizes, Work work, List<Layout> tensors) {}

    private record Layout(DType dtype, Shape shape, Strides strides) {
        static Layout of(TensorRef tensor) {
            return new Layout(tensor.dtype(), tensor.shape(), tensor.strides());
        }
    }

    /** Those of a program that are like none of this and earlier programs' before, in order. */
    List<Placed> of(Program program) {
        List<Placed> placed = new ArrayList<>();
        Deque<String> ranges = new ArrayDeque<>();
        for (Step step : program.steps()) {
            switch (step) {
                case Step.Enter enter -> ranges.addLast(enter.range());
                case Step.Leave _ -> ranges.removeLast();
                case Step.Launch launch -> {
                    if (seen.add(kind(launch.operator()))) {
                        placed.add(new Placed(String.join("/", ranges), launch.operator()));
                    }
                }
                case Step.Fork _, Step.Join _ -> {}
            }
        }
        return placed;
    }

    private static Kind kind(Operator operator) {
        List<Layout> tensors = Stream.concat(operator.inputs().stream(), operator.outputs().stream())
                .map(Layout::of)
                .toList();
        return new Kind(operator.name(), OperatorSizes.of(operator), operator.work(), tensors);
    }
}
