package dev.edgesr.demo.logic;

/** Between two pictures. */
public final class Difference {
    /** They are not even of the same size. */
    public final boolean sizes;

    /** How many values (red, green, blue) differ. */
    public final int values;

    /** By how much at most, 0..255. */
    public final int largest;

    private Difference(boolean sizes, int values, int largest) {
        this.sizes = sizes;
        this.values = values;
        this.largest = largest;
    }

    static Difference ofSize() {
        return new Difference(true, 0, 0);
    }

    static Difference ofValues(int values, int largest) {
        return new Difference(false, values, largest);
    }

    public boolean isNone() {
        return !sizes && values == 0;
    }
}
