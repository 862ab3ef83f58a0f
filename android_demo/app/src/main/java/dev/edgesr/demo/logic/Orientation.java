package dev.edgesr.demo.logic;

/** How a camera's pixels are to be turned to stand upright: the EXIF orientation, 1..8. */
public final class Orientation {
    /** Rows and columns change places, before anything else. */
    private final boolean transposed;

    private final boolean mirroredX;
    private final boolean mirroredY;

    private Orientation(boolean transposed, boolean mirroredX, boolean mirroredY) {
        this.transposed = transposed;
        this.mirroredX = mirroredX;
        this.mirroredY = mirroredY;
    }

    /** By the number in EXIF; what is none of the eight leaves the pixels as they are. */
    public static Orientation of(int exif) {
        int known = exif >= 1 && exif <= 8 ? exif : 1;
        boolean transposed = known >= 5;
        boolean mirroredX = known == 2 || known == 3 || known == 6 || known == 7;
        boolean mirroredY = known == 3 || known == 4 || known == 7 || known == 8;
        return new Orientation(transposed, mirroredX, mirroredY);
    }

    public boolean isUpright() {
        return !transposed && !mirroredX && !mirroredY;
    }

    /** Whether a picture that is stored wide stands high. */
    public boolean swapsAxes() {
        return transposed;
    }

    /**
     * Where the pixels of a part of the upright picture are stored.
     *
     * @param part left, top, right, bottom
     * @param width of the upright picture
     * @param height of the upright picture
     * @return as {@code part}, in the picture as it is stored
     */
    public int[] stored(int[] part, int width, int height) {
        int left = mirroredX ? width - part[2] : part[0];
        int right = mirroredX ? width - part[0] : part[2];
        int top = mirroredY ? height - part[3] : part[1];
        int bottom = mirroredY ? height - part[1] : part[3];
        return transposed ? new int[] {top, left, bottom, right} : new int[] {left, top, right, bottom};
    }

    /**
     * Turns stored pixels upright.
     *
     * @param from row by row as they are stored
     * @param width of the part when it is upright
     * @param height of the part when it is upright
     * @param to takes the upright part, row by row from {@code offset} on
     */
    public void turn(int[] from, int width, int height, int[] to, int offset) {
        for (int y = 0; y < height; y++) {
            int row = mirroredY ? height - 1 - y : y;
            for (int x = 0; x < width; x++) {
                int column = mirroredX ? width - 1 - x : x;
                to[offset + y * width + x] = from[transposed ? column * height + row : row * width + column];
            }
        }
    }
}
