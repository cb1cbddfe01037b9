package layerwise.estimate;

import java.util.ArrayList;
import java.util.List;
import layerwise.op.Lane;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Step;

/**
 * One rank's clock: two lanes that share a GPU. Operators that run at the same time slow each other down in proportion to
 * what they want together of its arithmetic and its bandwidth.
 *
 * <p>The clock stops where an operator waits for other ranks, until {@link #meet} says when they came.
 */
final class RankClock {
    private static final double EPSILON = 1e-6;

    /** Something that a lane does: an operator, or a point at which it waits for the other lane. */
    private sealed interface Item {
        record Run(int number, Operator operator, TimeModel.Alone alone) implements Item {}

        /** From here on the auxiliary lane may go on. */
        record Fork() implements Item {}

        /** Once the main lane has come to that fork. */
        record AfterFork(int fork) implements Item {}

        /** Once the auxiliary lane has done that many items. */
        record Join(int items) implements Item {}
    }

    /** What one lane is at. */
    private static final class LaneState {
        private final List<Item> items = new ArrayList<>();
        private int at;
        private double readyAt;
        private double left = Double.NaN; // of the running operator's time alone; NaN while none runs
        private double startedAt;
        private boolean met;

        boolean isDone() {
            return at == items.size();
        }

        boolean runs() {
            return !Double.isNaN(left);
        }
    }

    private final LaneState main = new LaneState();
    private final LaneState beside = new LaneState();
    private final double gap;
    private final Span[] spans;
    private double now;
    private int forks;

    RankClock(Program program, TimeModel model, Mode mode) {
        gap = mode == Mode.GRAPH
                ? model.efficiency().graphGap()
                : model.efficiency().eagerGap();
        int number = 0;
        int forked = 0;
        for (Step step : program.steps()) {
            switch (step) {
                case Step.Enter enter -> {}
                case Step.Leave leave -> {}
                case Step.Fork fork -> {
                    if (mode == Mode.GRAPH) {
                        main.items.add(new Item.Fork());
                        beside.items.add(new Item.AfterFork(++forked));
                    }
                }
                case Step.Join join -> {
                    if (mode == Mode.GRAPH) {
                        main.items.add(new Item.Join(beside.items.size()));
                    }
                }
                case Step.Launch launch -> {
                    boolean onMain = mode == Mode.EAGER || launch.lane() == Lane.MAIN;
                    (onMain ? main : beside)
                            .items.add(new Item.Run(number++, launch.operator(), model.alone(launch.operator())));
                }
            }
        }
        spans = new Span[number];
    }

    /** Runs until an operator waits for other ranks, and says since when; NaN where none is left to wait. */
    double untilMeeting() {
        while (true) {
            boolean moved = settle(main);
            moved |= settle(beside);
            if (waits(main)) {
                return now;
            }
            if (moved) {
                continue;
            }
            if (main.isDone() && beside.isDone()) {
                return Double.NaN;
            }
            advance();
        }
    }

    /** All ranks have come; the operator that waits starts at that time of this clock, or later. */
    void meet(double time) {
        main.met = true;
        main.readyAt = Math.max(main.readyAt, time);
    }

    private boolean waits(LaneState lane) {
        return !lane.isDone()
                && !lane.runs()
                && !lane.met
                && lane.readyAt <= now + EPSILON
                && lane.items.get(lane.at) instanceof Item.Run run
                && TimeModel.isCollective(run.operator());
    }

    /** Takes every step of a lane that takes no time; whether there was one. */
    private boolean settle(LaneState lane) {
        boolean moved = false;
        while (!lane.isDone() && !lane.runs() && lane.readyAt <= now + EPSILON) {
            switch (lane.items.get(lane.at)) {
                case Item.Fork fork -> forks++;
                case Item.AfterFork after -> {
                    if (forks < after.fork()) {
                        return moved;
                    }
                    lane.readyAt = now;
                }
                case Item.Join join -> {
                    if (beside.at < join.items()) {
                        return moved;
                    }
                }
                case Item.Run run -> {
                    if (TimeModel.isCollective(run.operator()) && !lane.met) {
                        return moved;
                    }
                    lane.met = false;
                    lane.left = run.alone().nanos();
                    lane.startedAt = now;
                    return true;
                }
            }
            lane.at++;
            moved = true;
        }
        return moved;
    }

    /** To the next moment at which something ends or may start. */
    private void advance() {
        double slower = slowdown();
        double step = Double.POSITIVE_INFINITY;
        for (LaneState lane : List.of(main, beside)) {
            if (lane.runs()) {
                step = Math.min(step, lane.left * slower);
            } else if (!lane.isDone() && lane.readyAt > now) {
                step = Math.min(step, lane.readyAt - now);
            }
        }
        if (step == Double.POSITIVE_INFINITY) {
            throw new IllegalStateException("both lanes wait for each other");
        }
        now += step;
        for (LaneState lane : List.of(main, beside)) {
            if (lane.runs()) {
                lane.left -= step / slower;
                if (lane.left <= EPSILON) {
                    end(lane);
                }
            }
        }
    }

    private double slowdown() {
        if (!main.runs() || !beside.runs()) {
            return 1;
        }
        TimeModel.Alone a = ((Item.Run) main.items.get(main.at)).alone();
        TimeModel.Alone b = ((Item.Run) beside.items.get(beside.at)).alone();
        return Math.max(1, Math.max(a.compute() + b.compute(), a.memory() + b.memory()));
    }

    private void end(LaneState lane) {
        Item.Run run = (Item.Run) lane.items.get(lane.at);
        spans[run.number()] = new Span(run.operator(), lane == main ? Lane.MAIN : Lane.AUXILIARY, lane.startedAt, now);
        lane.left = Double.NaN;
        lane.readyAt = now + gap;
        lane.at++;
    }

    /** Every operator, in the program's order; only once nothing is left. */
    List<Span> spans() {
        return List.of(spans);
    }
}
