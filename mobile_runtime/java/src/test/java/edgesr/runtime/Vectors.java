package edgesr.runtime;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** The golden vectors that the runtimes of all languages must reproduce; they lie beside them. */
final class Vectors {
    private final Map<?, ?> fields;

    Vectors(Object fields) {
        this.fields = (Map<?, ?>) fields;
    }

    static Vectors read(String name) throws IOException, Refused {
        File folder = new File(System.getProperty("edgesr.vectors"));
        return new Vectors(Json.parse(Files.readAllBytes(new File(folder, name).toPath())));
    }

    Vectors[] all(String key) {
        return list(key).stream().map(Vectors::new).toArray(Vectors[]::new);
    }

    List<?> list(String key) {
        return (List<?>) fields.get(key);
    }

    boolean has(String key) {
        return fields.get(key) != null;
    }

    int integer(String key) {
        return ((Number) fields.get(key)).intValue();
    }

    long whole(String key) {
        return ((Number) fields.get(key)).longValue();
    }

    double number(String key) {
        return ((Number) fields.get(key)).doubleValue();
    }

    String text(String key) {
        return (String) fields.get(key);
    }

    byte[] bytes(String key) {
        return Base64.getDecoder().decode(text(key));
    }

    int[] integers(String key) {
        return ints(list(key));
    }

    long[] wholes(String key) {
        return longs(list(key));
    }

    double[] numbers(String key) {
        return list(key).stream().mapToDouble(value -> ((Number) value).doubleValue()).toArray();
    }

    String[] texts(String key) {
        return list(key).toArray(new String[0]);
    }

    static int[] ints(List<?> values) {
        return values.stream().mapToInt(value -> ((Number) value).intValue()).toArray();
    }

    static long[] longs(List<?> values) {
        return values.stream().mapToLong(value -> ((Number) value).longValue()).toArray();
    }

    /** Samples of 1 or 3 channels as opaque ARGB pixels. */
    static int[] argb(byte[] samples, int channels) {
        int[] pixels = new int[samples.length / channels];
        for (int i = 0; i < pixels.length; i++) {
            int at = i * channels;
            int red = samples[at] & 255;
            int green = samples[at + (channels == 3 ? 1 : 0)] & 255;
            int blue = samples[at + (channels == 3 ? 2 : 0)] & 255;
            pixels[i] = 0xff000000 | red << 16 | green << 8 | blue;
        }
        return pixels;
    }
}
