package edgesr.runtime;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The golden vectors of opening a program: cases as splices of one text or file, see mobile_runtime/vectors. */
final class OpeningCases {
    private static final File FOLDER = new File(System.getProperty("edgesr.vectors", "mobile_runtime/vectors"));

    private OpeningCases() {}

    static Map<?, ?> read(String name) throws IOException, Refused {
        return (Map<?, ?>) Json.parse(bytes(name));
    }

    static byte[] program(String name) throws IOException {
        return bytes("programs/" + name);
    }

    private static byte[] bytes(String name) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(new File(FOLDER, name), "r")) {
            byte[] data = new byte[(int) file.length()];
            file.readFully(data);
            return data;
        }
    }

    /** Characters as the bytes that they stand for. */
    static byte[] latin(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static byte[] hex(String text) {
        byte[] data = new byte[text.length() / 2];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) Integer.parseInt(text.substring(2 * i, 2 * i + 2), 16);
        }
        return data;
    }

    /** Replaces bytes start..end-1 of {@code data}. */
    static byte[] splice(byte[] data, int start, int end, byte[] replacement) {
        byte[] spliced = Arrays.copyOf(data, data.length - (end - start) + replacement.length);
        System.arraycopy(replacement, 0, spliced, start, replacement.length);
        System.arraycopy(data, end, spliced, start + replacement.length, data.length - end);
        return spliced;
    }

    /** Where a splice of a case begins or ends. */
    static int place(List<?> splice, int index) {
        return ((Long) splice.get(index)).intValue();
    }
}
