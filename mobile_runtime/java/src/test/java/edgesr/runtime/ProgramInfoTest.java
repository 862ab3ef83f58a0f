package edgesr.runtime;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/** Metadata is read and refused as the golden vectors say. */
public class ProgramInfoTest {
    private final Map<?, ?> vectors;

    public ProgramInfoTest() throws Exception {
        vectors = OpeningCases.read("metadata.json");
    }

    @Test
    public void readsWhatIsTaken() throws Exception {
        for (Object item : (List<?>) vectors.get("accepted")) {
            Map<?, ?> test = (Map<?, ?>) item;
            Map<Object, Object> expected = new HashMap<>((Map<?, ?>) vectors.get("values"));
            if (test.get("values") != null) {
                expected.putAll((Map<?, ?>) test.get("values"));
            }
            checkValues((String) test.get("name"), expected, ProgramInfo.fromJson(text(test), "a.tflite"));
        }
    }

    private static void checkValues(String name, Map<?, ?> expected, ProgramInfo info) {
        Integer exactHalo = info.exactHalo;
        assertEquals(name, expected.get("schema"), info.schema);
        assertEquals(name, expected.get("edgesr"), info.edgesr);
        assertEquals(name, expected.get("network"), info.network);
        assertEquals(name, expected.get("scale"), (long) info.scale);
        assertEquals(name, expected.get("pixel_range"), (long) info.pixelRange);
        assertEquals(name, expected.get("tile"), (long) info.tile);
        assertEquals(name, expected.get("halo"), (long) info.halo);
        assertEquals(name, expected.get("exact_halo"), exactHalo == null ? null : Long.valueOf(exactHalo));
        assertEquals(name, expected.get("variants"), info.variants);
        assertEquals(name, expected.get("colour"), info.colour);
        Map<?, ?> sizes = (Map<?, ?>) expected.get("sizes");
        assertEquals(name, sizes == null, info.sizes == null);
        if (sizes != null) {
            assertEquals(name, sizes.get("min"), (long) info.sizes.min);
            assertEquals(name, sizes.get("max"), (long) info.sizes.max);
            assertEquals(name, (Long) sizes.get("max") < 4096, !info.sizes.contains(4096));
            assertTrue(name, info.sizes.contains(info.tile));
        }
        Map<?, ?> routing = (Map<?, ?>) expected.get("routing");
        if (routing == null) {
            assertNull(name, info.thresholds);
            return;
        }
        assertEquals(name, routing.get("skip"), info.thresholds.skip);
        assertEquals(name, routing.get("low"), info.thresholds.low);
        assertEquals(name, routing.get("high"), info.thresholds.high);
        assertEquals(name, routing.get("error"), info.thresholds.error);
    }

    @Test
    public void refusesTheRestAndNamesTheField() throws Exception {
        List<String> wrong = new ArrayList<>();
        for (Object item : (List<?>) vectors.get("refused")) {
            Map<?, ?> test = (Map<?, ?>) item;
            String message = refusal(text(test));
            if (message == null || !message.contains((String) test.get("says"))) {
                wrong.add(test.get("name") + ": " + message);
            } else {
                assertTrue(message, message.startsWith("a.tflite: "));
                assertFalse(message, message.contains("\n"));
            }
        }
        assertEquals(Collections.emptyList(), wrong);
    }

    private static String refusal(byte[] text) {
        try {
            ProgramInfo.fromJson(text, "a.tflite");
            return null;
        } catch (EdgesrException error) {
            return error.getMessage();
        }
    }

    private byte[] text(Map<?, ?> test) {
        byte[] text = OpeningCases.latin((String) vectors.get("base"));
        for (Object item : (List<?>) test.get("splices")) {
            List<?> splice = (List<?>) item;
            byte[] replacement = OpeningCases.latin((String) splice.get(2));
            text = OpeningCases.splice(
                    text, OpeningCases.place(splice, 0), OpeningCases.place(splice, 1), replacement);
        }
        return text;
    }

    @Test
    public void variantsCannotBeChanged() throws Exception {
        byte[] text = OpeningCases.latin((String) vectors.get("base"));
        ProgramInfo info = ProgramInfo.fromJson(text, "a.tflite");
        assertThrows(UnsupportedOperationException.class, () -> info.variants.add("mid"));
    }
}
