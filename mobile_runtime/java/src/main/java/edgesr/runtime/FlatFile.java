package edgesr.runtime;

/**
 * The bytes of a FlatBuffers file that nobody vouches for. Each access either stays inside the file, at a place
 * aligned to the number's size, or is refused.
 */
final class FlatFile {
    /**
     * Bytes of lists, names and tables that may be read in all, each counted as often as the file names it. No
     * program comes near; without it a small file whose tables all point at the same long list would take minutes.
     */
    private static final long MAX_READ = 64L << 20;

    final byte[] data;
    private long left = MAX_READ;

    FlatFile(byte[] data) {
        this.data = data;
    }

    /** The root table of a file that must carry the four characters {@code identifier}. */
    FlatTable root(String identifier) throws Refused {
        if (data.length < 12 || !hasText(4, identifier)) {
            throw new Refused("it does not start like a " + identifier + " file");
        }
        return new FlatTable(this, uint32(0));
    }

    boolean hasText(int position, String text) {
        for (int i = 0; i < text.length(); i++) {
            if (position + i >= data.length || data[position + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    int uint8(long position) throws Refused {
        return (int) number(position, 1);
    }

    int uint16(long position) throws Refused {
        return (int) number(position, 2);
    }

    int int32(long position) throws Refused {
        return (int) number(position, 4);
    }

    long uint32(long position) throws Refused {
        return number(position, 4);
    }

    /** The 64 bits as they are; an unsigned one of 2^63 and more turns negative. */
    long int64(long position) throws Refused {
        return number(position, 8);
    }

    /** A little-endian number of so many bytes. */
    private long number(long position, int size) throws Refused {
        checkSpan(position, size);
        checkAlignment(position, size);
        long value = 0;
        for (int i = size - 1; i >= 0; i--) {
            value = value << 8 | data[(int) position + i] & 0xff;
        }
        return value;
    }

    void checkSpan(long position, long size) throws Refused {
        if (position < 0 || position + size > data.length) {
            throw new Refused("an offset leads to byte " + (position + size) + " of a file of " + data.length);
        }
    }

    void checkAlignment(long position, int size) throws Refused {
        if (position % size != 0) { // some processors fault on it
            throw new Refused("a number of " + size + " bytes lies at byte " + position);
        }
    }

    /** Counts bytes that are about to be read. */
    void charge(long bytes) throws Refused {
        left -= bytes;
        if (left < 0) {
            throw new Refused("its lists name the same things again and again");
        }
    }
}
