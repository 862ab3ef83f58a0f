package edgesr.runtime;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.zip.InflaterInputStream;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public final class PngSinkTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private File target() {
        return new File(folder.getRoot(), "large.png");
    }

    private static void write(PixelSink sink, Picture picture, int rowsAtOnce) throws EdgesrException {
        int width = picture.width();
        sink.begin(width, picture.height(), picture.hasAlpha());
        for (int y = 0; y < picture.height(); y += rowsAtOnce) {
            int rows = Math.min(rowsAtOnce, picture.height() - y);
            sink.writeRows(Arrays.copyOfRange(picture.argb, y * width, (y + rows) * width), rows);
        }
    }

    /** Edges, gradients and noise, so that every filter is best somewhere. */
    private static Picture varied(int width, int height, boolean alpha) {
        Picture picture = Picture.random(width, height, alpha, 11);
        for (int i = 0; i < picture.argb.length; i++) {
            int y = i / width;
            int grey = y % 3 == 0 ? i % width * 2 & 255 : y * 5 & 255;
            if (y % 7 != 0) {
                picture.argb[i] = picture.argb[i] & 0xff000000 | grey << 16 | 255 - grey << 8 | grey / 2;
            }
        }
        return picture;
    }

    @Test
    public void anotherReaderReadsTheSamePixels() throws Exception {
        for (boolean alpha : new boolean[] {false, true}) {
            for (int width : new int[] {1, 3, 50, 301}) {
                Picture picture = varied(width, 41, alpha);
                PixelSink sink = new PngSink(target(), null);
                write(sink, picture, 16);
                sink.finish();
                Picture read = Picture.read(target());
                assertEquals(alpha, read.hasAlpha());
                assertEquals(width, read.width());
                assertArrayEquals(picture.argb, read.argb);
            }
        }
    }

    @Test
    public void largePicturesTakeManyChunks() throws Exception {
        Picture picture = Picture.random(300, 300, true, 2);
        PixelSink sink = new PngSink(target(), null);
        write(sink, picture, 300);
        sink.finish();
        assertArrayEquals(picture.argb, Picture.read(target()).argb);
        assertTrue(chunks(target(), "IDAT").size() > 1);
    }

    @Test
    public void aColourProfileIsCarriedOn() throws Exception {
        byte[] profile = ICC_Profile.getInstance(ColorSpace.CS_sRGB).getData();
        PixelSink sink = new PngSink(target(), profile);
        write(sink, varied(5, 5, false), 5);
        sink.finish();
        byte[] chunk = chunks(target(), "iCCP").get(0);
        byte[] name = "ICC profile\0\0".getBytes(StandardCharsets.US_ASCII);
        assertArrayEquals(name, Arrays.copyOf(chunk, name.length));
        InflaterInputStream unpacked = new InflaterInputStream(
                new ByteArrayInputStream(chunk, name.length, chunk.length - name.length));
        ByteArrayOutputStream found = new ByteArrayOutputStream();
        for (int one = unpacked.read(); one >= 0; one = unpacked.read()) {
            found.write(one);
        }
        assertArrayEquals(profile, found.toByteArray());
    }

    private static java.util.List<byte[]> chunks(File file, String wanted) throws IOException {
        java.util.List<byte[]> found = new java.util.ArrayList<>();
        try (DataInputStream in = new DataInputStream(Files.newInputStream(file.toPath()))) {
            in.readLong();
            for (String type = ""; !type.equals("IEND"); ) {
                byte[] content = new byte[in.readInt()];
                byte[] name = new byte[4];
                in.readFully(name);
                in.readFully(content);
                in.readInt();
                type = new String(name, StandardCharsets.US_ASCII);
                if (type.equals(wanted)) {
                    found.add(content);
                }
            }
        }
        return found;
    }

    @Test
    public void nothingIsLeftOfWhatIsAborted() throws Exception {
        Files.write(target().toPath(), new byte[] {1, 2, 3});
        PixelSink sink = new PngSink(target(), null);
        write(sink, varied(30, 30, false), 10);
        sink.abort();
        assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(target().toPath()));
        assertArrayEquals(new String[] {"large.png"}, folder.getRoot().list());
    }

    @Test
    public void anOlderFileGivesWayToTheNewOne() throws Exception {
        Files.write(target().toPath(), new byte[] {1, 2, 3});
        Picture picture = varied(30, 30, false);
        PixelSink sink = new PngSink(target(), null);
        write(sink, picture, 10);
        sink.finish();
        assertArrayEquals(picture.argb, Picture.read(target()).argb);
        assertArrayEquals(new String[] {"large.png"}, folder.getRoot().list());
    }

    @Test
    public void aPlaceThatCannotBeWrittenToIsNamed() throws Exception {
        File place = new File(new File(folder.getRoot(), "missing"), "large.png");
        PixelSink sink = new PngSink(place, null);
        EdgesrException error = assertThrows(EdgesrException.class, () -> sink.begin(4, 4, false));
        assertTrue(error.getMessage(), error.getMessage().startsWith(place + " cannot be written"));
        sink.abort();
    }

    @Test
    public void aFolderIsNotReplaced() throws Exception {
        assertTrue(new File(target(), "inside").mkdirs());
        PixelSink sink = new PngSink(target(), null);
        write(sink, varied(4, 4, false), 4);
        assertThrows(EdgesrException.class, sink::finish);
        sink.abort();
        assertArrayEquals(new String[] {"large.png"}, folder.getRoot().list());
    }
}
