package layerwise.report.profile;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import layerwise.trace.TraceException;

/**
 * The kernels of chosen layers in a serving run, from an eager trace that marks layers and a graph trace that was
 * measured: both sequences are merged, and a graph kernel belongs to the layer whose eager kernels surround it.
 */
public final class Alignment {
    /** One kernel of the chosen layers, mean nanoseconds; the end counts from the first kernel of them. */
    public record Entry(String fullName, double duration, double end) {}

    private Alignment() {}

    /**
     * Aligns two traces.
     *
     * @param positions the layers wanted, by their position among the marked ones
     */
    public static List<Entry> of(
            ServingTrace eager,
            List<ServingTrace.Iteration> eagerIterations,
            ServingTrace graph,
            List<ServingTrace.Iteration> graphIterations,
            List<Integer> positions) {
        checkIds(eagerIterations, graphIterations);
        List<ServingTrace.Layer> layers = eager.layers(eagerIterations.getFirst());
        List<Integer> indices = layers.stream().map(ServingTrace.Layer::index).toList();
        for (ServingTrace.Iteration iteration : eagerIterations) {
            List<Integer> found = eager.layers(iteration).stream()
                    .map(ServingTrace.Layer::index)
                    .toList();
            if (!found.equals(indices)) {
                throw new TraceException("iteration " + iteration.id() + " marks layers " + found + ", iteration "
                        + eagerIterations.getFirst().id() + " layers " + indices);
            }
        }
        List<ServingTrace.Kernel> eagerKernels = eager.kernels(eagerIterations).getFirst();
        List<List<ServingTrace.Kernel>> runs = graph.kernels(graphIterations);
        int[] layerOf = layersOfGraphKernels(layers, eagerKernels, runs.getFirst());
        return entries(runs, layerOf, positions, layers.size());
    }

    private static void checkIds(List<ServingTrace.Iteration> eager, List<ServingTrace.Iteration> graph) {
        List<Long> a = eager.stream().map(ServingTrace.Iteration::id).toList();
        List<Long> b = graph.stream().map(ServingTrace.Iteration::id).toList();
        if (!a.equals(b)) {
            throw new TraceException(
                    "The ID of iterations do not match: " + a + " in the eager trace, " + b + " in the graph trace");
        }
    }

    private static int[] layersOfGraphKernels(
            List<ServingTrace.Layer> layers, List<ServingTrace.Kernel> eager, List<ServingTrace.Kernel> graph) {
        List<String> eagerNames =
                eager.stream().map(ServingTrace.Kernel::fullName).toList();
        List<String> graphNames =
                graph.stream().map(ServingTrace.Kernel::fullName).toList();
        List<String> merged = Supersequence.merge(eagerNames, graphNames);
        int[] eagerAt = Supersequence.positions(eagerNames, merged);
        int[] graphAt = Supersequence.positions(graphNames, merged);
        int[] layerOf = new int[graph.size()];
        Arrays.fill(layerOf, -1);
        for (int layer = 0; layer < layers.size(); layer++) {
            int first = Integer.MAX_VALUE;
            int last = -1;
            for (int i = 0; i < eager.size(); i++) {
                long launch = eager.get(i).launch();
                if (launch >= layers.get(layer).start()
                        && launch <= layers.get(layer).end()) {
                    first = Math.min(first, eagerAt[i]);
                    last = Math.max(last, eagerAt[i]);
                }
            }
            for (int i = 0; i < graph.size(); i++) {
                layerOf[i] = graphAt[i] >= first && graphAt[i] <= last ? layer : layerOf[i];
            }
        }
        return layerOf;
    }

    private static List<Entry> entries(
            List<List<ServingTrace.Kernel>> runs, int[] layerOf, List<Integer> positions, int layers) {
        List<Integer> chosen = new ArrayList<>();
        for (int position : positions) {
            if (position < 0 || position >= layers) {
                throw new TraceException("--layer-indices " + position + ": the eager trace marks " + layers
                        + " layers, counted from 0");
            }
            for (int i = 0; i < layerOf.length; i++) {
                if (layerOf[i] == position) {
                    chosen.add(i);
                }
            }
        }
        if (chosen.isEmpty()) {
            throw new TraceException("no kernel of the graph trace lies in the layers " + positions);
        }
        double[] durations = new double[chosen.size()];
        double[] ends = new double[chosen.size()];
        for (List<ServingTrace.Kernel> run : runs) {
            long origin =
                    chosen.stream().mapToLong(i -> run.get(i).start()).min().orElseThrow();
            for (int c = 0; c < durations.length; c++) {
                ServingTrace.Kernel kernel = run.get(chosen.get(c));
                durations[c] += kernel.end() - kernel.start();
                ends[c] += kernel.end() - origin;
            }
        }
        List<Entry> entries = new ArrayList<>();
        for (int c = 0; c < durations.length; c++) {
            entries.add(new Entry(
                    runs.getFirst().get(chosen.get(c)).fullName(), durations[c] / runs.size(), ends[c] / runs.size()));
        }
        return entries;
    }
}
