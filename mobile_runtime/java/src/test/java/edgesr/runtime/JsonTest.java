package edgesr.runtime;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.Test;

/** What the golden vectors of metadata do not show of the JSON reader: the values themselves, and encodings. */
public class JsonTest {
    private static Object parse(String text) throws Refused {
        return Json.parse(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String refusal(byte[] text) {
        return assertThrows(Refused.class, () -> Json.parse(text)).getMessage();
    }

    @Test
    public void valuesOfEveryKind() throws Exception {
        Map<String, Object> expected = new LinkedHashMap<>();
        expected.put("b", Arrays.asList(1L, -0.5, 1e300, true, false, null));
        expected.put("a", Collections.emptyMap());
        expected.put("", "x\u00e9\n");
        Object found = parse(" {\"b\": [1, -0.5, 1E+300, true, false, null], \"a\": {}, \"\": \"x\\u00e9\\n\"} ");
        assertEquals(expected, found);
        assertEquals("[b, a, ]", ((Map<?, ?>) found).keySet().toString());
    }

    @Test
    public void wholeNumbersAreLongWhereTheyFit() throws Exception {
        assertEquals(Long.MAX_VALUE, parse("9223372036854775807"));
        assertEquals(Long.MIN_VALUE, parse("-9223372036854775808"));
        assertEquals(0x1p63, parse("9223372036854775808"));
        assertEquals(0L, parse("-0"));
        assertEquals(-0.0, parse("-0.0"));
        assertEquals(Double.POSITIVE_INFINITY, parse("1e999"));
        assertEquals(1e22, parse("10000000000000000000000"));
    }

    @Test
    public void ofAKeyGivenTwiceTheLastCounts() throws Exception {
        assertEquals(Collections.singletonMap("a", 2L), parse("{\"a\":1,\"a\":2}"));
    }

    @Test
    public void escapesMakeCharacters() throws Exception {
        String expected = "\"\\/\b\f\n\r\t\ud83d\ude00\ud800";
        assertEquals(expected, parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\ud83D\\uDe00\\ud800\""));
    }

    @Test
    public void onlyUtf8IsRead() {
        assertTrue(refusal("{}".getBytes(StandardCharsets.UTF_16LE)).contains("expected"));
        assertTrue(refusal(new byte[] {(byte) 0xef, (byte) 0xbb, (byte) 0xbf, '{', '}'}).contains("expected"));
        assertTrue(refusal(new byte[] {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'}).contains("not UTF-8"));
    }

    @Test
    public void depthIsLimited() throws Exception {
        parse(nested(Json.MAX_DEPTH));
        String tooDeep = nested(Json.MAX_DEPTH + 1);
        assertTrue(assertThrows(Refused.class, () -> parse(tooDeep)).getMessage().contains("deep"));
    }

    @Test
    public void theNumberOfValuesIsLimited() throws Exception {
        parse("[0" + repeated(",0", Json.MAX_VALUES - 2) + "]");
        String tooMany = "[0" + repeated(",0", Json.MAX_VALUES - 1) + "]";
        assertTrue(assertThrows(Refused.class, () -> parse(tooMany)).getMessage().contains("values"));
    }

    private static String nested(int depth) {
        return repeated("[", depth) + repeated("]", depth);
    }

    private static String repeated(String text, int times) {
        StringBuilder found = new StringBuilder();
        for (int i = 0; i < times; i++) {
            found.append(text);
        }
        return found.toString();
    }
}
