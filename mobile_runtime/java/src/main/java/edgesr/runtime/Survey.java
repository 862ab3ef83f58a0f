package edgesr.runtime;

import java.util.Arrays;
import java.util.concurrent.CancellationException;

/**
 * What can be known before a picture is enlarged: how long tiles take on this machine, which of them fit into a
 * time, how the variants differ on them. For one thread at a time, and not beside its upscaler.
 */
public final class Survey {
    private static final int RUNS = 3;

    private final ProgramInfo info;
    private final Upscaler upscaler;
    private final TileRunner runner;

    Survey(ProgramInfo info, Upscaler upscaler, TileRunner runner) {
        this.info = info;
        this.upscaler = upscaler;
        this.runner = runner;
    }

    /**
     * What each variant takes for a tile, pixels into numbers included: the median of three runs after one to
     * warm up.
     *
     * @throws EdgesrException the engine fails
     */
    public long[] microsecondsPerTile() throws EdgesrException {
        long[] found = new long[info.variants.size()];
        long[] runs = new long[RUNS];
        for (int variant = 0; variant < found.length; variant++) {
            runner.run(info.variants.get(variant));
            for (int i = 0; i < RUNS; i++) {
                long start = System.nanoTime();
                runner.run(info.variants.get(variant));
                runs[i] = (System.nanoTime() - start) / 1000;
            }
            Arrays.sort(runs);
            found[variant] = runs[RUNS / 2];
        }
        return found;
    }

    /**
     * The route that keeps a picture within a time, by {@link Budget}; reads the picture once.
     *
     * @param route where tiles would go without a limit
     * @param microseconds what each variant takes for a tile
     * @param allowed microseconds for the whole picture
     * @param cancellation ends the reading; null: nothing does
     * @throws EdgesrException the picture cannot be read
     * @throws CancellationException it was cancelled
     */
    public Route within(
            PixelSource source, Route route, long[] microseconds, long allowed, Cancellation cancellation)
            throws EdgesrException {
        final double[] complexities = new double[plan(source).count()];
        eachTile(source, cancellation, new Visitor() {
            @Override
            public void visit(int index, double complexity) {
                complexities[index] = complexity;
            }
        });
        int[] rungs = new int[complexities.length];
        for (int i = 0; i < rungs.length; i++) {
            rungs[i] = route.rung(i, complexities[i]);
        }
        return Route.planned(Budget.within(complexities, rungs, microseconds, allowed));
    }

    /**
     * Runs every variant on every tile of a picture and adds what they give to {@code recalibration}.
     *
     * @param cancellation ends the run; null: nothing does
     * @throws EdgesrException source or engine fail
     * @throws CancellationException it was cancelled
     */
    public void observe(PixelSource source, final Recalibration recalibration, Cancellation cancellation)
            throws EdgesrException {
        final int last = info.variants.size() - 1;
        final int[] best = runner.answerPixels();
        final int[] answer = runner.answerPixels();
        eachTile(source, cancellation, new Visitor() {
            @Override
            public void visit(int index, double complexity) throws EdgesrException {
                long[] errors = new long[info.variants.size()];
                for (int variant = last; variant >= 0 && !recalibration.skips(complexity); variant--) {
                    runner.run(info.variants.get(variant));
                    runner.copyAll(variant == last ? best : answer);
                    errors[variant] = variant == last ? 0 : squaredDifference(best, answer);
                }
                recalibration.add(complexity, errors);
            }
        });
    }

    private static long squaredDifference(int[] one, int[] other) {
        long sum = 0;
        for (int i = 0; i < one.length; i++) {
            for (int shift = 0; shift < 24; shift += 8) {
                int difference = (one[i] >> shift & 255) - (other[i] >> shift & 255);
                sum += difference * difference;
            }
        }
        return sum;
    }

    private TilePlan plan(PixelSource source) throws EdgesrException {
        return upscaler.plan(source.width(), source.height());
    }

    private interface Visitor {
        /** The tile's input is in {@link TileRunner#square}. */
        void visit(int index, double complexity) throws EdgesrException;
    }

    private void eachTile(PixelSource source, Cancellation cancellation, Visitor visitor) throws EdgesrException {
        TilePlan plan = plan(source);
        TileWindow window = new TileWindow(source, plan);
        for (int index = 0; index < plan.count(); index++) {
            Upscaler.check(cancellation);
            int column = index % plan.columns.count();
            if (column == 0) {
                window.moveTo(index / plan.columns.count());
            }
            window.extract(column, runner.square);
            visitor.visit(index, runner.complexity());
        }
    }
}
