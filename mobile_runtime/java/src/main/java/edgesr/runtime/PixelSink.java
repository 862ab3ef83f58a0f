package edgesr.runtime;

/**
 * Where the enlarged picture goes: {@code begin}, {@code writeRows} until all rows are there, {@code finish};
 * or {@code abort} at any time, which must leave nothing behind. Nothing is called after one of these two.
 */
public interface PixelSink {
    /** @throws EdgesrException the picture cannot be written */
    void begin(int width, int height, boolean hasAlpha) throws EdgesrException;

    /**
     * Takes the next {@code rows * width} ARGB pixels; without alpha their alpha says nothing. The array is
     * used again afterwards.
     *
     * @throws EdgesrException the picture cannot be written
     */
    void writeRows(int[] argb, int rows) throws EdgesrException;

    /** @throws EdgesrException the picture cannot be completed; {@code abort} is called then */
    void finish() throws EdgesrException;

    void abort();
}
