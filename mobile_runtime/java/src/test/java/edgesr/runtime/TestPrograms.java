package edgesr.runtime;

import java.nio.charset.StandardCharsets;

/** Metadata of programs that exist only in tests. */
final class TestPrograms {
    private TestPrograms() {}

    /** x2, white is 255, tiles of 16 with a halo of 2; {@code routing} as JSON. */
    static ProgramInfo info(String routing, String... variants) throws EdgesrException {
        return info(16, 2, 255, routing, variants);
    }

    static ProgramInfo info(int tile, int scale, int pixelRange, String routing, String... variants)
            throws EdgesrException {
        String json = "{'schema': '1.1', 'edgesr': '0.1.0', 'network': 'nearest', 'scale': " + scale
                + ", 'pixel_range': " + pixelRange + ", 'tile': " + tile + ", 'halo': 2, 'exact_halo': 5,"
                + " 'variants': ['" + String.join("', '", variants) + "'], 'routing': " + routing
                + ", 'colour': 'rgb', 'calibration': {'method': 'minmax', 'images': 4, 'fingerprint': '"
                + new String(new char[64]).replace('\0', 'a') + "', 'seed': 0}, 'layers': [], 'evidence': null}";
        return ProgramInfo.fromJson(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "test");
    }

    static String routing(double skip, double low, double high, Double error) {
        return "{'low': " + low + ", 'high': " + high + ", 'skip': " + skip + ", 'error': " + error + "}";
    }
}
