package edgesr.runtime;

import java.util.Arrays;
import java.util.List;

/** A tensor as a .tflite file declares it, which kept the rules of all tensors. */
final class TfliteTensor {
    private static final long MAX_BYTES = 1L << 31;
    private static final long MANY = 1L << 36; // values: too many for any type, few enough to count in 64 bits
    private static final int MAX_RANK = 8;

    /** What messages call it. */
    final String label;

    /** Whether the file holds its values. */
    final boolean constant;

    final boolean variable;
    private final TensorType type;
    private final int[] shape;
    /** Whether it is a picture whose height and width are chosen at run time. */
    private final boolean resizable;

    private TfliteTensor(
            String label, TensorType type, int[] shape, boolean resizable, boolean constant, boolean variable) {
        this.label = label;
        this.type = type;
        this.shape = shape;
        this.resizable = resizable;
        this.constant = constant;
        this.variable = variable;
    }

    /** Number format and shape in words, equal for tensors that take the same data. */
    String format() {
        return format(type, resizable, shape);
    }

    /** The shape of a resizable one is one of many. */
    static String format(TensorType type, boolean resizable, int... shape) {
        return type + Arrays.toString(shape) + (resizable ? " and others" : "");
    }

    /** Reads and checks one tensor. */
    static TfliteTensor read(FlatTable table, List<FlatVector> buffers) throws Refused {
        String label = "tensor '" + Rules.shown(table.string(3)) + "'";
        TensorType type = TensorType.of(table.int8(1));
        if (type == null) {
            throw new Refused(label + " has type " + table.int8(1) + ", which is not supported");
        }
        if (table.table(6) != null || !table.tables(9, 0).isEmpty() || table.uint32(10) != 0) {
            throw new Refused(label + " is sparse, a variant or kept in another file");
        }
        int[] shape = shape(label, table.numbers(0, 4));
        long bytesNeeded = bytesNeeded(label, shape, type);
        long index = table.uint32(2);
        if (index >= buffers.size()) {
            throw new Refused(label + " names buffer " + index + " of " + buffers.size());
        }
        int bytes = buffers.get((int) index).length;
        boolean variable = table.uint8(5) != 0;
        if (bytes > 0 && (bytes != bytesNeeded || variable)) {
            throw new Refused(label + " of " + bytesNeeded + " bytes has " + bytes + " bytes of data");
        }
        boolean resizable = checkShapeSignature(label, shape, table.numbers(7, 4));
        FlatTable quantization = table.table(4);
        if (quantization != null) {
            checkQuantization(label, shape, type, quantization);
        }
        return new TfliteTensor(label, type, shape, resizable, bytes > 0, variable);
    }

    private static int[] shape(String label, FlatVector lengths) throws Refused {
        boolean sound = lengths.length <= MAX_RANK;
        for (int axis = 0; sound && axis < lengths.length; axis++) {
            sound = lengths.int32(axis) >= 0;
        }
        if (!sound) {
            throw new Refused(label + " has shape of " + lengths.length + " axes or with a length below 0");
        }
        return lengths.toInts();
    }

    private static long bytesNeeded(String label, int[] shape, TensorType type) throws Refused {
        long values = 1;
        for (int length : shape) {
            if (length == 0) {
                return 0;
            }
            values = values > MANY / length ? MANY : values * length;
        }
        long bytes = (values * type.bits + 7) / 8;
        if (bytes > MAX_BYTES) {
            throw new Refused(label + " of shape " + Arrays.toString(shape) + " is too large");
        }
        return bytes;
    }

    /** A dimension is fixed or -1, which is for a size chosen at run time: whether height and width are. */
    private static boolean checkShapeSignature(String label, int[] shape, FlatVector signature) throws Refused {
        boolean agrees = signature.length == 0 || signature.length == shape.length;
        for (int axis = 0; agrees && axis < signature.length; axis++) {
            int length = signature.int32(axis);
            agrees = length == -1 || length == shape[axis];
        }
        if (!agrees) {
            throw new Refused(label + " of shape " + Arrays.toString(shape) + " has the signature of another");
        }
        return shape.length == 4 && Arrays.equals(signature.toInts(), new int[] {shape[0], -1, -1, shape[3]});
    }

    private static void checkQuantization(String label, int[] shape, TensorType type, FlatTable table)
            throws Refused {
        FlatVector scales = table.numbers(2, 4);
        FlatVector zeroPoints = table.numbers(3, 8);
        if (table.uint8(4) != 0 || table.table(5) != null) {
            throw new Refused(label + " is quantized in blocks or by custom rules");
        }
        if (scales.length != zeroPoints.length) {
            throw new Refused(
                    label + " has " + scales.length + " scales and " + zeroPoints.length + " zero points");
        }
        for (int i = 0; i < scales.length; i++) {
            float scale = scales.float32(i);
            if (!(scale > 0) || Float.isInfinite(scale)) {
                throw new Refused(label + " has a scale that is not finite and above 0");
            }
        }
        for (int i = 0; i < scales.length; i++) {
            long zeroPoint = zeroPoints.int64(i);
            if (zeroPoint < type.lowestZeroPoint || zeroPoint > type.highestZeroPoint) {
                throw new Refused(label + " has a zero point outside " + type.lowestZeroPoint + ".."
                        + type.highestZeroPoint + " of " + type);
            }
        }
        int axis = table.int32(6);
        if (scales.length > 1 && (axis < 0 || axis >= shape.length || shape[axis] != scales.length)) {
            throw new Refused(label + " of shape " + Arrays.toString(shape) + " has " + scales.length
                    + " scales on axis " + axis);
        }
    }
}
