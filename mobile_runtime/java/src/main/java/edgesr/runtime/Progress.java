package edgesr.runtime;

import java.util.Arrays;
import java.util.List;

/** How far a run is: tiles and time, per rung of the ladder (see {@link Route}). Changes while it runs. */
public final class Progress {
    /** Is told after every tile, on the thread of the run; should be quick. */
    public interface Listener {
        void tileDone(Progress progress);
    }

    private final List<String> variants;
    private final int total;
    private final int[] tiles;
    private final long[] nanoseconds;
    private int done;

    Progress(List<String> variants, int total) {
        this.variants = variants;
        this.total = total;
        tiles = new int[variants.size() + 1];
        nanoseconds = new long[variants.size() + 1];
    }

    void add(int rung, long took) {
        tiles[rung]++;
        nanoseconds[rung] += took;
        done++;
    }

    /** Tiles done. */
    public int done() {
        return done;
    }

    /** Tiles in all. */
    public int total() {
        return total;
    }

    /** Tiles that went to a variant, or to {@link Route#SKIP}. */
    public int tiles(String name) {
        return tiles[rung(name)];
    }

    /** Nanoseconds spent on the tiles of a variant, or of {@link Route#SKIP}. */
    public long nanoseconds(String name) {
        return nanoseconds[rung(name)];
    }

    private int rung(String name) {
        int index = variants.indexOf(name);
        if (index < 0 && !Route.SKIP.equals(name)) {
            throw new IllegalArgumentException("no variant '" + name + "'; the program has " + variants);
        }
        return index + 1;
    }

    @Override
    public String toString() {
        return done + " of " + total + " tiles, skip and " + variants + ": " + Arrays.toString(tiles);
    }
}
