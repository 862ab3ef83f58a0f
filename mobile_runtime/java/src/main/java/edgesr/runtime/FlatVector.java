package edgesr.runtime;

import java.util.Arrays;

/** A vector that lies inside a FlatBuffers file: {@code length} items from byte {@code start}. */
final class FlatVector {
    final long start;
    final int length;
    private final FlatFile file;

    FlatVector(FlatFile file, long start, int length) {
        this.file = file;
        this.start = start;
        this.length = length;
    }

    int uint8(int index) throws Refused {
        return file.uint8(start + index);
    }

    int int32(int index) throws Refused {
        return file.int32(start + 4L * index);
    }

    long int64(int index) throws Refused {
        return file.int64(start + 8L * index);
    }

    float float32(int index) throws Refused {
        return Float.intBitsToFloat(int32(index));
    }

    int[] toInts() throws Refused {
        int[] found = new int[length];
        for (int i = 0; i < length; i++) {
            found[i] = int32(i);
        }
        return found;
    }

    byte[] toBytes() {
        return Arrays.copyOfRange(file.data, (int) start, (int) start + length);
    }
}
