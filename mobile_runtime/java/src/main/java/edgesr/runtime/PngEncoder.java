package edgesr.runtime;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/** Writes a PNG file (8-bit RGB or RGBA) to a stream, row by row; holds two rows and no more of the picture. */
public final class PngEncoder {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int CHUNK = 1 << 16;
    private static final int RGB = 2;
    private static final int RGBA = 6;

    private final OutputStream out;
    private final int width;
    private final boolean alpha;
    private final PngFilter filter;
    private final Deflater deflater = new Deflater();
    private final DeflaterOutputStream data;
    private int rowsLeft;

    /**
     * Begins a file.
     *
     * @param iccProfile the colour profile that the pixels are in; null: none
     */
    public PngEncoder(OutputStream out, int width, int height, boolean alpha, byte[] iccProfile)
            throws IOException {
        this.out = out;
        this.width = width;
        this.alpha = alpha;
        rowsLeft = height;
        filter = new PngFilter(width, alpha ? 4 : 3);
        data = new DeflaterOutputStream(new DataChunks(), deflater, CHUNK);
        out.write(SIGNATURE);
        writeHeader(height);
        if (iccProfile != null) {
            writeProfile(iccProfile);
        }
    }

    /** Writes the next {@code rows * width} ARGB pixels. */
    public void writeRows(int[] argb, int rows) throws IOException {
        for (int row = 0; row < rows; row++) {
            byte[] samples = filter.next();
            int to = 0;
            for (int at = row * width; at < (row + 1) * width; at++) {
                int pixel = argb[at];
                samples[to++] = (byte) (pixel >> 16);
                samples[to++] = (byte) (pixel >> 8);
                samples[to++] = (byte) pixel;
                if (alpha) {
                    samples[to++] = (byte) (pixel >>> 24);
                }
            }
            data.write(filter.filtered());
        }
        rowsLeft -= rows;
    }

    /** Ends the file; the stream stays open. */
    public void finish() throws IOException {
        if (rowsLeft != 0) {
            throw new IllegalStateException("a PNG file of " + rowsLeft + " rows too few");
        }
        data.close();
        writeChunk("IEND", new byte[0], 0);
        out.flush();
        release();
    }

    /** Gives native memory back, after a failure; {@link #finish} does so by itself. */
    public void release() {
        deflater.end();
    }

    private void writeHeader(int height) throws IOException {
        byte[] header = new byte[13];
        putInt(header, 0, width);
        putInt(header, 4, height);
        header[8] = 8;
        header[9] = (byte) (alpha ? RGBA : RGB);
        writeChunk("IHDR", header, header.length);
    }

    private void writeProfile(byte[] profile) throws IOException {
        ByteArrayOutputStream chunk = new ByteArrayOutputStream();
        chunk.write("ICC profile\0\0".getBytes(StandardCharsets.US_ASCII));
        try (DeflaterOutputStream packed = new DeflaterOutputStream(chunk)) {
            packed.write(profile);
        }
        writeChunk("iCCP", chunk.toByteArray(), chunk.size());
    }

    private void writeChunk(String type, byte[] content, int length) throws IOException {
        byte[] number = new byte[4];
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 checksum = new CRC32();
        checksum.update(name, 0, name.length);
        checksum.update(content, 0, length);
        putInt(number, 0, length);
        out.write(number);
        out.write(name);
        out.write(content, 0, length);
        putInt(number, 0, (int) checksum.getValue());
        out.write(number);
    }

    private static void putInt(byte[] into, int at, int value) {
        for (int i = 0; i < 4; i++) {
            into[at + i] = (byte) (value >>> 24 - 8 * i);
        }
    }

    /** Each piece that the deflater gives becomes a chunk. */
    private final class DataChunks extends OutputStream {
        @Override
        public void write(int one) throws IOException {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            if (offset != 0) {
                throw new IllegalArgumentException("pieces are expected to begin at 0");
            }
            writeChunk("IDAT", bytes, length);
        }

        @Override
        public void close() {
            // The file's stream is the caller's, and goes on after the data.
        }
    }
}
