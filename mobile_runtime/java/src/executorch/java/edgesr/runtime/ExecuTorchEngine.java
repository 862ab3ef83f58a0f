package edgesr.runtime;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.pytorch.executorch.EValue;
import org.pytorch.executorch.Module;
import org.pytorch.executorch.Tensor;

/**
 * Runs a .pte program through ExecuTorch's library for Android and XNNPACK. Apart from the rest of the runtime, for
 * it needs ExecuTorch's classes beside the native libraries {@code executorch} and {@code fbjni}.
 */
public final class ExecuTorchEngine implements Engine {
    private static final int CHANNELS = 3;

    private final ProgramInfo info;
    private final File copy;
    private final Module module;
    /** The planes of the input, where ExecuTorch reads them. */
    private final FloatBuffer planes;
    private final EValue input;
    private final long[] answerShape;
    private final float[] inRow;
    private boolean closed;

    /**
     * Opens a checked program.
     *
     * @param folder where a copy of the program may lie until {@link #close}: ExecuTorch loads files only
     * @param threads to run on
     * @throws EdgesrException the library is missing or refuses the program, or the copy cannot be written
     */
    public ExecuTorchEngine(ProgramFile program, File folder, int threads) throws EdgesrException {
        EngineArguments.check(program, ProgramFile.Format.PTE, threads);
        info = program.info;
        int side = info.tile * info.scale;
        answerShape = new long[] {1, CHANNELS, side, side};
        inRow = new float[CHANNELS * info.tile];
        planes = Memory.direct(4L * CHANNELS * info.tile * info.tile, "the program").asFloatBuffer();
        copy = written(program.bytes, folder);
        try {
            System.loadLibrary("fbjni"); // ExecuTorch's classes load their own library, and need this one first
            module = Module.load(copy.getPath(), Module.LOAD_MODE_FILE, threads);
            input = EValue.from(Tensor.fromBlob(planes, new long[] {1, CHANNELS, info.tile, info.tile}));
        } catch (RuntimeException | LinkageError error) {
            remove();
            throw refused("does not load", error);
        }
    }

    private static File written(byte[] program, File folder) throws EdgesrException {
        File copy = null;
        try {
            copy = File.createTempFile("edgesr", ".pte", folder);
            try (OutputStream stream = new FileOutputStream(copy)) {
                stream.write(program);
            }
            return copy;
        } catch (IOException error) {
            if (copy != null && !copy.delete()) { // half a copy takes up what little space there is
                copy.deleteOnExit();
            }
            throw new EdgesrException(folder + " cannot be written to (" + error.getMessage() + "); free some space",
                    error);
        }
    }

    @Override
    public List<String> variants() {
        return info.variants;
    }

    @Override
    public synchronized void run(String variant, FloatBuffer in, FloatBuffer out) throws EdgesrException {
        EngineArguments.check(info, variant, in, out);
        if (closed) {
            throw new IllegalStateException("the engine is closed");
        }
        split(in);
        float[] answer;
        try {
            EValue[] answers = module.execute(method(variant), input);
            Tensor tensor = answers.length == 1 ? answers[0].toTensor() : null;
            if (tensor == null || !Arrays.equals(tensor.shape(), answerShape)) {
                throw new IllegalStateException("it gives another answer than its metadata says");
            }
            answer = tensor.getDataAsFloatArray();
        } catch (RuntimeException error) {
            throw refused("does not run", error);
        }
        join(answer, out);
    }

    private static String method(String variant) {
        return variant.equals(MetadataRules.DEFAULT_VARIANT) ? Pte.DEFAULT_METHOD : variant;
    }

    /** From pixels to planes. */
    private void split(FloatBuffer in) {
        int plane = info.tile * info.tile;
        FloatBuffer source = in.duplicate();
        source.clear();
        for (int at = 0; at < plane; at += info.tile) {
            source.get(inRow);
            for (int i = 0; i < inRow.length; i++) {
                planes.put(i % CHANNELS * plane + at + i / CHANNELS, inRow[i]);
            }
        }
    }

    /** From planes to pixels. */
    private static void join(float[] answer, FloatBuffer out) {
        int plane = answer.length / CHANNELS;
        float[] pixels = new float[answer.length];
        for (int i = 0; i < plane; i++) {
            for (int channel = 0; channel < CHANNELS; channel++) {
                pixels[CHANNELS * i + channel] = answer[channel * plane + i];
            }
        }
        FloatBuffer target = out.duplicate();
        target.clear();
        target.put(pixels);
    }

    private static EdgesrException refused(String what, Throwable error) {
        String reason = String.valueOf(error.getMessage()).replace('\n', ' ');
        return new EdgesrException(
                "the program " + what + " in ExecuTorch (" + reason + "); convert it again", error);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            module.close();
            remove();
        }
    }

    private void remove() {
        if (!copy.delete()) {
            copy.deleteOnExit();
        }
    }
}
