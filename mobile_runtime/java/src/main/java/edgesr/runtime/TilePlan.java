package edgesr.runtime;

/**
 * How a picture is cut into squares, row by row from the top, left to right; what they keep covers every
 * pixel exactly once. Takes memory for its rows and columns only, not for every tile.
 */
public final class TilePlan {
    public final int height;
    public final int width;
    public final int tile;
    public final int halo;
    final Axis rows;
    final Axis columns;

    /**
     * Plans the fewest tiles for a picture of {@code height} x {@code width} pixels.
     *
     * @throws IllegalArgumentException a length is below 1, not {@code 0 <= 2 * halo < tile}, or there would
     *     be more tiles than an int counts
     */
    public TilePlan(int height, int width, int tile, int halo) {
        if (height < 1 || width < 1) {
            throw new IllegalArgumentException("a picture of " + height + "x" + width + " has no pixels");
        }
        if (halo < 0 || halo >= tile - halo) {
            throw new IllegalArgumentException("halo " + halo + " must be 0 or more and below half of " + tile);
        }
        this.height = height;
        this.width = width;
        this.tile = tile;
        this.halo = halo;
        rows = Axis.plan(height, tile, halo);
        columns = Axis.plan(width, tile, halo);
        if ((long) rows.count() * columns.count() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(height + "x" + width + " pixels are too many tiles");
        }
    }

    /** The number of tiles. */
    public int count() {
        return rows.count() * columns.count();
    }

    /** Tile {@code index}, 0 .. {@link #count()} - 1. */
    public Tile at(int index) {
        int row = index / columns.count();
        int column = index % columns.count();
        return new Tile(
                rows.start(row), columns.start(column),
                rows.low(row), columns.low(column),
                rows.high(row), columns.high(column));
    }

    @Override
    public String toString() {
        return "a picture of " + width + "x" + height + " in tiles of " + tile;
    }

    /** The share of computed pixels that is thrown away, {@code 0 <= waste < 1}. */
    public double waste() {
        return 1 - (double) ((long) height * width) / ((double) count() * tile * tile);
    }
}
