package dev.edgesr.demo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

import android.content.Context;
import android.graphics.Bitmap;
import androidx.test.ext.junit.runners.AndroidJUnit4;
import androidx.test.platform.app.InstrumentationRegistry;
import dev.edgesr.demo.logic.Quality;
import edgesr.runtime.Cancellation;
import java.io.File;
import java.io.FileOutputStream;
import java.io.OutputStream;
import org.junit.Test;
import org.junit.runner.RunWith;

/** The way of a photo through Android's own decoders, in strips and in parts. */
@RunWith(AndroidJUnit4.class)
public final class UpscaleTest {
    private static final int WIDTH = 300;
    private static final int HEIGHT = 200;

    private final Context context = InstrumentationRegistry.getInstrumentation().getTargetContext();
    private final Session session = new Session(context.getCacheDir());

    private static int[] colours() {
        int[] pixels = new int[WIDTH * HEIGHT];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = 0xff000000 | i * 2654435 & 0xffffff;
        }
        return pixels;
    }

    private void write() throws Exception {
        Bitmap bitmap = Bitmap.createBitmap(colours(), WIDTH, HEIGHT, Bitmap.Config.ARGB_8888);
        try (OutputStream file = new FileOutputStream(session.photoFile())) {
            bitmap.compress(Bitmap.CompressFormat.PNG, 100, file);
        }
    }

    @Test
    public void stripsAreThePixelsOfTheFile() throws Exception {
        write();
        int[] read = new int[WIDTH * HEIGHT];
        try (PictureFile file = PictureFile.open(session.photoFile(), context.getResources())) {
            file.readRows(0, 150, read, 0);
            file.readRows(150, 50, read, 150 * WIDTH);
        }
        assertArrayEquals(colours(), read);
    }

    @Test
    public void theResultIsAPictureOfTheRightSize() throws Exception {
        write();
        Program program = Program.all(context).get(0);
        new UpscaleTask(program, Quality.AUTO, session, context.getResources())
                .run((done, total) -> { }, new Cancellation());
        File result = session.resultFile();
        try (PictureFile file = PictureFile.open(result, context.getResources())) {
            assertEquals(WIDTH * program.file.info.scale, file.width());
            assertEquals(HEIGHT * program.file.info.scale, file.height());
        }
    }
}
