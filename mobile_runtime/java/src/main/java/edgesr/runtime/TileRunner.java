package edgesr.runtime;

import java.nio.FloatBuffer;

/** Runs a program on one square at a time; all its memory is taken once and used for every tile. */
final class TileRunner {
    private static final int CHANNELS = 3;
    private static final int OPAQUE = 0xff000000;

    private final Engine engine;
    private final int tile;
    private final int side;
    private final float factor;
    private final float[] inputs;
    private final FloatBuffer in;
    private final FloatBuffer out;
    private final float[] row;
    private final Complexity complexity;
    private final Bicubic bicubic;
    /** The input in work: {@code tile * tile} ARGB pixels, to be filled by the caller. */
    final int[] square;

    /** @throws EdgesrException there is not enough memory */
    TileRunner(ProgramInfo info, Engine engine) throws EdgesrException {
        this.engine = engine;
        tile = info.tile;
        side = info.tile * info.scale;
        factor = Pixels.factor(info.pixelRange);
        inputs = Pixels.inputs(info.pixelRange);
        square = Memory.pixels((long) tile * tile, toString());
        in = buffer(tile);
        out = buffer(side);
        row = new float[side * CHANNELS];
        complexity = new Complexity(tile, tile);
        bicubic = new Bicubic(tile, tile, info.scale);
    }

    /** Memory of a runner, in bytes, without the engine's own. */
    static long bytes(ProgramInfo info) {
        long side = (long) info.tile * info.scale;
        long buffers = (long) CHANNELS * ((long) info.tile * info.tile + side * side + side);
        return 4 * (buffers + (long) info.tile * info.tile + 7L * info.tile);
    }

    private FloatBuffer buffer(int length) throws EdgesrException {
        return Memory.direct(4L * CHANNELS * length * length, toString()).asFloatBuffer();
    }

    @Override
    public String toString() {
        return "tiles of " + tile + " pixels, enlarged to " + side;
    }

    /** The detail in {@link #square}. */
    double complexity() {
        return complexity.of(square);
    }

    /** Enlarges channels of {@link #square} without the network; see {@link Bicubic#enlarge}. */
    void interpolate(Tile tile, int mask, int[] pixels, int offset, int stride) {
        bicubic.enlarge(square, tile.top - tile.y, tile.left - tile.x, tile.bottom - tile.y, tile.right - tile.x,
                mask, pixels, offset, stride);
    }

    /** Runs a variant on {@link #square}; the answer stays here until the next run. */
    void run(String variant) throws EdgesrException {
        for (int y = 0; y < tile; y++) {
            int to = 0;
            for (int at = y * tile; at < (y + 1) * tile; at++) {
                int pixel = square[at];
                row[to++] = inputs[pixel >> 16 & 255];
                row[to++] = inputs[pixel >> 8 & 255];
                row[to++] = inputs[pixel & 255];
            }
            in.position(y * tile * CHANNELS);
            in.put(row, 0, tile * CHANNELS);
        }
        engine.run(variant, in, out);
    }

    /** Copies what a tile keeps of the answer, as opaque ARGB pixels, as {@link Bicubic#enlarge} places it. */
    void copy(Tile tile, int[] pixels, int offset, int stride) {
        int scale = side / this.tile;
        int columns = (tile.right - tile.left) * scale;
        for (int y = 0; y < (tile.bottom - tile.top) * scale; y++) {
            copyRow((tile.top - tile.y) * scale + y, (tile.left - tile.x) * scale, columns,
                    pixels, offset + y * stride);
        }
    }

    /** Memory for {@link #copyAll}. */
    int[] answerPixels() throws EdgesrException {
        return Memory.pixels((long) side * side, toString());
    }

    /** Copies the whole answer: {@code (tile * scale)^2} pixels. */
    void copyAll(int[] pixels) {
        for (int y = 0; y < side; y++) {
            copyRow(y, 0, side, pixels, y * side);
        }
    }

    private void copyRow(int y, int x, int columns, int[] pixels, int offset) {
        out.position((y * side + x) * CHANNELS);
        out.get(row, 0, columns * CHANNELS);
        int from = 0;
        for (int to = offset; to < offset + columns; to++) {
            int red = Pixels.fromAnswer(row[from++] * factor);
            int green = Pixels.fromAnswer(row[from++] * factor);
            int blue = Pixels.fromAnswer(row[from++] * factor);
            pixels[to] = OPAQUE | red << 16 | green << 8 | blue;
        }
    }
}
