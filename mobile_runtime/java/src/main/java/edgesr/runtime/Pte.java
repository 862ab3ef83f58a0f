package edgesr.runtime;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a sound .pte file holds for its reader: methods by variant, and the strings that other methods return.
 *
 * <p>An edgesr program's methods each hand one picture to one XNNPACK delegate, or return a string. Whatever else
 * an ExecuTorch file may hold is refused, so that what the engine is given is little and known.
 */
final class Pte {
    static final String IDENTIFIER = "ET12";

    /** What ExecuTorch apps call where they name no method. */
    static final String DEFAULT_METHOD = "forward";

    private static final String BACKEND = "XnnpackBackend";
    private static final int HEADER = 8; // where ExecuTorch's own header begins
    private static final int HEADER_END = 40;
    private static final int MAX_METHODS = 16;
    private static final int MAX_SEGMENTS = 100_000;
    private static final int MAX_SIDE = 1 << 16;
    private static final int FLOAT32 = 6;
    private static final int TENSOR = 5; // places in the union of values
    private static final int STRING = 6;
    private static final int DELEGATE_CALL = 2; // place in the union of instructions
    private static final int IN_SEGMENT = 1; // where a delegate's data lies
    private static final int FIXED = 0; // whether a tensor's shape may change, up to the one in the file
    private static final int BOUNDED = 1;
    private static final List<Integer> NONE = Collections.emptyList();
    private static final List<Integer> FIRST = Arrays.asList(0);
    private static final List<Integer> SECOND = Arrays.asList(1);
    private static final List<List<Integer>> ONE_CALL = Arrays.asList(Arrays.asList(0, 0, 1));

    final Map<String, Signature> methods = new HashMap<>();
    final Map<String, byte[]> strings = new HashMap<>();
    private int segments;

    private Pte() {}

    /**
     * Checks a file's structure. Refused is what breaks the format, or what edgesr programs never hold (operators
     * outside a delegate, other backends, data outside the file).
     */
    static Pte read(byte[] data) throws Refused {
        FlatFile file = new FlatFile(data);
        FlatTable program = file.root(IDENTIFIER);
        if (program.uint32(0) != 0) {
            throw new Refused("its ExecuTorch schema version is " + program.uint32(0) + ", not 0");
        }
        Pte found = new Pte();
        found.readSegments(file, program);
        for (FlatTable plan : program.tables(1, MAX_METHODS)) {
            found.readMethod(plan);
        }
        found.checkConstants(program);
        return found;
    }

    private void readMethod(FlatTable plan) throws Refused {
        String name = plan.string(0);
        String variant = name.equals(DEFAULT_METHOD) ? MetadataRules.DEFAULT_VARIANT : name;
        if (methods.containsKey(variant) || strings.containsKey(name)) {
            throw new Refused("it has two methods of the name '" + Rules.shown(name) + "'");
        }
        List<FlatTable> delegates = plan.tables(7, 1);
        if (delegates.isEmpty()) {
            strings.put(name, answer(plan).getBytes(StandardCharsets.UTF_8));
        } else {
            methods.put(variant, delegated(plan, delegates.get(0)));
        }
    }

    /** Checks that the data behind the FlatBuffers part lies inside the file. */
    private void readSegments(FlatFile file, FlatTable program) throws Refused {
        long length = file.data.length;
        if (!file.hasText(HEADER, "eh00") || length < HEADER_END) {
            throw new Refused("it has no header for its segments");
        }
        long size = file.int64(HEADER + 8);
        long base = file.int64(HEADER + 16);
        if (size < HEADER_END || base < size || base > length) {
            throw new Refused("its segments begin outside the file");
        }
        for (FlatTable segment : program.tables(4, MAX_SEGMENTS)) {
            long first = segment.int64(0);
            long bytes = segment.int64(1);
            if (first < 0 || first > length - base || bytes < 0 || bytes > length - base - first) {
                throw new Refused("a segment ends outside the file");
            }
            segments++;
        }
    }

    private void checkConstants(FlatTable program) throws Refused {
        Set<String> keys = new HashSet<>();
        for (FlatTable entry : program.tables(7, MAX_SEGMENTS)) {
            String key = entry.string(0);
            if (!keys.add(key)) {
                throw new Refused("it has two constants of the name '" + Rules.shown(key) + "'");
            }
            checkSegment(entry.uint32(1));
        }
        for (int slot : new int[] {2, 3, 6}) {
            if (!program.tables(slot, MAX_SEGMENTS).isEmpty()) {
                throw new Refused("it keeps data in places that edgesr does not use");
            }
        }
    }

