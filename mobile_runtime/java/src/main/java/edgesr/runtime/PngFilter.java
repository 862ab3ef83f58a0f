package edgesr.runtime;

/**
 * Makes rows of samples easier to compress: each as differences to what Sub, Up or Paeth predict, whichever
 * gives the smallest ones (the heuristic that the PNG specification names).
 */
final class PngFilter {
    private static final int SUB = 1;
    private static final int UP = 2;
    private static final int PAETH = 4;
    private static final int[] KINDS = {SUB, UP, PAETH};

    private final int step;
    /** Rows begin after {@code step} zeros, which stand for the pixel to the left of the first. */
    private byte[] current;
    private byte[] above;
    private final byte[] samples;
    private byte[] best;
    private byte[] attempt;

    PngFilter(int width, int channels) {
        step = channels;
        samples = new byte[width * channels];
        current = new byte[samples.length + step];
        above = new byte[samples.length + step];
        best = new byte[samples.length + 1];
        attempt = new byte[samples.length + 1];
    }

    /** Where the next row's samples are to be written. */
    byte[] next() {
        return samples;
    }

    /** The row written to {@link #next}, with its filter's number before it; until the next row. */
    byte[] filtered() {
        byte[] free = above;
        above = current;
        current = free;
        System.arraycopy(samples, 0, current, step, samples.length);
        long least = Long.MAX_VALUE;
        for (int kind : KINDS) {
            long cost = apply(kind);
            if (cost < least) {
                least = cost;
                byte[] other = best;
                best = attempt;
                attempt = other;
            }
        }
        return best;
    }

    /** Fills {@link #attempt}; the sum of its differences' absolute values. */
    private long apply(int kind) {
        attempt[0] = (byte) kind;
        long cost = 0;
        for (int i = 0; i < samples.length; i++) {
            int left = current[i] & 255;
            int up = above[i + step] & 255;
            int predicted = kind == SUB ? left : kind == UP ? up : paeth(left, up, above[i] & 255);
            byte difference = (byte) (samples[i] - predicted);
            attempt[i + 1] = difference;
            cost += Math.abs(difference);
        }
        return cost;
    }

    private static int paeth(int left, int up, int corner) {
        int toLeft = Math.abs(up - corner);
        int toUp = Math.abs(left - corner);
        int toCorner = Math.abs(left + up - 2 * corner);
        if (toLeft <= toUp && toLeft <= toCorner) {
            return left;
        }
        return toUp <= toCorner ? up : corner;
    }
}
