package dev.edgesr.demo.logic;

import edgesr.runtime.ProgramInfo;
import edgesr.runtime.Progress;
import edgesr.runtime.Route;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What one run cost. */
public final class Figures {
    /** Of the enlarged picture. */
    public final long pixels;

    public final long nanoseconds;

    /** The most memory that the app held while it ran; 0 where the system does not tell. */
    public final long peakBytes;

    /** Tiles by route, cheapest first; routes that no tile took are left out. */
    public final Map<String, Integer> tiles;

    public Figures(long pixels, long nanoseconds, long peakBytes, Map<String, Integer> tiles) {
        this.pixels = pixels;
        this.nanoseconds = nanoseconds;
        this.peakBytes = peakBytes;
        this.tiles = Collections.unmodifiableMap(new LinkedHashMap<>(tiles));
    }

    public static Figures of(ProgramInfo info, Progress progress, long pixels, long nanoseconds, long peakBytes) {
        Map<String, Integer> tiles = new LinkedHashMap<>();
        count(tiles, progress, Route.SKIP);
        for (String variant : info.variants) {
            count(tiles, progress, variant);
        }
        return new Figures(pixels, nanoseconds, peakBytes, tiles);
    }

    private static void count(Map<String, Integer> tiles, Progress progress, String route) {
        if (progress.tiles(route) > 0) {
            tiles.put(route, progress.tiles(route));
        }
    }

    /** Megapixels of the enlarged picture per second. */
    public double megapixelsPerSecond() {
        return nanoseconds == 0 ? 0 : pixels * 1e3 / nanoseconds;
    }
}
