package edgesr.runtime;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.Test;

public final class UpscalerTest {
    private static final String CALM_IS_SKIPPED = TestPrograms.routing(5, 20, 20, null);

    private static ProgramInfo plain() throws EdgesrException {
        return TestPrograms.info("null", "serving_default");
    }

    private static Picture.Sink run(ProgramInfo info, Engine engine, Picture picture, Route route)
            throws EdgesrException {
        Picture.Sink sink = new Picture.Sink();
        Progress progress = new Upscaler(info, engine).run(picture, sink, route, null, null);
        assertTrue(sink.finished);
        assertEquals(0, sink.aborted);
        assertEquals(progress.total(), progress.done());
        return sink;
    }

    @Test
    public void tilesOfAnySizeOfPictureFitTogether() throws Exception {
        int[] lengths = {1, 2, 15, 16, 17, 28, 29, 37, 64};
        for (int scale : new int[] {1, 2, 3}) {
            ProgramInfo info = TestPrograms.info(16, scale, 255, "null", "serving_default");
            Engine engine = new RepeatingEngine(info);
            for (int width : lengths) {
                for (int height : lengths) {
                    Picture picture = Picture.random(width, height, false, width * 100 + height);
                    Picture.Sink sink = run(info, engine, picture, Route.automatic(info));
                    assertEquals(width * scale, sink.width);
                    assertArrayEquals(width + "x" + height, picture.repeated(scale), sink.argb);
                }
            }
        }
    }

    @Test
    public void whiteMayBeOne() throws Exception {
        ProgramInfo info = TestPrograms.info(16, 2, 1, "null", "serving_default");
        Picture picture = Picture.random(20, 20, false, 7);
        Picture.Sink sink = run(info, new RepeatingEngine(info), picture, Route.automatic(info));
        assertArrayEquals(picture.repeated(2), sink.argb);
    }

    @Test
    public void alphaIsEnlargedApartFromColours() throws Exception {
        ProgramInfo info = plain();
        Picture picture = Picture.random(16, 16, true, 3);
        Picture.Sink sink = run(info, new RepeatingEngine(info), picture, Route.automatic(info));
        int[] expected = picture.repeated(2);
        new Bicubic(16, 16, 2).enlarge(picture.argb, 0, 0, 16, 16, Bicubic.ALPHA, expected, 0, 32);
        assertTrue(sink.alpha);
        assertArrayEquals(expected, sink.argb);
    }

    @Test
    public void calmTilesAreNotRun() throws Exception {
        ProgramInfo info = TestPrograms.info(CALM_IS_SKIPPED, "low", "high");
        Picture picture = halfNoise();
        RepeatingEngine engine = new RepeatingEngine(info);
        Picture.Sink sink = new Picture.Sink();
        Progress progress = new Upscaler(info, engine).run(picture, sink, Route.automatic(info), null, null);
        assertEquals(progress.total(), progress.tiles("high") + progress.tiles(Route.SKIP));
        assertEquals(engine.runs.size(), progress.tiles("high"));
        assertEquals(6, progress.tiles(Route.SKIP));
        assertEquals(0, progress.tiles("low"));
        assertEquals(0, progress.nanoseconds("low"));
        assertThrows(IllegalArgumentException.class, () -> progress.tiles("mid"));
        assertEquals(0xff808080, sink.argb[0]); // a flat tile stays flat
    }

    /** Five columns of two tiles, the first three of them grey, the others noise at least in part. */
    private static Picture halfNoise() {
        Picture picture = Picture.random(64, 20, false, 5);
        for (int i = 0; i < picture.argb.length; i++) {
            if (i % 64 < 40) {
                picture.argb[i] = 0xff808080;
            }
        }
        return picture;
    }

    @Test
    public void everyTileIsToldOf() throws Exception {
        ProgramInfo info = plain();
        int[] told = {0};
        new Upscaler(info, new RepeatingEngine(info)).run(Picture.random(40, 40, false, 1), new Picture.Sink(),
                Route.automatic(info), progress -> assertEquals(++told[0], progress.done()), null);
        assertEquals(9, told[0]);
    }

    @Test
    public void whatFailsIsAbortedAndTheNextPictureWorks() throws Exception {
        ProgramInfo info = plain();
        RepeatingEngine engine = new RepeatingEngine(info);
        Upscaler upscaler = new Upscaler(info, engine);
        engine.failAt = 4;
        Picture.Sink sink = new Picture.Sink();
        assertThrows(EdgesrException.class, () -> upscaler.run(
                Picture.random(40, 40, false, 1), sink, Route.automatic(info), null, null));
        assertEquals(1, sink.aborted);
        assertFalse(sink.finished);
        Picture picture = Picture.random(40, 40, false, 1);
        Picture.Sink next = new Picture.Sink();
        upscaler.run(picture, next, Route.automatic(info), null, null);
        assertArrayEquals(picture.repeated(2), next.argb);
    }

    @Test
    public void aSinkThatFailsIsAborted() throws Exception {
        ProgramInfo info = plain();
        EdgesrException full = new EdgesrException("the disk is full");
        int[] aborted = {0};
        PixelSink sink = new PixelSink() {
            @Override
            public void begin(int width, int height, boolean hasAlpha) {}

            @Override
            public void writeRows(int[] argb, int rows) throws EdgesrException {
                throw full;
            }

            @Override
            public void finish() {
                throw new AssertionError("it is not complete");
            }

            @Override
            public void abort() {
                aborted[0]++;
            }
        };
        Upscaler upscaler = new Upscaler(info, new RepeatingEngine(info));
        assertSame(full, assertThrows(EdgesrException.class, () -> upscaler.run(
                Picture.random(20, 20, false, 1), sink, Route.automatic(info), null, null)));
        assertEquals(1, aborted[0]);
    }

