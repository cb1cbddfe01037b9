package layerwise.op;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * What a step of a layer does, in an order that is right on one queue.
 *
 * @param steps   operators within ranges, on lanes
 * @param outputs tensors that are read afterwards; everything else that operators write may be overwritten once its
 *                last reader ran
 */
public record Program(List<Step> steps, List<TensorRef> outputs) {
    public Program {
        steps = List.copyOf(steps);
        outputs = List.copyOf(outputs);
        Deque<String> open = new ArrayDeque<>();
        boolean forked = false;
        for (Step step : steps) {
            switch (step) {
                case Step.Enter enter -> open.push(enter.range());
                case Step.Leave leave -> open.pop();
                case Step.Fork fork -> forked = true;
                case Step.Join join -> forked = false;
                case Step.Launch launch -> {
                    if (launch.lane() == Lane.AUXILIARY && !forked) {
                        throw new IllegalArgumentException(
                                launch.operator().name() + " is on the auxiliary lane outside fork and join");
                    }
                }
            }
        }
        if (!open.isEmpty() || forked) {
            throw new IllegalArgumentException("open at the end: " + (forked ? "a fork" : "range " + open.peek()));
        }
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The operators in order. */
    public List<Operator> operators() {
        List<Operator> all = new ArrayList<>();
        for (Step step : steps) {
            if (step instanceof Step.Launch launch) {
                all.add(launch.operator());
            }
        }
        return List.copyOf(all);
    }

    /** Collects the steps of a program while layers emit them. */
    public static final class Builder {
        private final List<Step> steps = new ArrayList<>();
        private Lane lane = Lane.MAIN;

        private Builder() {}

        /** Adds an operator on the current lane. */
        public Builder launch(Operator operator) {
            steps.add(new Step.Launch(operator, lane));
            return this;
        }

        /** Whatever {@code body} adds lies within a range. */
        public Builder range(String name, Runnable body) {
            steps.add(new Step.Enter(name));
            body.run();
            steps.add(new Step.Leave());
            return this;
        }

        /** What {@code beside} adds runs on the auxiliary lane, beside what {@code main} adds. */
        public Builder concurrently(Runnable main, Runnable beside) {
            if (lane != Lane.MAIN) {
                throw new IllegalStateException("the auxiliary lane does not fork");
            }
            steps.add(new Step.Fork());
            main.run();
            lane = Lane.AUXILIARY;
            beside.run();
            lane = Lane.MAIN;
            steps.add(new Step.Join());
            return this;
        }

        public Program build(List<TensorRef> outputs) {
            return new Program(steps, outputs);
        }
    }
}
