package edgesr.runtime;

/**
 * One run of the program: its input is the square from ({@link #y}, {@link #x}); of the answer it gives rows
 * {@code top .. bottom - 1} and columns {@code left .. right - 1} of the picture.
 */
public final class Tile {
    public final int y;
    public final int x;
    public final int top;
    public final int left;
    public final int bottom;
    public final int right;

    Tile(int y, int x, int top, int left, int bottom, int right) {
        this.y = y;
        this.x = x;
        this.top = top;
        this.left = left;
        this.bottom = bottom;
        this.right = right;
    }
}
