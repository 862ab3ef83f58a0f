package edgesr.runtime;

import java.util.Locale;

/**
 * The types of the TFLite schema that image networks use (not strings, resources, complex numbers), with the bits
 * of one value and where its zero points may lie.
 */
enum TensorType {
    FLOAT32(0, 32, 0, 0),
    FLOAT16(1, 16, 0, 0),
    INT32(2, 32, 0, 0), // quantized only as a bias, whose zero point is 0
    UINT8(3, 8, 0, 255),
    INT64(4, 64, 0, 0),
    BOOL(6, 8, 0, 0),
    INT16(7, 16, -32768, 32767),
    INT8(9, 8, -128, 127),
    UINT16(16, 16, 0, 65535),
    INT4(17, 4, -8, 7),
    INT2(19, 2, -2, 1),
    UINT4(20, 4, 0, 15);

    final int code;
    final int bits;
    final int lowestZeroPoint;
    final int highestZeroPoint;

    TensorType(int code, int bits, int lowestZeroPoint, int highestZeroPoint) {
        this.code = code;
        this.bits = bits;
        this.lowestZeroPoint = lowestZeroPoint;
        this.highestZeroPoint = highestZeroPoint;
    }

    /** The type of this number in the schema; null where there is none. */
    static TensorType of(int code) {
        for (TensorType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        return null;
    }

    /** The name in the schema, in small letters. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
