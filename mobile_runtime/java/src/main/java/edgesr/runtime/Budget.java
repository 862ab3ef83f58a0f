package edgesr.runtime;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/** Keeps a picture within a time: the plainest tiles step down the ladder first. */
public final class Budget {
    private Budget() {}

    /**
     * Steps tiles down until the sum of their times is no more than {@code allowed}, or all are skipped.
     *
     * <p>For each rung from the top down: its tiles, by rising complexity and among equals by their order, go
     * one rung down, one at a time. Tiles that arrive on a rung are among its tiles when its turn comes.
     *
     * @param complexities of all tiles, in the order of the plan
     * @param rungs where each tile would go without a limit; see {@link Route}
     * @param microseconds what each variant takes for a tile
     * @param allowed microseconds for all tiles
     * @return the rungs to go to
     */
    public static int[] within(final double[] complexities, int[] rungs, long[] microseconds, long allowed) {
        int[] planned = rungs.clone();
        long sum = 0;
        for (int rung : planned) {
            sum += cost(rung, microseconds);
        }
        for (int rung = microseconds.length; rung > 0 && sum > allowed; rung--) {
            for (int index : rising(complexities, planned, rung)) {
                if (sum <= allowed) {
                    break;
                }
                planned[index] = rung - 1;
                sum -= cost(rung, microseconds) - cost(rung - 1, microseconds);
            }
        }
        return planned;
    }

    private static long cost(int rung, long[] microseconds) {
        return rung == 0 ? 0 : microseconds[rung - 1];
    }

    /** The tiles on a rung, plainest first. */
    private static List<Integer> rising(final double[] complexities, int[] planned, int rung) {
        List<Integer> found = new ArrayList<>();
        for (int index = 0; index < planned.length; index++) {
            if (planned[index] == rung) {
                found.add(index);
            }
        }
        // Stable: equals stay in the order of the plan.
        Collections.sort(found, new Comparator<Integer>() {
            @Override
            public int compare(Integer one, Integer other) {
                return Double.compare(complexities[one], complexities[other]);
            }
        });
        return found;
    }
}
