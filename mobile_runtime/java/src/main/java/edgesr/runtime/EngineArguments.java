package edgesr.runtime;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** What every engine asks of its arguments; whoever breaks it is at fault, not the user. */
final class EngineArguments {
    private static final int CHANNELS = 3;

    private EngineArguments() {}

    static void check(ProgramFile program, ProgramFile.Format wanted, int threads) {
        if (program.format != wanted) {
            throw new IllegalArgumentException("this engine runs " + wanted + ", not " + program.format);
        }
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, got " + threads);
        }
    }

    /** Checks the arguments of {@link Engine#run}; the variant's index. */
    static int check(ProgramInfo info, String variant, FloatBuffer in, FloatBuffer out) {
        int index = info.variants.indexOf(variant);
        if (index < 0) {
            throw new IllegalArgumentException("no variant '" + variant + "'; the program has " + info.variants);
        }
        check(in, info.tile);
        check(out, info.tile * info.scale);
        return index;
    }

    private static void check(FloatBuffer buffer, int side) {
        boolean usable = buffer.isDirect() && !buffer.isReadOnly() && buffer.order() == ByteOrder.nativeOrder();
        if (!usable || buffer.capacity() != CHANNELS * side * side) {
            throw new IllegalArgumentException(
                    "expected a direct buffer in native order for " + side + "x" + side + " pixels");
        }
    }
}
