package edgesr.runtime;

import java.io.Closeable;
import java.nio.FloatBuffer;
import java.util.List;

/** Runs the variants of one program; one thread at a time. */
public interface Engine extends Closeable {
    /** The names of what can be run, cheapest first. */
    List<String> variants();

    /**
     * Runs one tile. The first run of a variant prepares it and takes longer.
     *
     * @param in a direct buffer in native byte order that holds {@code tile * tile * 3} values, NHWC
     * @param out as {@code in}, for {@code (tile * scale)^2 * 3} values; of both, positions and limits say nothing
     * @throws EdgesrException the engine fails; it can be run again
     * @throws IllegalArgumentException there is no such variant, or a buffer is not as said above
     */
    void run(String variant, FloatBuffer in, FloatBuffer out) throws EdgesrException;

    /** Gives the memory back; may be called twice. */
    @Override
    void close();
}
