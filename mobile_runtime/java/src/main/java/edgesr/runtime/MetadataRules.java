package edgesr.runtime;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the metadata of a program must look like, as a table. {@code docs/program.schema.json} states the same
 * rules for other readers; rules between two fields are checked here at the end.
 */
final class MetadataRules {
    static final String DEFAULT_VARIANT = "serving_default";

    private static final String MAJOR = "1";
    private static final List<List<String>> VARIANT_LISTS = Collections.unmodifiableList(Arrays.asList(
            Arrays.asList(DEFAULT_VARIANT),
            Arrays.asList("low"), Arrays.asList("mid"), Arrays.asList("high"),
            Arrays.asList("low", "mid"), Arrays.asList("low", "high"), Arrays.asList("mid", "high"),
            Arrays.asList("low", "mid", "high")));

    private static final Rules.Check ENTRY = Rules.record(entry());

    private MetadataRules() {}

    /** The fields of an entry that breaks no rule. */
    static Map<?, ?> check(Object entry) throws Refused {
        if (!(entry instanceof Map)) {
            throw new Refused("the whole entry must be an object");
        }
        refuseUnknownMajor(((Map<?, ?>) entry).get("schema"));
        Map<?, ?> fields = (Map<?, ?>) ENTRY.apply(entry, "");
        long tile = (Long) fields.get("tile");
        long halo = (Long) fields.get("halo");
        if (2 * halo >= tile) {
            throw new Refused("halo: must be below half of tile (" + tile + "), got " + halo);
        }
        if (fields.get("routing") != null) {
            checkOrder((Map<?, ?>) fields.get("routing"));
        }
        if (fields.get("sizes") != null) {
            checkTile((Map<?, ?>) fields.get("sizes"), tile);
        }
        return fields;
    }

    private static void checkOrder(Map<?, ?> routing) throws Refused {
        double low = (Double) routing.get("low");
        double high = (Double) routing.get("high");
        if (low > high) {
            throw new Refused("routing.low: must not be above routing.high (" + high + ")");
        }
        if ((Double) routing.get("skip") > Math.max(low, 0)) {
            throw new Refused("routing.skip: must not be above routing.low (" + low + ")");
        }
    }

    private static void checkTile(Map<?, ?> sizes, long tile) throws Refused {
        long min = (Long) sizes.get("min");
        long max = (Long) sizes.get("max");
        if (tile < min || tile > max) {
            throw new Refused("sizes: must hold the tile (" + tile + "), got " + min + " to " + max);
        }
    }

    /** Said first and plainly, for the fields of another major version may mean anything. */
    private static void refuseUnknownMajor(Object version) throws Refused {
        if (version instanceof String && !(version + ".").startsWith(MAJOR + ".")) {
            throw new Refused(
                    "schema: is version '" + Rules.shown(version) + "', but only " + MAJOR + ".x can be read");
        }
    }

    private static Map<String, Rules.Check> entry() {
        Map<String, Rules.Check> rules = new LinkedHashMap<>();
        rules.put("schema", Rules.text("1\\.[0-9]+"));
        rules.put("edgesr", Rules.text());
        rules.put("network", Rules.text());
        rules.put("scale", Rules.integer(1, 8));
        rules.put("pixel_range", Rules.choice(Arrays.asList(1L, 255L)));
        rules.put("tile", Rules.integer(1, 4096));
        rules.put("halo", Rules.integer(0, 2047));
        rules.put("exact_halo", Rules.optional(Rules.integer(0, 1_000_000)));
        rules.put("variants", Rules.choice(VARIANT_LISTS));
        rules.put("routing", Rules.optional(Rules.record(routing())));
        rules.put("colour", Rules.choice(Arrays.asList("rgb")));
        rules.put("calibration", Rules.record(calibration()));
        rules.put("layers", Rules.items(Rules.record(layer())));
        rules.put("evidence", Rules.optional(Rules.mapping()));
        rules.put("sizes", Rules.optional(Rules.record(sizes())));
        return rules;
    }

    private static Map<String, Rules.Check> sizes() {
        Map<String, Rules.Check> rules = new LinkedHashMap<>();
        rules.put("min", Rules.integer(1, 4096));
        rules.put("max", Rules.integer(1, 4096));
        return rules;
    }

    private static Map<String, Rules.Check> routing() {
        Map<String, Rules.Check> rules = new LinkedHashMap<>();
        rules.put("low", Rules.finite());
        rules.put("high", Rules.finite());
        rules.put("skip", Rules.optional(Rules.between(0, 1000), 0.0));
        rules.put("error", Rules.optional(Rules.between(0, 65025)));
        return rules;
    }

    private static Map<String, Rules.Check> calibration() {
        Map<String, Rules.Check> rules = new LinkedHashMap<>();
        rules.put("method", Rules.text());
        rules.put("images", Rules.integer(0, 1_000_000));
        rules.put("fingerprint", Rules.text("[0-9a-f]{64}"));
        rules.put("seed", Rules.integer(0, Long.MAX_VALUE));
        return rules;
    }

    private static Map<String, Rules.Check> layer() {
        Rules.Check bits = Rules.integer(1, 32);
        Rules.Check range = Rules.optional(Rules.interval());
        Map<String, Rules.Check> rules = new LinkedHashMap<>();
        rules.put("name", Rules.text());
        rules.put("kind", Rules.text());
        rules.put("weight_bits", Rules.optional(bits));
        rules.put("activation_bits", bits);
        rules.put("container", Rules.choice(Arrays.asList("int8", "int8-dynamic", "f32")));
        rules.put("input_range", range);
        rules.put("output_range", range);
        rules.put("sensitivity", Rules.optional(Rules.finite()));
        rules.put("variant", Rules.optional(Rules.choice(Arrays.asList(DEFAULT_VARIANT, "low", "mid", "high"))));
        return rules;
    }
}