    @Test
    public void aRunCanBeCancelledAtAnyTile() throws Exception {
        ProgramInfo info = plain();
        for (int last = 1; last <= 9; last++) {
            int stop = last;
            RepeatingEngine engine = new RepeatingEngine(info);
            Cancellation cancellation = new Cancellation();
            Picture.Sink sink = new Picture.Sink();
            assertThrows(CancellationException.class, () -> new Upscaler(info, engine).run(
                    Picture.random(40, 40, false, 1), sink, Route.automatic(info), progress -> {
                        if (progress.done() == stop) {
                            cancellation.cancel();
                        }
                    }, cancellation));
            assertEquals(last, engine.runs.size());
            assertEquals(1, sink.aborted);
            assertFalse(sink.finished);
        }
    }

    @Test
    public void aHaloMayBeExact() throws Exception {
        ProgramInfo info = plain();
        Engine engine = new RepeatingEngine(info);
        assertEquals(5, new Upscaler(info, engine, true).plan(100, 100).halo);
        assertEquals(2, new Upscaler(info, engine).plan(100, 100).halo);
        ProgramInfo small = TestPrograms.info(10, 2, 255, "null", "serving_default");
        assertThrows(EdgesrException.class, () -> new Upscaler(small, new RepeatingEngine(small), true));
    }

    @Test
    public void memoryGrowsWithTheWidthOnly() throws Exception {
        Upscaler upscaler = new Upscaler(plain(), new RepeatingEngine(plain()));
        long small = upscaler.bytesNeeded(100, 100);
        assertTrue(upscaler.bytesNeeded(100, 1_000_000) <= small + 4 * 2 * 100 * 2 * 16);
        assertTrue(upscaler.bytesNeeded(200, 100) > small);
    }

    @Test
    public void whatNoMachineHoldsIsRefusedBeforeItBegins() throws Exception {
        ProgramInfo info = plain();
        Upscaler upscaler = new Upscaler(info, new RepeatingEngine(info));
        Picture.Sink sink = new Picture.Sink();
        Picture huge = new Picture(500_000_000, 1000, false, new int[0]);
        assertThrows(EdgesrException.class, () -> upscaler.run(huge, sink, Route.automatic(info), null, null));
        assertFalse(sink.finished);
        assertThrows(EdgesrException.class, () -> upscaler.plan(0, 5));
        ProgramInfo large = TestPrograms.info(4096, 8, 255, "null", "serving_default");
        assertThrows(EdgesrException.class, () -> new Upscaler(large, new RepeatingEngine(large)));
        assertThrows(IllegalArgumentException.class, () -> new Upscaler(
                info, new RepeatingEngine(TestPrograms.info("null", "low", "high"))));
    }

    @Test
    public void aTimeIsKeptToByTheCalmestTiles() throws Exception {
        ProgramInfo info = TestPrograms.info("null", "low", "high");
        Picture picture = halfNoise();
        Upscaler upscaler = new Upscaler(info, new RepeatingEngine(info));
        Route best = Route.automatic(info);
        int tiles = upscaler.plan(picture.width(), picture.height()).count();
        Route route = upscaler.survey().within(picture, best, new long[] {10, 30}, 30L * tiles - 40, null);
        Progress progress = upscaler.run(picture, new Picture.Sink(), route, null, null);
        assertEquals(2, progress.tiles("low"));
        assertEquals(tiles - 2, progress.tiles("high"));
        Picture other = Picture.random(16, 16, false, 1);
        assertThrows(IllegalArgumentException.class,
                () -> upscaler.run(other, new Picture.Sink(), route, null, null));
        Route nothing = upscaler.survey().within(picture, best, new long[] {10, 30}, 0, null);
        assertEquals(tiles, upscaler.run(picture, new Picture.Sink(), nothing, null, null).tiles(Route.SKIP));
    }

    @Test
    public void everyVariantIsMeasured() throws Exception {
        ProgramInfo info = TestPrograms.info("null", "low", "mid", "high");
        RepeatingEngine engine = new RepeatingEngine(info);
        assertEquals(3, new Upscaler(info, engine).survey().microsecondsPerTile().length);
        assertEquals(Arrays.asList("low", "low", "low", "low", "mid", "mid", "mid", "mid", "high", "high", "high",
                "high"), engine.runs);
    }

    @Test
    public void picturesAreObservedForNewThresholds() throws Exception {
        // "low" is 2 levels off: an error of 4 a value, so half of the tiles may take it.
        ProgramInfo info = TestPrograms.info(TestPrograms.routing(0, 1000, 1000, 2.0), "low", "high");
        Recalibration recalibration = new Recalibration(info);
        assertThrows(EdgesrException.class, () -> recalibration.find(new long[] {10, 30}));
        Picture picture = new Picture(30, 16, false, new int[30 * 16]);
        Random random = new Random(1);
        for (int i = 0; i < picture.argb.length; i++) {
            int grey = 100 + random.nextInt(1 + i % 30 * 4);
            picture.argb[i] = 0xff000000 | grey << 16 | grey << 8 | grey;
        }
        new Upscaler(info, new RepeatingEngine(info)).survey().observe(picture, recalibration, null);
        assertEquals(3, recalibration.count());
        Thresholds found = recalibration.find(new long[] {10, 30});
        Route route = Route.byThresholds(info, found);
        assertEquals(1, route.rung(0, 0.0));
        assertEquals(2, route.rung(0, 400));
        assertThrows(EdgesrException.class, () -> new Recalibration(TestPrograms.info("null", "low", "high")));
    }
}
