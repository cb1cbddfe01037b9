package layerwise.bench.operators;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import layerwise.cuda.DeviceMemoryException;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Lane;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.op.TensorRef;

/**
 * One operator, prepared on several copies of its operands. Each copy is a memory of its own, in which buffers have the same
 * names and contents as in the layer's; the first one is the layer's memory itself.
 */
final class OperatorCopies implements AutoCloseable {
    private final Executor device;
    private final Memory source;
    private final Program program;
    private final Memory shared;
    private final List<Execution> executions = new ArrayList<>();
    private CacheState cache = CacheState.UNKNOWN;

    private OperatorCopies(Executor device, Memory source, Operator operator) {
        this.device = device;
        this.source = source;
        this.program = new Program(List.of(new Step.Launch(operator, Lane.MAIN)), operator.outputs());
        this.shared = device.allocate();
    }

    /**
     * Prepares as many copies as {@link CopyPlan} asks for, or as there is room for.
     *
     * @param source holds what the operator reads, as the operators before it left it
     */
    static OperatorCopies of(Executor device, Memory source, Operator operator) {
        OperatorCopies copies = new OperatorCopies(device, source, operator);
        try {
            copies.prepare(operator);
            return copies;
        } catch (RuntimeException | Error e) {
            copies.close();
            throw e;
        }
    }

    /** On the layer's own operands alone: ranks would have to agree on how many copies there is room for. */
    static OperatorCopies single(Executor device, Memory source, Operator operator) {
        OperatorCopies copies = new OperatorCopies(device, source, operator);
        try {
            copies.executions.add(device.prepare(copies.program, source));
            copies.cache = CacheState.WARM;
            return copies;
        } catch (RuntimeException | Error e) {
            copies.close();
            throw e;
        }
    }

    private void prepare(Operator operator) {
        Execution first = device.prepare(program, source);
        executions.add(first);
        Set<Buffer> weights = first.weightPaths().stream()
                .flatMap(path -> path.weight().tensors().stream())
                .map(TensorRef::buffer)
                .collect(Collectors.toSet());
        List<Buffer> buffers = placed(operator, source);
        CopyPlan plan = CopyPlan.of(buffers, weights, operator.work().bytes(), device.cacheBytes());
        cache = plan.cache();
        copy(plan, buffers);
    }

    private static List<Buffer> placed(Operator operator, Memory source) {
        Set<Buffer> buffers = new LinkedHashSet<>();
        Stream.concat(operator.inputs().stream(), operator.outputs().stream())
                .map(TensorRef::buffer)
                .filter(source::holds)
                .forEach(buffers::add);
        return List.copyOf(buffers);
    }

    private void copy(CopyPlan plan, List<Buffer> buffers) {
        if (plan.copies() > 1) {
            plan.shared().forEach(buffer -> shared.put(buffer, new Contents.CopyOf(source)));
        }
        while (executions.size() < plan.copies()) {
            Memory own = shared.nested();
            try {
                for (Buffer buffer : buffers) {
                    if (!plan.shared().contains(buffer)) {
                        own.put(buffer, new Contents.CopyOf(source));
                    }
                }
                executions.add(device.prepare(program, own));
            } catch (DeviceMemoryException _) {
                own.close(); // which leaves the graph some room
                cache = CacheState.WARM;
                return;
            }
        }
    }

    /** One for each copy. */
    List<Execution> executions() {
        return List.copyOf(executions);
    }

    CacheState cache() {
        return cache;
    }

    @Override
    public void close() {
        executions.forEach(Execution::close);
        shared.close();
    }
}
