package layerwise.reference;

import java.util.function.Function;
import java.util.stream.IntStream;
import layerwise.op.DeltaRule;
import layerwise.op.DeltaRuleChunkScan;
import layerwise.op.DeltaRuleUpdate;
import layerwise.op.TensorRef;

/** Both forms of the gated delta rule, one worker per value head; float64 from the first product to the last. */
final class DeltaRules {
    private final Function<TensorRef, Operand> operands;

    DeltaRules(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    void run(DeltaRuleUpdate op) {
        new Heads(op.rule()).run((head, state, from, to) -> head.step(state, from, to));
    }

    void run(DeltaRuleChunkScan op) {
        new Heads(op.rule()).run((head, state, from, to) -> {
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
        private final DeltaRule rule;
        private final Operand v;
        private final Operand out;
        private final Operand state;
        private final float[][] q;
        private final float[][] k;
        private final float[][] a;
        private final float[][] b;
        private final float[] aLog;
        private final float[] dtBias;

        Heads(DeltaRule rule) {
            this.rule = rule;
            v = operands.apply(rule.v());
            out = operands.apply(rule.out());
            state = operands.apply(rule.state());
            q = operands.apply(rule.q()).decode();
            k = operands.apply(rule.k()).decode();
            a = operands.apply(rule.a()).decode();
            b = operands.apply(rule.b()).decode();
            aLog = operands.apply(rule.aLog()).row(0);
            dtBias = operands.apply(rule.dtBias()).row(0);
        }

        void run(Scan scan) {
            States states = new States(rule.paged(), operands);
            IntStream.range(0, rule.valueHeads()).parallel().forEach(h -> {
                Head head = new Head(this, h);
                states.forEach(
                        state, rule.valueHeads(), h, rule.keyDim(), (s, from, to) -> scan.over(head, s, from, to));
            });
        }
    }

    /** One value head. */
    private static final class Head {
        private final Heads all;
        private final int index;
        private final int keyHead;

        Head(Heads all, int index) {
            this.all = all;
            this.index = index;
            this.keyHead = index / (all.rule.valueHeads() / all.rule.keyHeads());
        }

        private double beta(int t) {
            return Gates.sigmoid(all.b[t][index]);
        }

        /** Logarithm of the decay. */
        private double decay(int t) {
            return -Math.exp(all.aLog[index]) * Gates.softplus((double) all.a[t][index] + all.dtBias[index]);
        }

        private float[] q(int t) {
            return all.q[t * all.rule.keyHeads() + keyHead];
        }

        private float[] k(int t) {
            return all.k[t * all.rule.keyHeads() + keyHead];
        }

        private float[] v(int t) {
            return all.v.row((long) t * all.rule.valueHeads() + index);
        }

        private void write(int t, double[] sums) {
            float[] row = new float[sums.length];
            for (int d = 0; d < row.length; d++) {
                row[d] = (float) (sums[d] * all.rule.scale());
            }
            all.out.writeRow((long) t * all.rule.valueHeads() + index, row);
        }

        void step(double[][] state, int from, int to) {
            for (int t = from; t < to; t++) {
                double decay = Math.exp(decay(t));
                float[] k = k(t);
                double[] correction = new double[all.rule.valueDim()];
                for (int i = 0; i < k.length; i++) {
                    for (int d = 0; d < correction.length; d++) {
                        state[i][d] *= decay;
                        correction[d] -= state[i][d] * k[i];
                    }
                }
                float[] v = v(t);
                double beta = beta(t);
                for (int d = 0; d < correction.length; d++) {
                    correction[d] = beta * (v[d] + correction[d]);
                }
                float[] q = q(t);
                double[] sums = new double[correction.length];
                for (int i = 0; i < k.length; i++) {
                    for (int d = 0; d < correction.length; d++) {
                        state[i][d] += k[i] * correction[d];
                        sums[d] += state[i][d] * q[i];
                    }
                }
                write(t, sums);
            }
        }

        /**
         * A chunk at once. With G the cumulated logarithms of decay, the corrections U of its tokens solve the unit lower
         * triangular system {@code U[t] + β[t] Σ_{s<t} (k[t]·k[s]) e^{G[t]−G[s]} U[s] = β[t] (v[t] − e^{G[t]} Sᵀ k[t])}.
         */
        void chunk(double[][] state, int from, int to) {
            int length = to - from;
            int width = all.rule.valueDim();
            double[] decayed = new double[length];
            double[][] corrections = new double[length][width];
            double cumulated = 0;
            for (int i = 0; i < length; i++) {
                cumulated += decay(from + i);
                decayed[i] = cumulated;
            }
            for (int i = 0; i < length; i++) {
                float[] k = k(from + i);
                float[] v = v(from + i);
                double beta = beta(from + i);
                double[] carried = times(state, k);
                for (int d = 0; d < width; d++) {
                    corrections[i][d] = beta * (v[d] - Math.exp(decayed[i]) * carried[d]);
                }
                double[] key = Sums.widened(k);
                for (int s = 0; s < i; s++) {
                    double weight = beta * Sums.dot(k(from + s), key) * Math.exp(decayed[i] - decayed[s]);
                    for (int d = 0; d < width; d++) {
                        corrections[i][d] -= weight * corrections[s][d];
                    }
                }
            }
            for (int i = 0; i < length; i++) {
                float[] q = q(from + i);
                double[] sums = times(state, q);
                for (int d = 0; d < width; d++) {
                    sums[d] *= Math.exp(decayed[i]);
                }
                double[] query = Sums.widened(q);
                for (int s = 0; s <= i; s++) {
                    double weight = Sums.dot(k(from + s), query) * Math.exp(decayed[i] - decayed[s]);
                    for (int d = 0; d < width; d++) {
                        sums[d] += weight * corrections[s][d];
                    }
                }
                write(from + i, sums);
            }
            double last = decayed[length - 1];
            for (int i = 0; i < state.length; i++) {
                for (int d = 0; d < width; d++) {
                    state[i][d] *= Math.exp(last);
                    for (int s = 0; s < length; s++) {
                        state[i][d] += k(from + s)[i] * Math.exp(last - decayed[s]) * corrections[s][d];
                    }
                }
            }
        }

        /** {@code stateᵀ · vector}. */
        private static double[] times(double[][] state, float[] vector) {
            double[] sums = new double[state[0].length];
            for (int i = 0; i < vector.length; i++) {
                for (int d = 0; d < sums.length; d++) {
                    sums[d] += state[i][d] * vector[i];
                }
            }
            return sums;
        }
    }
}
