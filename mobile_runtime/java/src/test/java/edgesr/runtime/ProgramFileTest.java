package edgesr.runtime;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.Test;

/** Program files are read and refused as the golden vectors say; damaged ones harm nothing. */
public class ProgramFileTest {
    private static final String SOURCE = "a.tflite";

    @Test
    public void takesAndRefusesAsTheVectorsSay() throws Exception {
        List<String> wrong = new ArrayList<>();
        for (Map.Entry<?, ?> entry : OpeningCases.read("programs.json").entrySet()) {
            byte[] program = OpeningCases.program((String) entry.getKey());
            Map<?, ?> cases = (Map<?, ?>) entry.getValue();
            for (Object test : (List<?>) cases.get("accepted")) {
                check(program, (Map<?, ?>) test, true, wrong);
            }
            for (Object test : (List<?>) cases.get("refused")) {
                check(program, (Map<?, ?>) test, false, wrong);
            }
        }
        assertEquals(Collections.emptyList(), wrong);
    }

    private static void check(byte[] program, Map<?, ?> test, boolean accepted, List<String> wrong) {
        byte[] data = program;
        for (Object item : (List<?>) test.get("splices")) {
            List<?> splice = (List<?>) item;
            byte[] replacement = OpeningCases.hex((String) splice.get(2));
            data = OpeningCases.splice(
                    data, OpeningCases.place(splice, 0), OpeningCases.place(splice, 1), replacement);
        }
        String refusal = refusal(data);
        String says = test.get("says") == null ? "" : (String) test.get("says");
        if (accepted != (refusal == null) || refusal != null && !refusal.contains(says)) {
            wrong.add(test.get("name") + ": " + refusal);
        }
    }

    /** What is said against the file; null where it is taken. Anything but an EdgesrException is an error. */
    private static String refusal(byte[] data) {
        try {
            ProgramFile.read(data, SOURCE);
            return null;
        } catch (EdgesrException error) {
            assertTrue(error.getMessage(), error.getMessage().startsWith(SOURCE));
            assertTrue(error.getMessage(), error.getMessage().indexOf('\n') < 0);
            return error.getMessage();
        }
    }

    @Test
    public void givesWhatTheFileHolds() throws Exception {
        byte[] tflite = OpeningCases.program("written.tflite");
        for (String name : Arrays.asList("written.tflite", "written.tflite.gz")) {
            ProgramFile file = ProgramFile.read(OpeningCases.program(name), SOURCE);
            assertEquals(ProgramFile.Format.TFLITE, file.format);
            assertArrayEquals(tflite, file.bytes);
            assertEquals(8, file.info.tile);
            assertEquals(Collections.singletonList("serving_default"), file.info.variants);
        }
        ProgramFile pte = ProgramFile.read(OpeningCases.program("tiny.pte"), SOURCE);
        assertEquals(ProgramFile.Format.PTE, pte.format);
        assertEquals(Arrays.asList("low", "high"), pte.info.variants);
    }

    @Test
    public void randomBytesEndInAnAnswerOrAnEdgesrException() throws Exception {
        Random random = new Random(1);
        int refused = 0;
        for (String name : Arrays.asList("tiny.tflite", "written.tflite", "tiny.pte", "written.tflite.gz")) {
            byte[] program = OpeningCases.program(name);
            for (int i = 0; i < 2500; i++) {
                byte[] data = Arrays.copyOf(program, i % 5 == 0 ? random.nextInt(program.length) : program.length);
                for (int changes = random.nextInt(8); changes >= 0 && data.length > 0; changes--) {
                    data[random.nextInt(data.length)] = (byte) random.nextInt(256);
                }
                refused += refusal(data) == null ? 0 : 1;
            }
        }
        assertTrue("" + refused, refused > 5000 && refused < 10_000);
    }

    @Test
    public void aSmallFileThatNamesOneListAgainAndAgainIsRefusedSoon() {
        assertTrue(refusal(aliased(100, 100_000)).contains("again and again"));
    }

    @Test
    public void aFewAreNot() {
        assertTrue(refusal(aliased(2, 1000)).contains("is not an edgesr program"));
    }

    @Test
    public void listsOfTooManyEntriesAreRefused() {
        assertTrue(refusal(aliased(101, 1)).contains("has 101 entries, more than 100"));
        assertTrue(refusal(aliased(1, 100_001)).contains("has 100001 entries, more than 100000"));
    }

    @Test
    public void whatUnpacksToTooMuchIsRefused() throws Exception {
        byte[] packed = OpeningCases.program("written.tflite.gz");
        int length = Gzip.unpack(packed, 1 << 20).length;
        assertEquals(length, Gzip.unpack(packed, length).length);
        assertThrows(Refused.class, () -> Gzip.unpack(packed, length - 1));
    }

    /** A .tflite file whose subgraphs are all one, and whose tensors are. */
    private static byte[] aliased(int graphs, int tensors) {
        int graph = 68 + 4 * graphs;
        int empty = graph + 12 + 4 * tensors;
        ByteBuffer out = ByteBuffer.allocate(empty + 4).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(40).put(OpeningCases.latin("TFL3")).putInt(0);
        putShorts(out, 12, 4, 4); // vtables: of an empty table, a subgraph, the model
        putShorts(out, 16, 6, 8, 4);
        putShorts(out, 24, 14, 16, 4, 0, 8, 0, 12);
        out.position(40);
        out.putInt(40 - 24).putInt(3).putInt(64 - 48).putInt(56 - 52); // the model
        out.putInt(1).putInt(empty - 60); // its one buffer
        putList(out, graphs, graph);
        out.putInt(graph - 16).putInt(4);
        putList(out, tensors, empty);
        out.putInt(empty - 12);
        return out.array();
    }

    private static void putShorts(ByteBuffer out, int place, int... values) {
        out.position(place);
        for (int value : values) {
            out.putShort((short) value);
        }
    }

    private static void putList(ByteBuffer out, int length, int target) {
        out.putInt(length);
        for (int i = 0; i < length; i++) {
            out.putInt(target - out.position());
        }
    }
}
