package edgesr.runtime;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Takes memory, whose lack is something to tell the user of. */
final class Memory {
    /** No array is longer on any virtual machine. */
    private static final int LONGEST = Integer.MAX_VALUE - 8;

    private Memory() {}

    /** Memory for pixels, one int each; {@code what} they are of, for messages. */
    static int[] pixels(long count, String what) throws EdgesrException {
        try {
            return new int[length(count)];
        } catch (OutOfMemoryError error) {
            throw missing(what, error);
        }
    }

    /** Memory outside the virtual machine's own, which native code reads and writes. */
    static ByteBuffer direct(long bytes, String what) throws EdgesrException {
        try {
            return ByteBuffer.allocateDirect(length(bytes)).order(ByteOrder.nativeOrder());
        } catch (OutOfMemoryError error) {
            throw missing(what, error);
        }
    }

    private static int length(long count) {
        if (count > LONGEST) {
            throw new OutOfMemoryError(count + " are more than an array holds");
        }
        return (int) count;
    }

    private static EdgesrException missing(String what, OutOfMemoryError error) {
        return new EdgesrException(
                "there is not enough memory for " + what + "; close other apps and try again", error);
    }
}
