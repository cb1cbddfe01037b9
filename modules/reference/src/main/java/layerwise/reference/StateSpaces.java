package layerwise.reference;

import java.util.function.Function;
import java.util.stream.IntStream;
import layerwise.op.SsdChunkScan;
import layerwise.op.SsdStateUpdate;
import layerwise.op.StateSpace;
import layerwise.op.TensorRef;

/** Both forms of Mamba-2's state-space recurrence, one worker per head; float64 from the first product to the last. */
final class StateSpaces {
    private final Function<TensorRef, Operand> operands;

    StateSpaces(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    void run(SsdStateUpdate op) {
        new Heads(op.ssm()).run((head, state, from, to) -> head.step(state, from, to));
    }

    void run(SsdChunkScan op) {
        new Heads(op.ssm()).run((head, state, from, to) -> {
            for (int chunk = from; chunk < to; chunk += op.chunk()) {
                head.chunk(state, chunk, Math.min(chunk + op.chunk(), to));
            }
        });
    }

    /** Moves one head's state over some tokens of one sequence, and writes their outputs. */
    private interface Scan {
        void over(Head head, double[][] state, int from, int to);
    }

    /** The operands, decoded once for all heads. */
    private final class Heads {
        private final StateSpace ssm;
        private final Operand x;
        private final Operand y;
        private final Operand state;
        private final float[][] b;
        private final float[][] c;
        private final float[][] dt;
        private final float[] aLog;
        private final float[] dtBias;
        private final float[] skip;

        Heads(StateSpace ssm) {
            this.ssm = ssm;
            x = operands.apply(ssm.x());
            y = operands.apply(ssm.y());
            state = operands.apply(ssm.state());
            b = operands.apply(ssm.b()).decode();
            c = operands.apply(ssm.c()).decode();
            dt = operands.apply(ssm.dt()).decode();
            aLog = operands.apply(ssm.aLog()).row(0);
            dtBias = operands.apply(ssm.dtBias()).row(0);
            skip = operands.apply(ssm.d()).row(0);
        }

        void run(Scan scan) {
            States states = new States(ssm.paged(), operands);
            IntStream.range(0, ssm.heads()).parallel().forEach(h -> {
                Head head = new Head(this, h);
                states.forEach(state, ssm.heads(), h, ssm.headDim(), (s, from, to) -> scan.over(head, s, from, to));
            });
        }
    }

    /** One head. */
    private static final class Head {
        private final Heads all;
        private final int index;
        private final int group;
        private final double a;

        Head(Heads all, int index) {
            this.all = all;
            this.index = index;
            this.group = index / (all.ssm.heads() / all.ssm.groups());
            this.a = -Math.exp(all.aLog[index]);
        }

        private double delta(int t) {
            return Gates.softplus((double) all.dt[t][index] + all.dtBias[index]);
        }

        private float[] b(int t) {
            return all.b[t * all.ssm.groups() + group];
        }

        private float[] c(int t) {
            return all.c[t * all.ssm.groups() + group];
        }

        private float[] x(int t) {
            return all.x.row((long) t * all.ssm.heads() + index);
        }

        private void write(int t, double[] sums, float[] x) {
            float[] row = new float[sums.length];
            for (int d = 0; d < row.length; d++) {
                row[d] = (float) (sums[d] + all.skip[index] * x[d]);
            }
            all.y.writeRow((long) t * all.ssm.heads() + index, row);
        }

        void step(double[][] state, int from, int to) {
            for (int t = from; t < to; t++) {
                double delta = delta(t);
                double decay = Math.exp(delta * a);
                float[] x = x(t);
                float[] b = b(t);
                float[] c = c(t);
                double[] sums = new double[x.length];
                for (int d = 0; d < x.length; d++) {
                    for (int n = 0; n < b.length; n++) {
                        state[d][n] = decay * state[d][n] + delta * x[d] * b[n];
                        sums[d] += state[d][n] * c[n];
                    }
                }
                write(t, sums, x);
            }
        }

        void chunk(double[][] state, int from, int to) {
            int length = to - from;
            double[] delta = new double[length];
            double[] decayed = new double[length];
            float[][] x = new float[length][];
            double cumulated = 0;
            for (int i = 0; i < length; i++) {
                delta[i] = delta(from + i);
                cumulated += delta[i] * a;
                decayed[i] = cumulated;
                x[i] = x(from + i);
            }
            for (int i = 0; i < length; i++) {
                float[] c = c(from + i);
                double[] sums = new double[x[i].length];
                for (int d = 0; d < sums.length; d++) {
                    sums[d] = Math.exp(decayed[i]) * Sums.dot(c, state[d]);
                }
                double[] query = Sums.widened(c);
                for (int s = 0; s <= i; s++) {
                    double score = Sums.dot(b(from + s), query) * Math.exp(decayed[i] - decayed[s]) * delta[s];
                    for (int d = 0; d < sums.length; d++) {
                        sums[d] += score * x[s][d];
                    }
                }
                write(from + i, sums, x[i]);
            }
            double last = decayed[length - 1];
            for (double[] row : state) {
                for (int n = 0; n < row.length; n++) {
                    row[n] *= Math.exp(last);
                }
            }
            for (int s = 0; s < length; s++) {
                double weight = Math.exp(last - decayed[s]) * delta[s];
                float[] b = b(from + s);
                for (int d = 0; d < state.length; d++) {
                    for (int n = 0; n < b.length; n++) {
                        state[d][n] += weight * x[s][d] * b[n];
                    }
                }
            }
        }
    }
}
