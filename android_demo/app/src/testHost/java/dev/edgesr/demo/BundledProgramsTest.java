package dev.edgesr.demo;

import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import dev.edgesr.demo.logic.ArrayPixels;
import dev.edgesr.demo.logic.Golden;
import edgesr.runtime.Engine;
import edgesr.runtime.ProgramFile;
import edgesr.runtime.Upscaler;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import javax.imageio.ImageIO;
import org.junit.Test;

/** What the bench screen does, on the build machine: the app's own assets through Android's own library. */
public final class BundledProgramsTest {
    private static final File ASSETS = new File(System.getProperty("edgesr.assets"));
    private static final File SCRATCH = new File(System.getProperty("java.io.tmpdir"));
    private static final File PICTURES = new File(ASSETS, "bench/pictures");

    private static ArrayPixels read(File file) throws IOException {
        BufferedImage image = ImageIO.read(file);
        int[] pixels = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        return new ArrayPixels(image.getWidth(), image.getHeight(), pixels);
    }

    /** Int8 leaves no choice. Your own program may have float layers, which differ in the last bit. */
    private static int allowed(String name, ArrayPixels golden) {
        return name.startsWith("plain_") ? 0 : golden.width() * golden.height() / 1000;
    }

    @Test
    public void everyProgramGivesTheGoldenPictures() throws Exception {
        int compared = 0;
        for (File path : new File(ASSETS, "programs").listFiles()) {
            String name = path.getName().replaceFirst("\\.[^.]*$", "");
            ProgramFile file = ProgramFile.read(Files.readAllBytes(path.toPath()), name);
            try (Engine engine = Engines.open(file, SCRATCH)) {
                Upscaler upscaler = new Upscaler(file.info, engine);
                for (String picture : PICTURES.list()) {
                    ArrayPixels golden = read(new File(ASSETS, "bench/golden/" + name + "/" + picture));
                    ArrayPixels small = read(new File(PICTURES, picture));
                    Golden.Outcome outcome = Golden.compare(file.info, upscaler, small, golden, null);
                    assertFalse(outcome.difference.sizes);
                    assertTrue(name + " " + picture + ": " + outcome.difference.values,
                            outcome.difference.values <= allowed(name, golden));
                    assertFalse(Golden.compare(file.info, upscaler, small, small, null).difference.isNone());
                    compared++;
                }
            }
        }
        assertTrue(compared > 0);
    }
}
