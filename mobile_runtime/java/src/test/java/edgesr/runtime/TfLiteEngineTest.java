package edgesr.runtime;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.util.Collections;
import java.util.concurrent.CancellationException;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Android's own library against what the Python runtime gave: needs both, so it is not among the pure tests. */
public final class TfLiteEngineTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void wholePicturesAreThoseOfPython() throws Exception {
        Expected.checkPictures(ProgramFile.Format.TFLITE, program -> new TfLiteEngine(program, 1));
    }

    @Test
    public void threadsChangeNothing() throws Exception {
        ProgramFile file = Expected.program("plain.tflite");
        FloatBuffer[] answers = {Expected.output(file.info), Expected.output(file.info)};
        for (int i = 0; i < answers.length; i++) {
            try (Engine engine = new TfLiteEngine(file, i + 1)) {
                engine.run("serving_default", Expected.input(file.info), answers[i]);
            }
        }
        assertEquals(answers[0], answers[1]);
    }

    @Test
    public void theVersionIsTheOneThatPhonesGet() throws Exception {
        assertEquals("2.14.0", TfLiteEngine.version());
    }

    @Test
    public void wrongArgumentsAreRefusedAndTheNextRunWorks() throws Exception {
        ProgramFile file = Expected.program("plain.tflite");
        String variant = file.info.variants.get(0);
        FloatBuffer in = Expected.input(file.info);
        FloatBuffer first = Expected.output(file.info);
        FloatBuffer second = Expected.output(file.info);
        FloatBuffer onHeap = FloatBuffer.allocate(first.capacity());
        try (Engine engine = new TfLiteEngine(file, 1)) {
            engine.run(variant, in, first);
            assertThrows(IllegalArgumentException.class, () -> engine.run("none", in, first));
            assertThrows(IllegalArgumentException.class, () -> engine.run(variant, Expected.buffer(3), first));
            assertThrows(IllegalArgumentException.class, () -> engine.run(variant, in, onHeap));
            engine.run(variant, in, second);
        }
        assertEquals(first, second);
    }

    @Test
    public void whatTheEngineRefusesSaysWhy() throws Exception {
        for (Vectors wanted : Expected.list("refused")) {
            ProgramFile file = Expected.program(wanted.text("program"));
            EdgesrException error = assertThrows(EdgesrException.class, () -> {
                try (Engine engine = new TfLiteEngine(file, 1)) {
                    engine.run(file.info.variants.get(0), Expected.input(file.info), Expected.output(file.info));
                }
            });
            assertTrue(error.getMessage(), error.getMessage().contains(wanted.text("reason")));
            assertTrue(error.getMessage(), error.getMessage().startsWith("the program "));
            assertEquals(-1, error.getMessage().indexOf('\n'));
        }
    }

    @Test
    public void aVariantThatFailsDoesNotSpoilTheOthers() throws Exception {
        ProgramFile file = Expected.program("half.tflite");
        try (Engine engine = new TfLiteEngine(file, 1)) {
            FloatBuffer answer = Expected.output(file.info);
            for (int i = 0; i < 2; i++) {
                assertThrows(EdgesrException.class,
                        () -> engine.run("low", Expected.input(file.info), Expected.output(file.info)));
                engine.run("high", Expected.input(file.info), answer);
                assertEquals(Expected.input(file.info).get(3), answer.get(6), 0);
            }
        }
    }

    @Test
    public void whatEndsEarlyLeavesTheOlderFileAndTheNextPictureWorks() throws Exception {
        ProgramFile file = Expected.program("routed.tflite");
        Route route = Route.automatic(file.info);
        File target = new File(folder.getRoot(), "large.png");
        Files.write(target.toPath(), new byte[] {1, 2, 3});
        try (Engine engine = new TfLiteEngine(file, 1)) {
            Upscaler upscaler = new Upscaler(file.info, engine);
            Cancellation cancellation = new Cancellation();
            assertThrows(CancellationException.class, () -> upscaler.run(Expected.picture("mixed.png"),
                    new PngSink(target, null), route, progress -> cancellation.cancel(), cancellation));
            assertThrows(IllegalStateException.class, () -> upscaler.run(Expected.picture("mixed.png"),
                    new PngSink(target, null), route, progress -> {
                        throw new IllegalStateException("a listener at fault");
                    }, null));
            assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(target.toPath()));
            upscaler.run(Expected.picture("mixed.png"), new PngSink(target, null), route, null, null);
        }
        assertArrayEquals(Expected.picture("routed-mixed-auto.png").argb, Picture.read(target).argb);
        assertArrayEquals(new String[] {"large.png"}, folder.getRoot().list());
    }

    @Test
    public void aClosedEngineSaysSo() throws Exception {
        ProgramFile file = Expected.program("plain.tflite");
        Engine engine = new TfLiteEngine(file, 1);
        assertEquals(Collections.singletonList("serving_default"), engine.variants());
        engine.close();
        engine.close();
        assertThrows(IllegalStateException.class, () -> engine.run(
                "serving_default", Expected.input(file.info), Expected.output(file.info)));
    }

    @Test
    public void anEngineNeedsAThreadAndAFileOfItsFormat() throws Exception {
        assertThrows(IllegalArgumentException.class,
                () -> new TfLiteEngine(Expected.program("plain.tflite"), 0));
        assertThrows(IllegalArgumentException.class, () -> new TfLiteEngine(Expected.program("plain.pte"), 1));
    }
}
