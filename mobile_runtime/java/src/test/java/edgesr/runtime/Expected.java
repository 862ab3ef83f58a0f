package edgesr.runtime;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;

/** Programs and pictures, and what the Python runtime made of them (tests/java/expected.py). */
final class Expected {
    private static final File FOLDER = new File(System.getProperty("edgesr.expected"));

    private Expected() {}

    /** Opens an engine for a program. */
    interface Opener {
        Engine open(ProgramFile program) throws EdgesrException;
    }

    static Vectors[] list(String key) throws IOException, Refused {
        return new Vectors(Json.parse(Files.readAllBytes(new File(FOLDER, "cases.json").toPath()))).all(key);
    }

    static ProgramFile program(String name) throws IOException, EdgesrException {
        return ProgramFile.read(Files.readAllBytes(new File(FOLDER, name).toPath()), name);
    }

    static Picture picture(String name) throws IOException {
        return Picture.read(new File(FOLDER, name));
    }

    /** Enlarges every picture that programs of a format have cases for. */
    static void checkPictures(ProgramFile.Format format, Opener opener) throws Exception {
        int checked = 0;
        for (Vectors wanted : list("cases")) {
            ProgramFile program = program(wanted.text("program"));
            if (program.format == format) {
                checkPicture(wanted, program, opener);
                checked++;
            }
        }
        assertTrue("there are no cases", checked > 0);
    }

    private static void checkPicture(Vectors wanted, ProgramFile program, Opener opener) throws Exception {
        String name = wanted.text("name");
        String route = wanted.text("route");
        boolean own = route.equals("auto") || route.equals("exact");
        Picture.Sink sink = new Picture.Sink();
        try (Engine engine = opener.open(program)) {
            Progress progress = new Upscaler(program.info, engine, route.equals("exact")).run(
                    picture(wanted.text("picture")), sink,
                    own ? Route.automatic(program.info) : Route.fixed(program.info, route), null, null);
            assertEquals(name, wanted.integer("tiles"), progress.done());
            for (Object used : wanted.list("used")) {
                assertTrue(name + " uses " + used, progress.tiles((String) used) > 0);
            }
        }
        Picture expected = picture(wanted.text("expected"));
        assertTrue(name, sink.finished);
        assertEquals(name, expected.hasAlpha(), sink.alpha);
        assertArrayEquals(name, expected.argb, sink.argb);
    }

    static FloatBuffer buffer(int values) {
        return ByteBuffer.allocateDirect(4 * values).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    /** An input of colours that differ. */
    static FloatBuffer input(ProgramInfo info) {
        FloatBuffer in = buffer(3 * info.tile * info.tile);
        for (int i = 0; i < in.capacity(); i++) {
            in.put(i, i * 7 % 256 * info.pixelRange / 255f);
        }
        return in;
    }

    static FloatBuffer output(ProgramInfo info) {
        return buffer(3 * info.tile * info.tile * info.scale * info.scale);
    }
}
