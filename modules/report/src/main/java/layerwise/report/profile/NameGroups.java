package layerwise.report.profile;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.trace.GpuActivities;

/** Puts kernels of one path and name together, for problems whose runs do not launch the same sequence. */
final class NameGroups {
    private final GpuActivities activities;
    private final Attribution attribution;
    private final Captures captures;
    private final KernelNames names;

    NameGroups(GpuActivities activities, Attribution attribution, Captures captures, KernelNames names) {
        this.activities = activities;
        this.attribution = attribution;
        this.captures = captures;
        this.names = names;
    }

    private record Key(int path, int name) {}

    private static final class Group {
        private final long[] durations;
        private final long[] lastEnds;
        private final int firstActivity;

        Group(int runs, int firstActivity) {
            durations = new long[runs];
            lastEnds = new long[runs];
            this.firstActivity = firstActivity;
        }
    }

    /** One operation for each group, in order of first appearance; a sample is the group's sum in one run. */
    List<Operation> group(int[][] measured) {
        Map<Key, Group> groups = new LinkedHashMap<>();
        for (int run = 0; run < measured.length; run++) {
            for (int activity : measured[run]) {
                Key key = new Key(captures.path(attribution.capture(activity)), activities.name(activity));
                Group group = groups.computeIfAbsent(key, added -> new Group(measured.length, activity));
                group.durations[run] += activities.end(activity) - activities.start(activity);
                group.lastEnds[run] = activities.end(activity) - activities.start(measured[run][0]);
            }
        }
        List<Operation> operations = new ArrayList<>();
        groups.forEach((key, group) -> operations.add(new Operation(
                captures.texts(key.path()),
                List.of(),
                names.fullName(key.name()),
                names.shortName(key.name()),
                new Samples(group.durations),
                new Samples(group.lastEnds).mean(),
                activities.lane(group.firstActivity),
                Optional.empty(),
                attribution.frames(attribution.capture(group.firstActivity)))));
        return operations;
    }
}
