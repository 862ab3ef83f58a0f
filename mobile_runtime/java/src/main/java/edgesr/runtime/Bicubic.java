package edgesr.runtime;

/**
 * Bicubic interpolation (Keys, a = -1/2) of a square in whole numbers: for alpha, and for tiles that are not
 * worth a run of the network. For one thread at a time.
 */
public final class Bicubic {
    /** Masks for {@link #enlarge}: which channels of an ARGB pixel are written. */
    public static final int ALPHA = 0xff000000;
    public static final int COLOURS = 0x00ffffff;

    private static final int TAPS = 4;
    private static final int UNIT = 2048;
    private static final int CHANNELS = 4;

    private final int height;
    private final int width;
    private final int scale;
    /** Of output place p in an input pixel: the second of its four inputs, relative to that pixel: -1 or 0. */
    private final int[] bases;
    private final int[][] weights;
    /** The current output row before it is enlarged across: {@code width} sums per channel. */
    private final int[][] sums;

    /** For squares, or other pictures, of {@code height} x {@code width} pixels, enlarged {@code scale} times. */
    public Bicubic(int height, int width, int scale) {
        this.height = height;
        this.width = width;
        this.scale = scale;
        bases = new int[scale];
        weights = new int[scale][];
        sums = new int[CHANNELS][width];
        for (int p = 0; p < scale; p++) {
            int position = 2 * p + 1 - scale;
            bases[p] = position < 0 ? -1 : 0;
            weights[p] = weights(position - bases[p] * 2 * scale, 2 * scale);
        }
    }

    /**
     * Writes the enlarged rows {@code top * scale .. bottom * scale - 1} and columns
     * {@code left * scale .. right * scale - 1} of a square of ARGB pixels, {@code mask}'s channels alone, to
     * {@code out}: the first pixel to {@code offset}, rows {@code stride} apart.
     */
    public void enlarge(
            int[] square, int top, int left, int bottom, int right, int mask, int[] out, int offset, int stride) {
        for (int y = top * scale; y < bottom * scale; y++) {
            int to = offset + (y - top * scale) * stride;
            for (int channel = 0; channel < CHANNELS; channel++) {
                int shift = 8 * channel;
                if ((mask >>> shift & 255) != 0) {
                    sumDown(square, y, shift, sums[channel]);
                    writeAcross(sums[channel], left, right, shift, out, to);
                }
            }
        }
    }

    /** Of output place p in input pixel i: its inputs are {@code i + offset(p) - 1 .. i + offset(p) + 2}. */
    int offset(int place) {
        return bases[place];
    }

    /** The weights of those four inputs, in 2048ths. */
    int[] weights(int place) {
        return weights[place].clone();
    }

    /** Output row y of one channel before it is enlarged across, in 2048ths. */
    private void sumDown(int[] square, int y, int shift, int[] into) {
        int[] w = weights[y % scale];
        int base = y / scale + bases[y % scale] - 1;
        int a = clamp(base, height) * width;
        int b = clamp(base + 1, height) * width;
        int c = clamp(base + 2, height) * width;
        int d = clamp(base + 3, height) * width;
        for (int x = 0; x < width; x++) {
            into[x] = w[0] * (square[a + x] >>> shift & 255)
                    + w[1] * (square[b + x] >>> shift & 255)
                    + w[2] * (square[c + x] >>> shift & 255)
                    + w[3] * (square[d + x] >>> shift & 255);
        }
    }

    private void writeAcross(int[] row, int left, int right, int shift, int[] out, int to) {
        int keep = ~(255 << shift);
        int at = to;
        for (int x = left; x < right; x++) {
            for (int p = 0; p < scale; p++) {
                int[] w = weights[p];
                int base = x + bases[p] - 1;
                int sum = w[0] * row[clamp(base, width)]
                        + w[1] * row[clamp(base + 1, width)]
                        + w[2] * row[clamp(base + 2, width)]
                        + w[3] * row[clamp(base + 3, width)];
                int value = Math.max(0, Math.min(255, sum + (1 << 21) >> 22));
                out[at] = out[at] & keep | value << shift;
                at++;
            }
        }
    }

    private static int clamp(int index, int length) {
        return Math.max(0, Math.min(length - 1, index));
    }

    /** The four weights, in 2048ths, of the inputs around a position {@code m / d} behind the second of them. */
    private static int[] weights(int m, int d) {
        int cube = d * d * d;
        int[] numerators = {
            -m * m * m + 2 * m * m * d - m * d * d,
            3 * m * m * m - 5 * m * m * d + 2 * cube,
            -3 * m * m * m + 4 * m * m * d + m * d * d,
            m * m * m - m * m * d,
        };
        int[] weights = new int[TAPS];
        int rest = UNIT;
        for (int k = 0; k < TAPS; k++) {
            weights[k] = floorDivide(UNIT * numerators[k] + cube, 2 * cube);
            rest -= weights[k];
        }
        weights[2 * m < d ? 1 : 2] += rest;
        return weights;
    }

    /** As Math.floorDiv, which Android has from API 24 on only. */
    private static int floorDivide(int dividend, int divisor) {
        int quotient = dividend / divisor;
        return quotient * divisor > dividend ? quotient - 1 : quotient;
    }
}
