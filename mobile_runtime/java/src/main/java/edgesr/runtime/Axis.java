package edgesr.runtime;

/**
 * The tiles along one axis of a picture. Tile i reads {@code start(i) .. start(i) + tile - 1} and keeps
 * {@code low(i) .. high(i) - 1}. All lengths are pixels of the low-resolution picture.
 */
final class Axis {
    private final int[] starts;
    private final int[] edges;

    private Axis(int[] starts, int[] edges) {
        this.starts = starts;
        this.edges = edges;
    }

    /** The fewest tiles that throw away at least {@code halo} pixels on both sides of every seam. */
    static Axis plan(int length, int tile, int halo) {
        if (length <= tile) {
            return new Axis(new int[] {0}, new int[] {0, length});
        }
        int step = tile - 2 * halo;
        int count = (int) (((long) length - 2 * halo + step - 1) / step);
        int[] starts = new int[count];
        int[] edges = new int[count + 1];
        for (int i = 0; i < count; i++) {
            starts[i] = (int) ((long) i * (length - tile) / (count - 1));
            edges[i] = i == 0 ? 0 : (int) (((long) starts[i - 1] + starts[i] + tile) / 2);
        }
        edges[count] = length;
        return new Axis(starts, edges);
    }

    int count() {
        return starts.length;
    }

    int start(int i) {
        return starts[i];
    }

    int low(int i) {
        return edges[i];
    }

    int high(int i) {
        return edges[i + 1];
    }

    /** The most pixels that one of the tiles keeps. */
    int longest() {
        int longest = 0;
        for (int i = 0; i < starts.length; i++) {
            longest = Math.max(longest, high(i) - low(i));
        }
        return longest;
    }

    /**
     * Indices {@code start .. start + count - 1}, reflected at both ends of an axis of {@code length} pixels
     * without repeating the edge.
     */
    static int[] mirrored(int start, int count, int length) {
        int[] indices = new int[count];
        long period = 2L * length - 2;
        for (int i = 0; i < count && length > 1; i++) {
            long folded = ((long) start + i) % period;
            folded += folded < 0 ? period : 0;
            indices[i] = (int) (folded < length ? folded : period - folded);
        }
        return indices;
    }
}
