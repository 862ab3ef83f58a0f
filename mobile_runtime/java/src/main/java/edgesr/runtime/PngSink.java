package edgesr.runtime;

import java.io.BufferedOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Writes a picture to a PNG file: to a temporary file beside it, which takes its place at the end, so that an
 * older file is there until the new one is complete.
 */
public final class PngSink implements PixelSink {
    private final File target;
    private final byte[] iccProfile;
    private File unfinished;
    private OutputStream stream;
    private PngEncoder encoder;

    /** {@code iccProfile}: the colour profile of the picture; null: none. */
    public PngSink(File target, byte[] iccProfile) {
        this.target = target;
        this.iccProfile = iccProfile == null ? null : iccProfile.clone();
    }

    @Override
    public void begin(int width, int height, boolean hasAlpha) throws EdgesrException {
        try {
            File folder = target.getAbsoluteFile().getParentFile();
            unfinished = File.createTempFile(".edgesr", ".png", folder);
            stream = new BufferedOutputStream(new FileOutputStream(unfinished));
            encoder = new PngEncoder(stream, width, height, hasAlpha, iccProfile);
        } catch (IOException error) {
            throw cannotWrite(error.getMessage(), error);
        }
    }

    @Override
    public void writeRows(int[] argb, int rows) throws EdgesrException {
        try {
            encoder.writeRows(argb, rows);
        } catch (IOException error) {
            throw cannotWrite(error.getMessage(), error);
        }
    }

    @Override
    public void finish() throws EdgesrException {
        try {
            encoder.finish();
            stream.close();
        } catch (IOException error) {
            throw cannotWrite(error.getMessage(), error);
        }
        if (!unfinished.renameTo(target)) {
            throw cannotWrite("it cannot be put in its place", null);
        }
    }

    @Override
    public void abort() {
        if (encoder != null) {
            encoder.release();
        }
        if (stream != null) {
            try {
                stream.close();
            } catch (IOException ignored) {
                // The file goes in any case.
            }
        }
        if (unfinished != null && !unfinished.delete()) {
            unfinished.deleteOnExit();
        }
    }

    private EdgesrException cannotWrite(String reason, IOException error) {
        return new EdgesrException(target + " cannot be written (" + reason + "); choose another place", error);
    }
}
