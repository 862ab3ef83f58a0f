package edgesr.runtime;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * Runs a program through TensorFlow Lite's C library and XNNPACK. Needs the native libraries
 * {@code tensorflowlite_jni} and {@code edgesr_jni}.
 */
public final class TfLiteEngine implements Engine {
    private final ProgramInfo info;
    /** The interpreter reads the program where it lies: kept alive by this reference. */
    private final ByteBuffer program;
    private long handle;

    /**
     * Opens a checked program to run on {@code threads} threads.
     *
     * @throws EdgesrException the library is missing or refuses the program
     */
    public TfLiteEngine(ProgramFile file, int threads) throws EdgesrException {
        EngineArguments.check(file, ProgramFile.Format.TFLITE, threads);
        info = file.info;
        Library.load();
        program = Memory.direct(file.bytes.length, "the program");
        program.put(file.bytes);
        handle = open(program, threads, info.tile, info.tile * info.scale);
    }

    /** Version of TensorFlow Lite, as "2.14.0". */
    public static String version() throws EdgesrException {
        Library.load();
        return tfLiteVersion();
    }

    @Override
    public List<String> variants() {
        return info.variants;
    }

    @Override
    public synchronized void run(String variant, FloatBuffer in, FloatBuffer out) throws EdgesrException {
        int index = EngineArguments.check(info, variant, in, out);
        if (handle == 0) {
            throw new IllegalStateException("the engine is closed");
        }
        run(handle, index, variant, in, out);
    }

    @Override
    public synchronized void close() {
        if (handle != 0) {
            close(handle);
            handle = 0;
            program.clear(); // a use: from a field that is only written a shrinker of apps takes the value away
        }
    }

    private static native String tfLiteVersion();

    private static native long open(ByteBuffer program, int threads, int tile, int side) throws EdgesrException;

    private static native void run(long handle, int index, String variant, FloatBuffer in, FloatBuffer out)
            throws EdgesrException;

    private static native void close(long handle);

    /** Loads the native libraries, once. */
    private static final class Library {
        private static boolean loaded;

        static synchronized void load() throws EdgesrException {
            try {
                if (!loaded) {
                    // It brings TensorFlow Lite along, which must not be loaded before it: see memalign.c.
                    System.loadLibrary("edgesr_jni");
                    loaded = true;
                }
            } catch (UnsatisfiedLinkError error) {
                throw new EdgesrException("TensorFlow Lite's library does not load (" + error.getMessage()
                        + "); add libtensorflowlite_jni.so and libedgesr_jni.so to the app", error);
            }
        }
    }
}
