package edgesr.devices;

import edgesr.runtime.PixelSink;
import edgesr.runtime.PixelSource;
import java.nio.ByteBuffer;

/** Pictures in memory, as interleaved bytes of red, green and blue. */
final class Pixels {
    private static final int CHANNELS = 3;

    private Pixels() {}

    static PixelSource source(final int width, final int height, final byte[] rgb) {
        return new PixelSource() {
            @Override
            public int width() {
                return width;
            }

            @Override
            public int height() {
                return height;
            }

            @Override
            public boolean hasAlpha() {
                return false;
            }

            @Override
            public void readRows(int firstRow, int rows, int[] argb, int offset) {
                int from = firstRow * width * CHANNELS;
                for (int i = 0; i < rows * width; i++, from += CHANNELS) {
                    int red = rgb[from] & 0xff;
                    int green = rgb[from + 1] & 0xff;
                    argb[offset + i] = 0xff000000 | red << 16 | green << 8 | rgb[from + 2] & 0xff;
                }
            }
        };
    }

    /** Takes a picture's rows; they are in {@link #rgb} then. */
    static final class Sink implements PixelSink {
        private ByteBuffer taken = ByteBuffer.allocate(0);
        private int width;

        @Override
        public void begin(int width, int height, boolean hasAlpha) {
            this.width = width;
            taken = ByteBuffer.allocate(CHANNELS * width * height);
        }

        @Override
        public void writeRows(int[] argb, int rows) {
            for (int i = 0; i < rows * width; i++) {
                taken.put((byte) (argb[i] >> 16)).put((byte) (argb[i] >> 8)).put((byte) argb[i]);
            }
        }

        @Override
        public void finish() {}

        @Override
        public void abort() {}

        ByteBuffer rgb() {
            return taken;
        }
    }
}
