package edgesr.runtime;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.Arrays;
import org.junit.Test;

public final class VectorsTest {
    @Test
    public void axesAreCutAsInPython() throws Exception {
        for (Vectors wanted : Vectors.read("tiles.json").all("axes")) {
            Axis axis = Axis.plan(wanted.integer("length"), wanted.integer("tile"), wanted.integer("halo"));
            int[] starts = wanted.integers("start");
            int[] seams = wanted.integers("seam");
            assertEquals(starts.length, axis.count());
            for (int i = 0; i < starts.length; i++) {
                assertEquals(starts[i], axis.start(i));
                assertEquals(seams[i], axis.low(i));
                assertEquals(seams[i + 1], axis.high(i));
            }
        }
    }

    @Test
    public void picturesAreCutAsInPython() throws Exception {
        for (Vectors wanted : Vectors.read("tiles.json").all("plans")) {
            TilePlan plan = new TilePlan(wanted.integer("height"), wanted.integer("width"),
                    wanted.integer("tile"), wanted.integer("halo"));
            assertEquals(wanted.number("waste"), plan.waste(), 0);
            assertEquals(wanted.list("tiles").size(), plan.count());
            for (int i = 0; i < plan.count(); i++) {
                Tile tile = plan.at(i);
                int[] found = {tile.y, tile.x, tile.top, tile.left, tile.bottom, tile.right};
                assertArrayEquals(Vectors.ints((java.util.List<?>) wanted.list("tiles").get(i)), found);
            }
        }
    }

    @Test
    public void indicesAreMirroredAsInPython() throws Exception {
        for (Vectors wanted : Vectors.read("mirror.json").all("cases")) {
            int[] index = wanted.integers("index");
            int[] found = Axis.mirrored(wanted.integer("start"), index.length, wanted.integer("length"));
            assertArrayEquals(index, found);
        }
    }

    @Test
    public void complexityIsThatOfPython() throws Exception {
        for (Vectors wanted : Vectors.read("complexity.json").all("cases")) {
            int[] pixels = Vectors.argb(wanted.bytes("pixels"), wanted.integer("channels"));
            Complexity complexity = new Complexity(wanted.integer("height"), wanted.integer("width"));
            assertEquals(wanted.number("complexity"), complexity.of(pixels), 0);
            assertEquals(wanted.number("complexity"), complexity.of(pixels), 0);
        }
    }

    @Test
    public void bicubicWeightsAreThoseOfPython() throws Exception {
        for (Vectors wanted : Vectors.read("bicubic.json").all("weights")) {
            Bicubic bicubic = new Bicubic(1, 1, wanted.integer("scale"));
            assertEquals(wanted.integer("offset"), bicubic.offset(wanted.integer("place")));
            assertArrayEquals(wanted.integers("weights"), bicubic.weights(wanted.integer("place")));
        }
    }

    @Test
    public void bicubicPixelsAreThoseOfPython() throws Exception {
        for (Vectors wanted : Vectors.read("bicubic.json").all("cases")) {
            int channels = wanted.integer("channels");
            int height = wanted.integer("height");
            int width = wanted.integer("width");
            int scale = wanted.integer("scale");
            int[] square = Vectors.argb(wanted.bytes("pixels"), channels);
            int[] found = new int[square.length * scale * scale];
            Arrays.fill(found, Bicubic.ALPHA);
            new Bicubic(height, width, scale)
                    .enlarge(square, 0, 0, height, width, Bicubic.COLOURS, found, 0, width * scale);
            assertArrayEquals(Vectors.argb(wanted.bytes("enlarged"), channels), found);
        }
    }

