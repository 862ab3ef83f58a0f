package edgesr.runtime;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/**
 * Finds a program's thresholds again on a user's own pictures, without originals: the error that the conversion
 * accepted is kept to, at the least time. {@link Survey#observe} gathers the tiles.
 */
public final class Recalibration {
    /** Above every complexity, which ends at 500. */
    private static final double ALL = 1000;

    private final ProgramInfo info;
    private final List<Observation> tiles = new ArrayList<>();

    /** @throws EdgesrException the program has no thresholds, or does not say what error was accepted */
    public Recalibration(ProgramInfo info) throws EdgesrException {
        if (info.thresholds == null || info.thresholds.error == null) {
            throw new EdgesrException("the program " + info.network
                    + " holds no error to find thresholds by; convert it with several variants");
        }
        this.info = info;
    }

    /**
     * Adds a tile.
     *
     * @param errors of each variant: the sum of squared differences of its pixels to the last variant's, over
     *     the whole answer
     */
    public void add(double complexity, long[] errors) {
        if (errors.length != info.variants.size()) {
            throw new IllegalArgumentException(errors.length + " errors for " + info.variants);
        }
        tiles.add(new Observation(complexity, errors.clone()));
    }

    /** Tiles added so far. */
    public int count() {
        return tiles.size();
    }

    /** Whether a tile is skipped in any case, so that its errors say nothing. */
    boolean skips(double complexity) {
        return complexity < info.thresholds.skip;
    }

    /**
     * The thresholds of least time whose errors, summed over the tiles, are no more than accepted; among equals
     * of least error, then of least {@code low}, then of least {@code high}. {@code skip} stays as it was.
     *
     * @param microseconds what each variant takes for a tile
     * @throws EdgesrException there are no tiles, or no thresholds keep to the error
     */
    public Thresholds find(long[] microseconds) throws EdgesrException {
        if (tiles.isEmpty()) {
            throw new EdgesrException("no pictures to find thresholds on; give at least one");
        }
        double[] candidates = candidates();
        Sums below = new Sums(candidates, microseconds, true);
        Sums upTo = new Sums(candidates, microseconds, false);
        long side = (long) info.tile * info.scale;
        // Errors are whole numbers: to compare them with the whole part is exact.
        long accepted = (long) (info.thresholds.error * 3 * (side * side) * tiles.size());
        Thresholds best = null;
        long bestTime = 0;
        long bestError = 0;
        for (int i = 0; i < candidates.length; i++) {
            for (int j = i; j < candidates.length; j++) {
                long error = route(below.errors[i], upTo.errors[j], upTo.errors[candidates.length - 1]);
                long time = route(below.times[i], upTo.times[j], upTo.times[candidates.length - 1]);
                boolean better = best == null || time < bestTime || time == bestTime && error < bestError;
                if (error <= accepted && better) {
                    best = new Thresholds(
                            info.thresholds.skip, candidates[i], candidates[j], info.thresholds.error);
                    bestTime = time;
                    bestError = error;
                }
            }
        }
        if (best == null) {
            throw new EdgesrException("no thresholds keep to the error of " + info.network
                    + " on these pictures; keep the ones that it has");
        }
        return best;
    }

    /** The sum over all tiles: below low by "low", up to high by "mid", the rest by "high". */
    private static long route(long[] belowLow, long[] upToHigh, long[] all) {
        return belowLow[0] + (upToHigh[1] - belowLow[1]) + (all[2] - upToHigh[2]);
    }

    private double[] candidates() {
        TreeSet<Double> values = new TreeSet<>(Arrays.asList(info.thresholds.skip, ALL));
        for (Observation tile : sorted()) {
            values.add(tile.complexity);
        }
        double[] found = new double[values.size()];
        int count = 0;
        for (double value : values) {
            found[count++] = value;
        }
        return found;
    }

    /**
     * Per candidate: the errors and times of the tiles below it, or up to it, if all of them went to "low", to
     * "mid" or to "high".
     */
    private final class Sums {
        final long[][] errors;
        final long[][] times;

        Sums(double[] candidates, long[] microseconds, boolean below) {
            List<Observation> sorted = sorted();
            int[] rungs = ranks();
            errors = new long[candidates.length][];
            times = new long[candidates.length][];
            long[] error = new long[rungs.length];
            long[] time = new long[rungs.length];
            int next = 0;
            for (int i = 0; i < candidates.length; i++) {
                while (next < sorted.size() && (below ? sorted.get(next).complexity < candidates[i]
                        : sorted.get(next).complexity <= candidates[i])) {
                    Observation tile = sorted.get(next++);
                    for (int rank = 0; rank < rungs.length; rank++) {
                        error[rank] += tile.errors[rungs[rank] - 1];
                        time[rank] += microseconds[rungs[rank] - 1];
                    }
                }
                errors[i] = error.clone();
                times[i] = time.clone();
            }
        }
    }

    /** The rungs that tiles take which ask for "low", "mid" and "high". */
    private int[] ranks() {
        int[] found = new int[Route.RANKS.size()];
        for (int rank = 0; rank < found.length; rank++) {
            found[rank] = Route.present(info.variants, rank);
        }
        return found;
    }

    /** The tiles that are not skipped, plainest first. */
    private List<Observation> sorted() {
        List<Observation> sorted = new ArrayList<>();
        for (Observation tile : tiles) {
            if (!skips(tile.complexity)) {
                sorted.add(tile);
            }
        }
        Collections.sort(sorted, new Comparator<Observation>() {
            @Override
            public int compare(Observation one, Observation other) {
                return Double.compare(one.complexity, other.complexity);
            }
        });
        return sorted;
    }

    private static final class Observation {
        final double complexity;
        final long[] errors;

        Observation(double complexity, long[] errors) {
            this.complexity = complexity;
            this.errors = errors;
        }
    }
}
