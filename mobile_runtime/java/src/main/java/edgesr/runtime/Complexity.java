package edgesr.runtime;

/**
 * How much detail a picture holds: 1000 times the mean absolute Sobel response of its grey, by which tiles are
 * routed. In integers up to one division, so that every language gets the same value. Keeps its working memory,
 * three rows, from call to call; for one thread at a time.
 */
public final class Complexity {
    private final int height;
    private final int width;
    private int[] above;
    private int[] row;
    private int[] below;

    /** For pictures of {@code height} x {@code width} pixels. */
    public Complexity(int height, int width) {
        this.height = height;
        this.width = width;
        // One more on both sides: a neighbour outside takes the value of the nearest pixel inside.
        above = new int[width + 2];
        row = new int[width + 2];
        below = new int[width + 2];
    }

    /** The complexity of {@code height * width} ARGB pixels, alpha left aside; 0 for a flat picture. */
    public double of(int[] argb) {
        grey(argb, 0, row);
        System.arraycopy(row, 0, above, 0, row.length);
        long sum = 0;
        for (int y = 0; y < height; y++) {
            grey(argb, Math.min(y + 1, height - 1), below);
            sum += gradients();
            int[] free = above;
            above = row;
            row = below;
            below = free;
        }
        return sum / (double) (4080L * height * width);
    }

    /** Sum of |gx| + |gy| over the pixels of {@code row}. */
    private long gradients() {
        long sum = 0;
        for (int x = 1; x <= width; x++) {
            int right = above[x + 1] + 2 * row[x + 1] + below[x + 1];
            int left = above[x - 1] + 2 * row[x - 1] + below[x - 1];
            int lower = below[x - 1] + 2 * below[x] + below[x + 1];
            int upper = above[x - 1] + 2 * above[x] + above[x + 1];
            sum += Math.abs(right - left) + Math.abs(lower - upper);
        }
        return sum;
    }

    private void grey(int[] argb, int y, int[] into) {
        int from = y * width;
        for (int x = 0; x < width; x++) {
            int pixel = argb[from + x];
            into[x + 1] = 299 * (pixel >> 16 & 255) + 587 * (pixel >> 8 & 255) + 114 * (pixel & 255);
        }
        into[0] = into[1];
        into[width + 1] = into[width];
    }
}