    private void checkSegment(long index) throws Refused {
        if (index >= segments) {
            throw new Refused("it names segment " + index + " of " + segments);
        }
    }

    private Signature delegated(FlatTable plan, FlatTable delegate) throws Refused {
        List<FlatTable> values = plan.tables(2, 2);
        FlatTable place = delegate.table(1);
        if (!delegate.string(0).equals(BACKEND) || !delegate.tables(2, 0).isEmpty()
                || !plan.tables(6, 0).isEmpty()) {
            throw new Refused("it runs something outside XNNPACK");
        }
        if (!ints(plan, 3).equals(FIRST) || !ints(plan, 4).equals(SECOND) || values.size() != 2
                || !calls(plan).equals(ONE_CALL)) {
            throw new Refused("a method is more than one delegate between one picture and another");
        }
        if (place == null || place.int8(0) != IN_SEGMENT) {
            throw new Refused("a delegate's program is not in a segment");
        }
        Signature signature = Signature.of(format(values.get(0)), format(values.get(1)));
        if (isBounded(values.get(0)) != isBounded(values.get(1))) {
            throw new Refused("of a method's two pictures one has a fixed size and the other has not");
        }
        checkSegment(place.uint32(1));
        return signature;
    }

    /** Delegate and arguments of each instruction. */
    private static List<List<Integer>> calls(FlatTable plan) throws Refused {
        List<List<Integer>> calls = new ArrayList<>();
        for (FlatTable chain : plan.tables(5, 1)) {
            for (FlatTable instruction : chain.tables(2, 1)) {
                FlatTable call = instruction.table(1);
                if (instruction.uint8(0) != DELEGATE_CALL || call == null) {
                    throw new Refused("an instruction is not the call of a delegate");
                }
                List<Integer> numbers = new ArrayList<>();
                numbers.add(call.int32(0));
                numbers.addAll(ints(call, 1));
                calls.add(numbers);
            }
        }
        return calls;
    }

    private static List<Integer> ints(FlatTable table, int slot) throws Refused {
        List<Integer> found = new ArrayList<>();
        for (int number : table.numbers(slot, 4).toInts()) {
            found.add(number);
        }
        return found;
    }

    /** Of a float32 tensor of four axes in NCHW order whose memory the program plans itself. */
    private static String format(FlatTable value) throws Refused {
        FlatTable tensor = value.table(1);
        if (value.uint8(0) != TENSOR || tensor == null || tensor.int8(0) != FLOAT32) {
            throw new Refused("a method takes or gives something else than float32");
        }
        FlatVector lengths = tensor.numbers(2, 4);
        byte[] order = tensor.numbers(3, 1).toBytes();
        if (lengths.length != 4 || !Arrays.equals(order, new byte[] {0, 1, 2, 3})) {
            throw new Refused("a method takes or gives something else than an NCHW picture");
        }
        int[] shape = lengths.toInts();
        for (int length : shape) {
            if (length < 1 || length > MAX_SIDE) {
                throw new Refused("a method's picture has the impossible shape " + Arrays.toString(shape));
            }
        }
        if (tensor.uint32(5) != 0 || (tensor.int8(8) != FIXED && !isBounded(value))) {
            throw new Refused("a method's picture is a constant or of no known size");
        }
        return TfliteTensor.format(TensorType.FLOAT32, isBounded(value), shape);
    }

    /** Whether a tensor may be smaller than the file declares. */
    private static boolean isBounded(FlatTable value) throws Refused {
        return value.table(1).int8(8) == BOUNDED;
    }

    /** The string that a method without a delegate returns. */
    private static String answer(FlatTable plan) throws Refused {
        List<FlatTable> values = plan.tables(2, 1);
        FlatTable value = values.isEmpty() ? null : values.get(0).table(1);
        if (value == null || values.get(0).uint8(0) != STRING || !ints(plan, 3).equals(NONE)
                || !ints(plan, 4).equals(FIRST) || !calls(plan).isEmpty()) {
            throw new Refused("a method is neither one delegate nor a string");
        }
        return value.string(0);
    }
}
