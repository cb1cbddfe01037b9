package layerwise.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Reads kernels, copies and memory sets.
 *
 * <p>A trace may hold millions of kernels and no index, so the kernel table is read in as many row-id intervals as there
 * are processors, each on its own connection.
 */
final class ActivityScan {
    private static final String KERNELS = "CUPTI_ACTIVITY_KIND_KERNEL";
    private static final String COPIES = "CUPTI_ACTIVITY_KIND_MEMCPY";
    private static final String FILLS = "CUPTI_ACTIVITY_KIND_MEMSET";
    private static final int WORTH_SPLITTING = 100_000;

    private final Database database;
    private GpuActivities activities = new GpuActivities(0);
    private int lost;

    ActivityScan(Database database) {
        this.database = database;
    }

    GpuActivities read() {
        int kernels = database.denseRows(KERNELS);
        boolean splittable = kernels >= WORTH_SPLITTING;
        kernels = kernels < 0 ? database.countRows(KERNELS) : kernels;
        int copies = database.has(COPIES) ? database.countRows(COPIES) : 0;
        int fills = database.has(FILLS) ? database.countRows(FILLS) : 0;
        activities = new GpuActivities(Math.addExact(kernels, Math.addExact(copies, fills)));
        int size = splittable ? readInParts(kernels) : part(KERNELS, "demangledName", "", 0);
        if (database.has(COPIES)) {
            size += part(COPIES, String.valueOf(GpuActivities.MEMCPY), "", size);
        }
        if (database.has(FILLS)) {
            size += part(FILLS, String.valueOf(GpuActivities.MEMSET), "", size);
        }
        activities.size(size);
        if (lost > 0) {
            System.getLogger(ActivityScan.class.getName())
                    .log(System.Logger.Level.WARNING, lost + " GPU activities have no time stamps and are left out");
        }
        return activities;
    }

    private int readInParts(int kernels) {
        int parts = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 4);
        List<CompletableFuture<Integer>> scans = new ArrayList<>();
        for (int p = 0; p < parts; p++) {
            int from = boundary(kernels, p, parts);
            String interval = " WHERE rowid>" + from + " AND rowid<=" + boundary(kernels, p + 1, parts);
            scans.add(CompletableFuture.supplyAsync(() -> part(KERNELS, "demangledName", interval, from)));
        }
        int size = 0;
        for (int p = 0; p < parts; p++) {
            int count = join(scans.get(p));
            activities.move(boundary(kernels, p, parts), size, count);
            size += count;
        }
        return size;
    }

    private static int boundary(int rows, int part, int parts) {
        return (int) ((long) rows * part / parts);
    }

    private int part(String table, String name, String interval, int base) {
        List<String> present = database.columns(table);
        String sql = "SELECT start,end," + name + ",correlationId,"
                + optional(present, "globalPid") + "," + optional(present, "graphNodeId") + ","
                + optional(present, "streamId") + "," + optional(present, "deviceId") + " FROM " + table + interval;
        int[] count = {0};
        int[] timeless = {0};
        database.scan(sql, row -> {
            long start = row.getLong(1);
            long end = row.getLong(2);
            if (start == 0 && end == 0) {
                timeless[0]++; // CUPTI had no memory left for time stamps
            } else {
                int lane = (row.getInt(8) << 24) | (row.getInt(7) & 0xFF_FFFF);
                activities.set(
                        base + count[0]++,
                        start,
                        end,
                        row.getInt(3),
                        row.getLong(5),
                        row.getLong(4),
                        row.getLong(6),
                        lane);
            }
        });
        synchronized (this) {
            lost += timeless[0];
        }
        return count[0];
    }

    private static String optional(List<String> present, String column) {
        return present.contains(column) ? column : "0";
    }

    private static int join(CompletableFuture<Integer> scan) {
        try {
            return scan.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TraceException cause) {
                throw cause;
            }
            throw e;
        }
    }
}
