package edgesr.runtime;

import java.io.ByteArrayOutputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Unpacks a file compressed by gzip (RFC 1952), every part of it. The library's stream ignores what follows the
 * first damaged part header; here it is refused.
 */
final class Gzip {
    private static final int HEADER = 10;
    private static final int TRAILER = 8; // checksum and length
    private static final int DEFLATE = 8;
    private static final int HAS_CHECKSUM = 2;
    private static final int HAS_EXTRA = 4;
    private static final int[] HAS_TEXT = {8, 16}; // a name, a comment

    private final byte[] data;
    private final int limit;
    private final ByteArrayOutputStream unpacked = new ByteArrayOutputStream();
    private int position;

    private Gzip(byte[] data, int limit) {
        this.data = data;
        this.limit = limit;
    }

    static boolean isGzip(byte[] data, int position) {
        return data.length >= position + 2 && data[position] == 0x1f && data[position + 1] == (byte) 0x8b;
    }

    /** What {@code data} holds; refused where it is damaged or would become larger than {@code limit} bytes. */
    static byte[] unpack(byte[] data, int limit) throws Refused {
        Gzip gzip = new Gzip(data, limit);
        while (gzip.position < data.length) {
            gzip.skipHeader();
            gzip.inflate();
            while (gzip.position < data.length && data[gzip.position] == 0) { // padding
                gzip.position++;
            }
        }
        return gzip.unpacked.toByteArray();
    }

    private void skipHeader() throws Refused {
        if (!isGzip(data, position)) {
            throw new Refused("something else than gzip follows");
        }
        int start = position;
        skip(HEADER);
        int flags = data[start + 3];
        if (data[start + 2] != DEFLATE) {
            throw new Refused("unknown compression");
        }
        if ((flags & HAS_EXTRA) != 0) {
            skip(2);
            skip((int) number(position - 2, 2));
        }
        for (int flag : HAS_TEXT) {
            boolean inside = (flags & flag) != 0;
            while (inside) {
                skip(1);
                inside = data[position - 1] != 0;
            }
        }
        if ((flags & HAS_CHECKSUM) != 0) {
            skip(2);
        }
    }

    private void inflate() throws Refused {
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(data, position, data.length - position);
            CRC32 checksum = new CRC32();
            byte[] part = new byte[1 << 16];
            while (!inflater.finished()) {
                int count = inflater.inflate(part);
                if (count == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    throw new Refused("it ends too early");
                }
                if (count > limit - unpacked.size()) {
                    throw new Refused("unpacked it is larger than " + limit + " bytes");
                }
                checksum.update(part, 0, count);
                unpacked.write(part, 0, count);
            }
            position = data.length - inflater.getRemaining();
            skip(TRAILER);
            long length = inflater.getBytesWritten() & 0xffffffffL;
            if (number(position - 8, 4) != checksum.getValue() || number(position - 4, 4) != length) {
                throw new Refused("its checksum is wrong");
            }
        } catch (DataFormatException error) {
            throw new Refused("its compressed data is wrong");
        } finally {
            inflater.end();
        }
    }

    private void skip(int bytes) throws Refused {
        if (bytes > data.length - position) {
            throw new Refused("it ends too early");
        }
        position += bytes;
    }

    private long number(int start, int size) {
        long value = 0;
        for (int i = size - 1; i >= 0; i--) {
            value = value << 8 | data[start + i] & 0xff;
        }
        return value;
    }
}
