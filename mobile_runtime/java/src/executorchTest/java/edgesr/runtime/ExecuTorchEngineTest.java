package edgesr.runtime;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.nio.FloatBuffer;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** ExecuTorch's library for Android against what the Python runtime gave. */
public final class ExecuTorchEngineTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private Engine open(ProgramFile program) throws EdgesrException {
        return new ExecuTorchEngine(program, folder.getRoot(), 1);
    }

    @Test
    public void wholePicturesAreThoseOfPython() throws Exception {
        Expected.checkPictures(ProgramFile.Format.PTE, this::open);
        assertArrayEquals("the copies are gone", new String[0], folder.getRoot().list());
    }

    @Test
    public void runsGiveTheSameAndWrongOnesAreRefused() throws Exception {
        ProgramFile file = Expected.program("plain.pte");
        String variant = file.info.variants.get(0);
        FloatBuffer first = Expected.output(file.info);
        FloatBuffer second = Expected.output(file.info);
        Engine engine = open(file);
        engine.run(variant, Expected.input(file.info), first);
        assertThrows(IllegalArgumentException.class,
                () -> engine.run("none", Expected.input(file.info), first));
        assertThrows(IllegalArgumentException.class, () -> engine.run(variant, Expected.buffer(3), first));
        engine.run(variant, Expected.input(file.info), second);
        assertEquals(first, second);
        engine.close();
        engine.close();
        assertThrows(IllegalStateException.class,
                () -> engine.run(variant, Expected.input(file.info), first));
    }

    @Test
    public void aFolderThatCannotBeWrittenToIsNamed() throws Exception {
        ProgramFile file = Expected.program("plain.pte");
        File missing = new File(folder.getRoot(), "missing");
        EdgesrException error = assertThrows(
                EdgesrException.class, () -> new ExecuTorchEngine(file, missing, 1));
        assertTrue(error.getMessage(), error.getMessage().startsWith(missing + " cannot be written to"));
        assertThrows(IllegalArgumentException.class, () -> new ExecuTorchEngine(file, folder.getRoot(), 0));
        assertThrows(IllegalArgumentException.class,
                () -> new ExecuTorchEngine(Expected.program("plain.tflite"), folder.getRoot(), 1));
    }
}
