package edgesr.runtime;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The checks that turn untrusted JSON into typed values: each takes a value and its path, and answers the value
 * or refuses it by a message that starts with the path.
 *
 * <p>They agree with JSON Schema on what is a number: {@code 1.0} is an integer, {@code true} is not.
 */
final class Rules {
    private static final int SHOWN = 60; // characters of a refused value

    /** One rule. */
    interface Check {
        Object apply(Object value, String path) throws Refused;
    }

    private Rules() {}

    /** A whole number {@code low..high}, as Long. */
    static Check integer(long low, long high) {
        return (value, path) -> {
            Long whole = whole(value);
            if (whole == null || whole < low || whole > high) {
                throw wrong(path, "an integer " + low + ".." + high, value);
            }
            return whole;
        };
    }

    /** A finite number, as Double. */
    static Check finite() {
        return (value, path) -> {
            double number = value instanceof Number ? ((Number) value).doubleValue() : Double.NaN;
            if (Double.isNaN(number) || Double.isInfinite(number)) {
                throw wrong(path, "a finite number", value);
            }
            return number;
        };
    }

    /** A number {@code low..high}, as Double. */
    static Check between(int low, int high) {
        Check finite = finite();
        return (value, path) -> {
            Double number = (Double) finite.apply(value, path);
            if (number < low || number > high) {
                throw wrong(path, "a number " + low + ".." + high, value);
            }
            return number;
        };
    }

    /** A string that is not empty. */
    static Check text() {
        return (value, path) -> {
            if (!(value instanceof String) || ((String) value).isEmpty()) {
                throw wrong(path, "text", value);
            }
            return value;
        };
    }

    /** A string that {@code pattern} matches as a whole. */
    static Check text(String pattern) {
        Pattern compiled = Pattern.compile(pattern);
        return (value, path) -> {
            if (!(value instanceof String) || !compiled.matcher((String) value).matches()) {
                throw wrong(path, "text like " + pattern, value);
            }
            return value;
        };
    }

    /** One of the given strings, lists of strings or (Long) numbers. */
    static Check choice(List<?> allowed) {
        return (value, path) -> {
            Long whole = whole(value);
            int index = allowed.indexOf(whole == null ? value : whole);
            if (index < 0) {
                throw wrong(path, "one of " + allowed, value);
            }
            return allowed.get(index);
        };
    }

    /** An object, taken as it is. */
    static Check mapping() {
        return Rules::mapping;
    }

    /** A list of two finite numbers, the lower first. */
    static Check interval() {
        Check finite = finite();
        return (value, path) -> {
            if (!(value instanceof List) || ((List<?>) value).size() != 2) {
                throw wrong(path, "a list of two numbers", value);
            }
            List<?> ends = (List<?>) value;
            double low = (Double) finite.apply(ends.get(0), path + "[0]");
            double high = (Double) finite.apply(ends.get(1), path + "[1]");
            if (low > high) {
                throw wrong(path, "two numbers, the lower first", value);
            }
            return value;
        };
    }

    /** Null (also a missing key) or what {@code check} takes. */
    static Check optional(Check check) {
        return (value, path) -> value == null ? null : check.apply(value, path);
    }

    /** As {@code optional}, but null stands for {@code fallback}. */
    static Check optional(Check check, Object fallback) {
        return (value, path) -> value == null ? fallback : check.apply(value, path);
    }

    /** A list of what {@code check} takes. */
    static Check items(Check check) {
        return (value, path) -> {
            if (!(value instanceof List)) {
                throw wrong(path, "a list", value);
            }
            List<Object> checked = new ArrayList<>();
            for (Object item : (List<?>) value) {
                checked.add(check.apply(item, path + "[" + checked.size() + "]"));
            }
            return checked;
        };
    }

    /** An object with a key for every rule, as a map of these; other keys are ignored. */
    static Check record(Map<String, Check> rules) {
        return (value, path) -> {
            Map<?, ?> fields = mapping(value, path);
            String prefix = path.isEmpty() ? "" : path + ".";
            Map<String, Object> checked = new LinkedHashMap<>();
            for (Map.Entry<String, Check> rule : rules.entrySet()) {
                String name = rule.getKey();
                checked.put(name, rule.getValue().apply(fields.get(name), prefix + name));
            }
            return checked;
        };
    }

    private static Map<?, ?> mapping(Object value, String path) throws Refused {
        if (!(value instanceof Map)) {
            throw wrong(path, "an object", value);
        }
        return (Map<?, ?>) value;
    }

    /** A number without a fraction; null for all else. Whole numbers beyond 64 bits break every rule. */
    private static Long whole(Object value) {
        if (value instanceof Long) {
            return (Long) value;
        }
        double number = value instanceof Double ? (Double) value : Double.NaN;
        boolean fits = number == Math.rint(number) && Math.abs(number) < 0x1p63;
        return fits ? (Long) (long) number : null;
    }

    private static Refused wrong(String path, String wanted, Object value) {
        if (value == null) {
            return new Refused(path + ": must be " + wanted + ", but is missing or null");
        }
        return new Refused(path + ": must be " + wanted + ", got " + shown(value));
    }

    /** A value from the file as one short line may show it. */
    static String shown(Object value) {
        String shown = String.valueOf(value).replaceAll("\\p{Cntrl}", "?");
        return shown.length() <= SHOWN ? shown : shown.substring(0, SHOWN - 3) + "...";
    }
}
