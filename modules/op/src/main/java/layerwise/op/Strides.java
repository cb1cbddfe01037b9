package layerwise.op;

import java.util.Arrays;

/** Distance in elements between neighbours along each axis, outermost axis first. */
public final class Strides {
    private final long[] steps;

    private Strides(long[] steps) {
        this.steps = steps;
    }

    public static Strides of(long... steps) {
        return new Strides(steps.clone());
    }

    /** Step along one axis; a negative axis counts from the end. */
    public long step(int axis) {
        return steps[axis < 0 ? steps.length + axis : axis];
    }

    /** The steps as a new array. */
    public long[] steps() {
        return steps.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Strides that && Arrays.equals(steps, that.steps);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(steps);
    }

    @Override
    public String toString() {
        return Arrays.toString(steps);
    }
}
