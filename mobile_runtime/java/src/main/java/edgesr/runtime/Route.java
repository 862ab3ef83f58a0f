package edgesr.runtime;

import java.util.Arrays;
import java.util.List;

/**
 * Which rung of a program's ladder each tile goes to. Rung 0 is "skip", enlarging without the network; rung
 * i is variant i - 1 of the program, so that higher rungs are better and slower.
 */
public abstract class Route {
    public static final String SKIP = "skip";

    /** What tiles ask for by their complexity, cheapest first. */
    static final List<String> RANKS = Arrays.asList("low", "mid", "high");

    private Route() {}

    /**
     * The rung of tile {@code index} of the plan.
     *
     * @param complexity what its input holds; any number where not {@link #readsComplexity}
     */
    public abstract int rung(int index, double complexity);

    /** Whether the choice looks at complexity at all. */
    public boolean readsComplexity() {
        return false;
    }

    /** Whether a picture of so many tiles can take it. */
    boolean fits(int tiles) {
        return true;
    }

    /** As the program says: by complexity where it has thresholds, else its best variant for every tile. */
    public static Route automatic(ProgramInfo info) {
        return info.thresholds == null ? all(info.variants.size()) : byThresholds(info, info.thresholds);
    }

    /**
     * By complexity and other thresholds than the program's own. A variant that it lacks is replaced by the next
     * better one that it has.
     */
    public static Route byThresholds(ProgramInfo info, final Thresholds thresholds) {
        final int low = present(info.variants, 0);
        final int mid = present(info.variants, 1);
        final int high = present(info.variants, 2);
        return new Route() {
            @Override
            public int rung(int index, double complexity) {
                if (complexity < thresholds.skip) {
                    return 0;
                }
                return complexity < thresholds.low ? low : complexity > thresholds.high ? high : mid;
            }

            @Override
            public boolean readsComplexity() {
                return true;
            }
        };
    }

    /**
     * Every tile to one variant, or to {@link #SKIP}.
     *
     * @throws IllegalArgumentException the program has no such variant
     */
    public static Route fixed(ProgramInfo info, String name) {
        int index = info.variants.indexOf(name);
        if (index < 0 && !SKIP.equals(name)) {
            throw new IllegalArgumentException("no variant '" + name + "'; the program has " + info.variants);
        }
        return all(index + 1);
    }

    /** The rungs of all tiles in the order of the plan, for instance from {@link Budget}. */
    static Route planned(int[] rungs) {
        final int[] own = rungs.clone();
        return new Route() {
            @Override
            public int rung(int index, double complexity) {
                return own[index];
            }

            @Override
            boolean fits(int tiles) {
                return own.length == tiles;
            }
        };
    }

    private static Route all(final int rung) {
        return new Route() {
            @Override
            public int rung(int index, double complexity) {
                return rung;
            }
        };
    }

    /** The rung of a rank, or of the next better one that the program has, or else of its last variant. */
    static int present(List<String> variants, int rank) {
        for (String name : RANKS.subList(rank, RANKS.size())) {
            if (variants.contains(name)) {
                return variants.indexOf(name) + 1;
            }
        }
        return variants.size();
    }
}
