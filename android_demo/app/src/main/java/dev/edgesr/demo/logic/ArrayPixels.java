package dev.edgesr.demo.logic;

import edgesr.runtime.PixelSink;
import edgesr.runtime.PixelSource;

/** A small opaque picture in memory, to read from and to write to. */
public final class ArrayPixels implements PixelSource, PixelSink {
    private int width;
    private int height;
    private int[] argb;
    private int written;

    /** To be written to. */
    public ArrayPixels() {}

    /** {@code argb}: {@code width * height} pixels, row by row; not copied. */
    public ArrayPixels(int width, int height, int[] argb) {
        if (argb.length != width * height) {
            throw new IllegalArgumentException(argb.length + " pixels are not " + width + "x" + height);
        }
        this.width = width;
        this.height = height;
        this.argb = argb;
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
        return false;
    }

    @Override
    public void readRows(int firstRow, int rows, int[] into, int offset) {
        System.arraycopy(argb, firstRow * width, into, offset, rows * width);
    }

    @Override
    public void begin(int newWidth, int newHeight, boolean hasAlpha) {
        width = newWidth;
        height = newHeight;
        argb = new int[newWidth * newHeight];
        written = 0;
    }

    @Override
    public void writeRows(int[] from, int rows) {
        System.arraycopy(from, 0, argb, written, rows * width);
        written += rows * width;
    }

    @Override
    public void finish() {}

    @Override
    public void abort() {
        argb = new int[0];
        width = 0;
        height = 0;
    }

    /** How this picture differs from another one, in red, green and blue. */
    public Difference differenceTo(ArrayPixels other) {
        if (width != other.width || height != other.height) {
            return Difference.ofSize();
        }
        int values = 0;
        int largest = 0;
        for (int i = 0; i < argb.length; i++) {
            for (int shift = 0; shift < 24; shift += 8) {
                int distance = Math.abs((argb[i] >> shift & 255) - (other.argb[i] >> shift & 255));
                values += distance == 0 ? 0 : 1;
                largest = Math.max(largest, distance);
            }
        }
        return Difference.ofValues(values, largest);
    }
}
