package edgesr.runtime;

/** A picture to be enlarged, read from the top to the bottom. */
public interface PixelSource {
    int width();

    int height();

    boolean hasAlpha();

    /**
     * Reads {@code rows * width} ARGB pixels, colours not multiplied by alpha, into {@code argb} from index
     * {@code offset} on. A pass over the picture asks for every row once, in order; where a picture is passed
     * over a second time, it begins again at row 0.
     *
     * @throws EdgesrException the picture cannot be read
     */
    void readRows(int firstRow, int rows, int[] argb, int offset) throws EdgesrException;
}
