package edgesr.runtime;

import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.ImageIO;

/** A picture in memory, to be read from; checks that every pass reads its rows once and in order. */
final class Picture implements PixelSource {
    final int[] argb;
    private final int width;
    private final int height;
    private final boolean alpha;
    private int nextRow;

    Picture(int width, int height, boolean alpha, int[] argb) {
        this.width = width;
        this.height = height;
        this.alpha = alpha;
        this.argb = argb;
    }

    static Picture read(File file) throws IOException {
        BufferedImage image = ImageIO.read(file);
        int[] argb = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        return new Picture(image.getWidth(), image.getHeight(), image.getColorModel().hasAlpha(), argb);
    }

    static Picture random(int width, int height, boolean alpha, long seed) {
        int[] argb = new Random(seed).ints((long) width * height).toArray();
        if (!alpha) {
            for (int i = 0; i < argb.length; i++) {
                argb[i] |= 0xff000000;
            }
        }
        return new Picture(width, height, alpha, argb);
    }

    /** Each pixel {@code scale} times along both axes. */
    int[] repeated(int scale) {
        int[] large = new int[argb.length * scale * scale];
        for (int i = 0; i < large.length; i++) {
            int y = i / (width * scale) / scale;
            int x = i % (width * scale) / scale;
            large[i] = argb[y * width + x];
        }
        return large;
    }

    @Override
    public int width() {
        return width;
    }

    @Override
    public int height() {
        return height;
    }

    @Override
    public boolean hasAlpha() {
        return alpha;
    }

    @Override
    public void readRows(int firstRow, int rows, int[] into, int offset) {
        if (firstRow != nextRow % height || rows < 0) {
            throw new AssertionError("rows from " + firstRow + " were asked for, not from " + nextRow);
        }
        System.arraycopy(argb, firstRow * width, into, offset, rows * width);
        nextRow = firstRow + rows;
    }

    /** Takes an enlarged picture. */
    static final class Sink implements PixelSink {
        int width;
        int height;
        boolean alpha;
        int[] argb;
        int rows;
        boolean finished;
        int aborted;

        @Override
        public void begin(int width, int height, boolean hasAlpha) {
            this.width = width;
            this.height = height;
            alpha = hasAlpha;
            argb = new int[width * height];
        }

        @Override
        public void writeRows(int[] strip, int count) throws EdgesrException {
            System.arraycopy(strip, 0, argb, rows * width, count * width);
            rows += count;
        }

        @Override
        public void finish() {
            finished = rows == height;
        }

        @Override
        public void abort() {
            aborted++;
            Arrays.fill(argb == null ? new int[0] : argb, 0);
        }
    }
}
