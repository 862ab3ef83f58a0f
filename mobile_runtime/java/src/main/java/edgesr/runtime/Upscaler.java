package edgesr.runtime;

import java.util.Arrays;
import java.util.concurrent.CancellationException;

/**
 * Enlarges pictures with one program, tile by tile from the top to the bottom. Of a picture only the rows that
 * a row of tiles reads and writes are held, so that the memory, {@link #bytesNeeded}, is known before. For one
 * thread at a time.
 */
public final class Upscaler {
    private static final int OPAQUE = 0xff000000;

    private final ProgramInfo info;
    private final int halo;
    private final TileRunner runner;

    /**
     * For a program and an engine that has opened it; the engine stays the caller's to close.
     *
     * @throws EdgesrException there is not enough memory for a tile
     */
    public Upscaler(ProgramInfo info, Engine engine) throws EdgesrException {
        this(info, engine, false);
    }

    /**
     * As above; {@code exact} takes so many pixels at every seam that the tiles give what the whole picture
     * would.
     *
     * @throws EdgesrException there is not enough memory, or {@code exact} is not possible with this program
     */
    public Upscaler(ProgramInfo info, Engine engine, boolean exact) throws EdgesrException {
        if (!engine.variants().equals(info.variants)) {
            throw new IllegalArgumentException("an engine of another program: " + engine.variants());
        }
        this.info = info;
        halo = exact ? exactHalo(info) : info.halo;
        runner = new TileRunner(info, engine);
    }

    private static int exactHalo(ProgramInfo info) throws EdgesrException {
        if (info.exactHalo == null || 2L * info.exactHalo >= info.tile) {
            throw new EdgesrException("the program's tiles of " + info.tile + " pixels are too small to be exact;"
                    + " convert it with a larger --tile");
        }
        return info.exactHalo;
    }

    /**
     * How a picture would be cut.
     *
     * @throws EdgesrException it has no pixels, or too many
     */
    public TilePlan plan(int width, int height) throws EdgesrException {
        try {
            return new TilePlan(height, width, info.tile, halo);
        } catch (IllegalArgumentException error) {
            throw new EdgesrException(error.getMessage() + "; choose another picture", error);
        }
    }

    /**
     * The memory that {@link #run} takes for a picture of this size, in bytes, with what this object holds
     * already; without that of engine, source and sink.
     */
    public long bytesNeeded(int width, int height) throws EdgesrException {
        TilePlan plan = plan(width, height);
        return TileRunner.bytes(info) + TileWindow.bytes(plan) + 4 * stripPixels(plan);
    }

    private long stripPixels(TilePlan plan) {
        return (long) plan.rows.longest() * info.scale * plan.width * info.scale;
    }

    /**
     * Enlarges a picture. Whatever ends the run before the picture is complete, the sink is told to abort.
     *
     * @param route not one that was planned for another picture
     * @param listener is told of every tile; null: nobody is
     * @param cancellation ends the run from another thread; null: nothing does
     * @return what was done
     * @throws EdgesrException source, engine or sink fail, or there is not enough memory
     * @throws CancellationException it was cancelled
     */
    public Progress run(
            PixelSource source, PixelSink sink, Route route, Progress.Listener listener, Cancellation cancellation)
            throws EdgesrException {
        TilePlan plan = plan(source.width(), source.height());
        if (!route.fits(plan.count())) {
            throw new IllegalArgumentException("the route was planned for another picture");
        }
        Progress progress = new Progress(info.variants, plan.count());
        boolean finished = false;
        try {
            int[] strip = strip(plan);
            TileWindow window = new TileWindow(source, plan);
            sink.begin(plan.width * info.scale, plan.height * info.scale, source.hasAlpha());
            for (int tileRow = 0; tileRow < plan.rows.count(); tileRow++) {
                window.moveTo(tileRow);
                for (int column = 0; column < plan.columns.count(); column++) {
                    check(cancellation);
                    long start = System.nanoTime();
                    window.extract(column, runner.square);
                    int index = progress.done();
                    int rung = route.rung(index, route.readsComplexity() ? runner.complexity() : 0);
                    enlarge(rung, plan.at(index), source.hasAlpha(), strip, plan.width * info.scale);
                    progress.add(rung, System.nanoTime() - start);
                    if (listener != null) {
                        listener.tileDone(progress);
                    }
                }
                sink.writeRows(strip, (plan.rows.high(tileRow) - plan.rows.low(tileRow)) * info.scale);
            }
            check(cancellation);
            sink.finish();
            finished = true;
        } finally {
            if (!finished) {
                sink.abort();
            }
        }
        return progress;
    }

    /** A row of tiles of the enlarged picture, opaque. */
    private int[] strip(TilePlan plan) throws EdgesrException {
        if ((long) info.scale * Math.max(plan.width, plan.height) > Integer.MAX_VALUE) {
            throw new EdgesrException(plan + " is too large to be enlarged; cut it into parts");
        }
        int[] strip = Memory.pixels(stripPixels(plan), plan.toString());
        Arrays.fill(strip, OPAQUE);
        return strip;
    }

    /** Enlarges the square in work and puts what its tile keeps into the strip. */
    private void enlarge(int rung, Tile tile, boolean alpha, int[] strip, int stride) throws EdgesrException {
        int offset = tile.left * info.scale;
        int mask = alpha ? Bicubic.ALPHA : 0;
        if (rung == 0) {
            mask |= Bicubic.COLOURS;
        } else {
            runner.run(info.variants.get(rung - 1));
            runner.copy(tile, strip, offset, stride);
        }
        runner.interpolate(tile, mask, strip, offset, stride);
    }

    /** Looks at pictures, and at this machine, before a picture is enlarged. */
    public Survey survey() {
        return new Survey(info, this, runner);
    }

    static void check(Cancellation cancellation) {
        if (cancellation != null && cancellation.isCancelled()) {
            throw new CancellationException();
        }
    }
}
