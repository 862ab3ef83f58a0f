package edgesr.runtime;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * What an edgesr program says about itself: the JSON entry {@code edgesr} in the program file, schema 1.
 *
 * <p>Minor versions may add keys, which are ignored here; another major version is refused. Of what the
 * conversion records about itself (calibration, layers, evidence) the form is checked and nothing kept.
 */
public final class ProgramInfo {
    public final String schema;

    /** Version of edgesr that wrote the program. */
    public final String edgesr;

    public final String network;

    /** Output side / input side, 1..8. */
    public final int scale;

    /** What white is at input and output, 1 or 255. */
    public final int pixelRange;

    /** Side of the square input, in low-resolution pixels. */
    public final int tile;

    /** Low-resolution pixels thrown away on each side that meets another tile; below half of a tile. */
    public final int halo;

    /** The halo with which tiles give what the whole picture would; null where it is not known. */
    public final Integer exactHalo;

    /** Names of the signatures, cheapest first; cannot be changed. */
    public final List<String> variants;

    /** How tiles are routed; null where they are not. */
    public final Thresholds thresholds;

    /** What the three channels are: "rgb". */
    public final String colour;

    /** The heights and widths besides the tile that the engine can be fed; null where there are no others. */
    public final SizeRange sizes;

    private ProgramInfo(Map<?, ?> fields) {
        schema = (String) fields.get("schema");
        edgesr = (String) fields.get("edgesr");
        network = (String) fields.get("network");
        scale = integer(fields.get("scale"));
        pixelRange = integer(fields.get("pixel_range"));
        tile = integer(fields.get("tile"));
        halo = integer(fields.get("halo"));
        exactHalo = integer(fields.get("exact_halo"));
        variants = strings((List<?>) fields.get("variants"));
        thresholds = thresholds((Map<?, ?>) fields.get("routing"));
        colour = (String) fields.get("colour");
        sizes = sizes((Map<?, ?>) fields.get("sizes"));
    }

    /**
     * Reads and checks an entry.
     *
     * @param utf8 the JSON
     * @param source names its file in messages
     * @throws EdgesrException not JSON, an unknown major version, or a field that breaks the rules
     */
    public static ProgramInfo fromJson(byte[] utf8, String source) throws EdgesrException {
        Object entry;
        try {
            entry = Json.parse(utf8);
        } catch (Refused error) {
            throw new EdgesrException(
                    source + ": its metadata is not JSON (" + error.getMessage() + "); convert it again", error);
        }
        try {
            return new ProgramInfo(MetadataRules.check(entry));
        } catch (Refused error) {
            throw new EdgesrException(
                    source + ": metadata field " + error.getMessage() + "; convert the network again", error);
        }
    }

    private static Integer integer(Object value) {
        return value == null ? null : Integer.valueOf(((Long) value).intValue());
    }

    private static List<String> strings(List<?> values) {
        List<String> found = new ArrayList<>();
        for (Object value : values) {
            found.add((String) value);
        }
        return Collections.unmodifiableList(found);
    }

    private static SizeRange sizes(Map<?, ?> range) {
        return range == null ? null : new SizeRange(integer(range.get("min")), integer(range.get("max")));
    }

    private static Thresholds thresholds(Map<?, ?> routing) {
        if (routing == null) {
            return null;
        }
        return new Thresholds((Double) routing.get("skip"), (Double) routing.get("low"),
                (Double) routing.get("high"), (Double) routing.get("error"));
    }
}
