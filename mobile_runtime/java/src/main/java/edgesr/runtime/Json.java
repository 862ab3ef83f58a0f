package edgesr.runtime;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A strict reader of JSON (RFC 8259) in UTF-8, for text that nobody vouches for.
 *
 * <p>Objects become maps in their order (of a key given twice the last value counts), arrays lists, whole numbers
 * {@link Long} where they fit and else {@link Double}, as all other numbers; null stays null.
 */
final class Json {
    /** Of lists and objects in one another: far above any real file, far below what overflows a stack. */
    static final int MAX_DEPTH = 200;

    /** In all: far above any real file, far below what fills a phone's memory. */
    static final int MAX_VALUES = 200_000;

    /** Of one whole number: Python's own limit. */
    static final int MAX_DIGITS = 4300;

    private static final String ESCAPES = "\"\\/bfnrt";
    private static final String ESCAPED = "\"\\/\b\f\n\r\t";

    private final String text;
    private int position;
    private int depth;
    private int values;

    private Json(String text) {
        this.text = text;
    }

    /** The one value that the whole of {@code utf8} holds. */
    static Object parse(byte[] utf8) throws Refused {
        Json json = new Json(decode(utf8, 0, utf8.length));
        Object value = json.value();
        if (json.peek() != END) {
            throw json.wrong("nothing more");
        }
        return value;
    }

    /** UTF-8 as text; unlike {@code new String} it refuses what is none. */
    static String decode(byte[] bytes, int start, int length) throws Refused {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, start, length)).toString();
        } catch (CharacterCodingException error) {
            throw new Refused("it is not UTF-8");
        }
    }

    private static final char END = '\0'; // stands for itself too, which no value starts with

    /** The next character that is no space, not taken yet. */
    private char peek() throws Refused {
        while (position < text.length() && " \t\n\r".indexOf(text.charAt(position)) >= 0) {
            position++;
        }
        if (position == text.length()) {
            return END;
        }
        if (text.charAt(position) == END) {
            throw wrong("a value");
        }
        return text.charAt(position);
    }

    private Object value() throws Refused {
        values++;
        if (values > MAX_VALUES) {
            throw new Refused("it has more than " + MAX_VALUES + " values");
        }
        char first = peek();
        switch (first) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object() throws Refused {
        Map<String, Object> found = new LinkedHashMap<>();
        enter();
        for (boolean more = !take('}'); more; more = anotherBefore('}')) {
            if (peek() != '"') {
                throw wrong("a key");
            }
            String key = string();
            if (!take(':')) {
                throw wrong("':'");
            }
            found.put(key, value());
        }
        depth--;
        return found;
    }

    private List<Object> array() throws Refused {
        List<Object> found = new ArrayList<>();
        enter();
        for (boolean more = !take(']'); more; more = anotherBefore(']')) {
            found.add(value());
        }
        depth--;
        return found;
    }

    private void enter() throws Refused {
        position++;
        depth++;
        if (depth > MAX_DEPTH) {
            throw new Refused("it is nested more than " + MAX_DEPTH + " deep");
        }
    }

    private boolean take(char wanted) throws Refused {
        boolean there = peek() == wanted;
        if (there) {
            position++;
        }
        return there;
    }

    private boolean anotherBefore(char end) throws Refused {
        if (take(',')) {
            return true;
        }
        if (!take(end)) {
            throw wrong("',' or '" + end + "'");
        }
        return false;
    }

    private Object word(String word, Object meaning) throws Refused {
        if (!text.startsWith(word, position)) {
            throw wrong("a value");
        }
        position += word.length();
        return meaning;
    }

    private String string() throws Refused {
        StringBuilder found = new StringBuilder();
        position++;
        while (true) {
            char next = character();
            if (next == '"') {
                return found.toString();
            }
            found.append(next == '\\' ? escape() : next);
        }
    }

    private char character() throws Refused {
        if (position == text.length() || text.charAt(position) < ' ') {
            throw wrong("the end of a string");
        }
        return text.charAt(position++);
    }

    private char escape() throws Refused {
        char kind = character();
        if (kind == 'u') {
            int code = 0;
            for (int digit = 0; digit < 4; digit++) {
                code = 16 * code + hexDigit(character());
            }
            return (char) code; // half of a pair may stand alone, as in Python
        }
        int index = ESCAPES.indexOf(kind);
        if (index < 0) {
            throw wrong("an escape");
        }
        return ESCAPED.charAt(index);
    }

    private int hexDigit(char digit) throws Refused {
        int value = digit < 128 ? Character.digit(digit, 16) : -1;
        if (value < 0) {
            throw wrong("four hexadecimal digits");
        }
        return value;
    }

    private Object number() throws Refused {
        int start = position;
        skip('-');
        int whole = position;
        if (!skip('0')) {
            digits();
        }
        int end = position;
        if (skip('.')) {
            digits();
        }
        if (skip('e') || skip('E')) {
            if (!skip('+')) {
                skip('-');
            }
            digits();
        }
        String written = text.substring(start, position);
        return position == end ? wholeNumber(written, end - whole) : (Object) Double.valueOf(written);
    }

    private static Object wholeNumber(String written, int digits) throws Refused {
        if (digits > MAX_DIGITS) {
            throw new Refused("it has a number of more than " + MAX_DIGITS + " digits");
        }
        try {
            return Long.valueOf(written);
        } catch (NumberFormatException beyond64Bits) {
            return Double.valueOf(written);
        }
    }

    private boolean skip(char wanted) {
        boolean there = position < text.length() && text.charAt(position) == wanted;
        if (there) {
            position++;
        }
        return there;
    }

    private void digits() throws Refused {
        int start = position;
        while (position < text.length() && text.charAt(position) >= '0' && text.charAt(position) <= '9') {
            position++;
        }
        if (position == start) {
            throw wrong("a value");
        }
    }

    private Refused wrong(String wanted) {
        return new Refused("expected " + wanted + " at character " + position);
    }
}