    @Test
    public void pixelsAreConvertedAsInPython() throws Exception {
        Vectors vectors = Vectors.read("pixels.json");
        for (Vectors range : vectors.all("ranges")) {
            float[] inputs = Pixels.inputs(range.integer("pixel_range"));
            int[] bits = range.integers("input_bits");
            for (int value = 0; value < bits.length; value++) {
                assertEquals(bits[value], Float.floatToRawIntBits(inputs[value]));
            }
            float factor = Pixels.factor(range.integer("pixel_range"));
            long[] answers = range.wholes("answer_bits");
            int[] pixels = range.integers("pixels");
            for (int i = 0; i < pixels.length; i++) {
                float answer = Float.intBitsToFloat((int) answers[i]);
                assertEquals("of " + answer, pixels[i], Pixels.fromAnswer(answer * factor));
            }
        }
        int[] deep = vectors.integers("depth_16");
        int[] flat = vectors.integers("depth_8");
        for (int i = 0; i < deep.length; i++) {
            assertEquals(flat[i], Pixels.from16Bits(deep[i]));
        }
    }

    @Test
    public void tilesAreRoutedAsInPython() throws Exception {
        for (Vectors wanted : Vectors.read("routing.json").all("choice")) {
            String[] variants = wanted.texts("variants");
            Thresholds thresholds = new Thresholds(
                    wanted.number("skip"), wanted.number("low"), wanted.number("high"), null);
            Route route = Route.byThresholds(TestPrograms.info("null", variants), thresholds);
            assertTrue(route.readsComplexity());
            double[] complexities = wanted.numbers("complexity");
            for (int i = 0; i < complexities.length; i++) {
                assertEquals(rung(variants, wanted.texts("routes")[i]), route.rung(i, complexities[i]));
            }
        }
    }

    @Test
    public void timesAreKeptAsInPython() throws Exception {
        for (Vectors wanted : Vectors.read("routing.json").all("time")) {
            String[] variants = wanted.texts("variants");
            int[] planned = Budget.within(wanted.numbers("complexity"), rungs(variants, wanted.texts("routes")),
                    wanted.wholes("costs"), wanted.whole("time"));
            assertArrayEquals(rungs(variants, wanted.texts("routes_within")), planned);
        }
    }

    @Test
    public void thresholdsAreFoundAsInPython() throws Exception {
        for (Vectors wanted : Vectors.read("routing.json").all("thresholds")) {
            String routing = TestPrograms.routing(wanted.number("skip"), 1000, 1000, wanted.number("error"));
            Recalibration recalibration = new Recalibration(TestPrograms.info(
                    wanted.integer("tile"), wanted.integer("scale"), 255, routing, wanted.texts("variants")));
            double[] complexities = wanted.numbers("complexity");
            java.util.List<?> errors = wanted.list("errors");
            for (int i = 0; i < complexities.length; i++) {
                long[] row = new long[errors.size()];
                for (int variant = 0; variant < row.length; variant++) {
                    row[variant] = Vectors.longs((java.util.List<?>) errors.get(variant))[i];
                }
                recalibration.add(complexities[i], row);
            }
            if (wanted.has("low")) {
                Thresholds found = recalibration.find(wanted.wholes("costs"));
                assertEquals(wanted.number("low"), found.low, 0);
                assertEquals(wanted.number("high"), found.high, 0);
                assertEquals(wanted.number("skip"), found.skip, 0);
            } else {
                assertThrows(EdgesrException.class, () -> recalibration.find(wanted.wholes("costs")));
            }
        }
    }

    @Test
    public void aFixedRouteLooksAtNothing() throws Exception {
        ProgramInfo info = TestPrograms.info("null", "low", "high");
        assertEquals(1, Route.fixed(info, "low").rung(0, 500));
        assertEquals(0, Route.fixed(info, Route.SKIP).rung(0, 500));
        assertEquals(2, Route.automatic(info).rung(0, 0));
        assertFalse(Route.automatic(info).readsComplexity());
        assertThrows(IllegalArgumentException.class, () -> Route.fixed(info, "mid"));
    }

    private static int rung(String[] variants, String name) {
        return Arrays.asList(variants).indexOf(name) + 1;
    }

    private static int[] rungs(String[] variants, String[] names) {
        return Arrays.stream(names).mapToInt(name -> rung(variants, name)).toArray();
    }
}
