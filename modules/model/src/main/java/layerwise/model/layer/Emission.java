package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.parallel.Mapping;
import layerwise.op.Activations;
import layerwise.op.AllReduce;
import layerwise.op.Buffer;
import layerwise.op.Operator;
import layerwise.op.PagedBatch;
import layerwise.op.Program;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/**
 * Where layers of one step put their operators.
 *
 * @param program   collects them
 * @param phase     prefill or decode
 * @param paged     the step's lengths and pages
 * @param rotary    table of cosines and sines, where a layer rotates
 * @param choice    where tokens go
 * @param dtype     of activations
 * @param prefix    of intermediate buffers' names
 * @param mapping   how the layers are divided over ranks
 * @param traffic   what the ranks send each other
 */
record Emission(
        Program.Builder program,
        Phase phase,
        PagedBatch paged,
        Optional<TensorRef> rotary,
        ExpertChoice choice,
        DType dtype,
        String prefix,
        Mapping mapping,
        Traffic traffic) {
    /** The same, with longer names. */
    Emission within(String name) {
        return new Emission(program, phase, paged, rotary, choice, dtype, prefix + name + ".", mapping, traffic);
    }

    /** What one layer adds: its own choice of experts, and names that begin with its number. */
    Emission layer(int index) {
        return new Emission(
                program,
                phase,
                paged,
                rotary,
                choice.at(index),
                dtype,
                prefix + "layers." + index + ".",
                mapping,
                traffic);
    }

    /** T of this rank. */
    int tokens() {
        return paged.batch().tokens();
    }

    /** A new intermediate tensor of the activations' type. */
    TensorRef activation(String name, long... dims) {
        return tensor(name, dtype, dims);
    }

    /** A new intermediate tensor. */
    TensorRef tensor(String name, DType type, long... dims) {
        return Buffer.of(prefix + name, type, dims).whole();
    }

    /** New intermediate rows in E4M3 with their scales. */
    Activations rounded(String name, long rows, long width) {
        return Activations.rounded(prefix + name, rows, width);
    }

    void launch(Operator operator) {
        program.launch(operator);
    }

    /** Whatever {@code body} adds lies within a range, where there is one. */
    void range(Optional<String> name, Runnable body) {
        name.ifPresentOrElse(range -> program.range(range, body), body);
    }

    /** The sum of the parts that tensor-parallel ranks have of {@code part [T,H]}; the part itself where one has all. */
    TensorRef reduced(TensorRef part) {
        if (mapping.tensorRanks() == 1) {
            return part;
        }
        TensorRef sum = activation("reduced", part.dim(0), part.dim(1));
        program.range("AllReduce", () -> launch(new AllReduce(part, sum, mapping.group())));
        return sum;
    }
}
