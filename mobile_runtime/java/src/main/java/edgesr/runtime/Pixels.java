package edgesr.runtime;

/** Between 8-bit pixels, packed as ARGB, and the float32 values that a program takes and gives. */
public final class Pixels {
    /** From 2^23 on floats are whole numbers, so that adding it rounds, halves to the even one. */
    private static final float TO_WHOLE = 8388608f;

    private Pixels() {}

    /** What the pixel values 0..255 are at the program's input: v, or v / 255 in float32. */
    static float[] inputs(int pixelRange) {
        float[] values = new float[256];
        for (int v = 0; v < values.length; v++) {
            values[v] = pixelRange == 1 ? v / 255f : v;
        }
        return values;
    }

    /** The factor, 1 or 255, that answers are multiplied by in float32. */
    static float factor(int pixelRange) {
        return pixelRange == 1 ? 255f : 1f;
    }

    /** An answer, on 0..255, as a pixel value: clipped, NaN to 0, and rounded, halves to the even one. */
    static int fromAnswer(float value) {
        if (!(value > 0f)) {
            return 0;
        }
        return value >= 255f ? 255 : Float.floatToRawIntBits(value + TO_WHOLE) & 255;
    }

    /** A sample of 16 bits, 0..65535, as one of 8 bits, rounded to the nearest. */
    public static int from16Bits(int sample) {
        return (255 * sample + 32767) / 65535;
    }
}
