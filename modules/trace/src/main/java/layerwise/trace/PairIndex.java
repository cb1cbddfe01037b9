package layerwise.trace;

import java.util.Arrays;

/**
 * Finds rows by (process, id): an open-addressing hash over primitive arrays, because both ids are unique only within a
 * process and there are millions of them.
 */
final class PairIndex {
    private static final int NONE = -1;

    private int[] processes;
    private long[] ids;
    private int[] rows;
    private int mask;
    private int size;

    PairIndex(int expected) {
        int capacity = Integer.highestOneBit(Math.max(16, expected)) * 4;
        allocate(capacity);
    }

    /** Adds a row, or replaces the row of an equal key. */
    void put(int process, long id, int row) {
        if (size * 2 > mask) {
            grow();
        }
        int slot = slot(process, id);
        if (rows[slot] == NONE) {
            size++;
        }
        processes[slot] = process;
        ids[slot] = id;
        rows[slot] = row;
    }

    /** The row of a key, -1 if there is none. */
    int find(int process, long id) {
        return rows[slot(process, id)];
    }

    private int slot(int process, long id) {
        long hash = (id * 0x9E3779B97F4A7C15L) ^ (process * 0xC2B2AE3D27D4EB4FL);
        int slot = (int) (hash ^ (hash >>> 32)) & mask;
        while (rows[slot] != NONE && (ids[slot] != id || processes[slot] != process)) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        int[] oldProcesses = processes;
        long[] oldIds = ids;
        int[] oldRows = rows;
        allocate(Math.multiplyExact(oldRows.length, 2));
        for (int i = 0; i < oldRows.length; i++) {
            if (oldRows[i] != NONE) {
                int slot = slot(oldProcesses[i], oldIds[i]);
                processes[slot] = oldProcesses[i];
                ids[slot] = oldIds[i];
                rows[slot] = oldRows[i];
            }
        }
    }

    private void allocate(int capacity) {
        processes = new int[capacity];
        ids = new long[capacity];
        rows = new int[capacity];
        Arrays.fill(rows, NONE);
        mask = capacity - 1;
    }
}
