package edgesr.runtime;

/** Heights and widths, each by itself, that a program takes: low-resolution pixels from min to max. */
public final class SizeRange {
    public final int min;
    public final int max;

    SizeRange(int min, int max) {
        this.min = min;
        this.max = max;
    }

    public boolean contains(int side) {
        return min <= side && side <= max;
    }
}
