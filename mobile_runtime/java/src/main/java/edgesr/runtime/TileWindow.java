package edgesr.runtime;

/** The rows of a picture that one row of tiles reads; moves down the picture and reads every row once. */
final class TileWindow {
    private final PixelSource source;
    private final TilePlan plan;
    private final int held;
    private final int[] pixels;
    private final int[] rows;
    private final int[] columns;
    private int first;
    private int end;

    /** @throws EdgesrException there is not enough memory */
    TileWindow(PixelSource source, TilePlan plan) throws EdgesrException {
        this.source = source;
        this.plan = plan;
        held = Math.min(plan.height, plan.tile);
        pixels = Memory.pixels((long) held * plan.width, plan.toString());
        // A tile reads past the picture only where it is larger; then its mirror image continues.
        rows = plan.height < plan.tile ? Axis.mirrored(0, plan.tile, plan.height) : null;
        columns = plan.width < plan.tile ? Axis.mirrored(0, plan.tile, plan.width) : null;
    }

    /** Memory of a window, in bytes. */
    static long bytes(TilePlan plan) {
        return 4L * Math.min(plan.height, plan.tile) * plan.width + 8L * plan.tile;
    }

    /** Moves to a row of tiles, below the one where it was. */
    void moveTo(int tileRow) throws EdgesrException {
        int start = plan.rows.start(tileRow);
        int kept = end - start;
        System.arraycopy(pixels, (start - first) * plan.width, pixels, 0, kept * plan.width);
        source.readRows(end, held - kept, pixels, kept * plan.width);
        first = start;
        end = start + held;
    }

    /** Copies the input of a tile of this row: {@code tile * tile} ARGB pixels. */
    void extract(int tileColumn, int[] square) {
        int x = plan.columns.start(tileColumn);
        for (int row = 0; row < plan.tile; row++) {
            int from = (rows == null ? row : rows[row]) * plan.width + x;
            int to = row * plan.tile;
            if (columns == null) {
                System.arraycopy(pixels, from, square, to, plan.tile);
            } else {
                for (int column = 0; column < plan.tile; column++) {
                    square[to + column] = pixels[from + columns[column]];
                }
            }
        }
    }
}
