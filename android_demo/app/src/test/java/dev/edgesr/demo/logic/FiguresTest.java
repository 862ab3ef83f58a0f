package dev.edgesr.demo.logic;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.junit.Test;

public final class FiguresTest {
    private final Numbers english = new Numbers(Locale.ENGLISH);

    @Test
    public void theRateIsOfEnlargedPixels() {
        Figures figures = new Figures(12_000_000, 4_000_000_000L, 0, Collections.<String, Integer>emptyMap());
        assertEquals(3.0, figures.megapixelsPerSecond(), 1e-9);
        assertEquals(0, new Figures(5, 0, 0, figures.tiles).megapixelsPerSecond(), 0);
    }

    @Test
    public void tilesStayInTheirOrderAndCannotBeChanged() {
        Map<String, Integer> tiles = new LinkedHashMap<>();
        tiles.put("skip", 1203);
        tiles.put("high", 4);
        Figures figures = new Figures(1, 1, 1, tiles);
        assertEquals("skip 1,203, high 4", english.tiles(figures.tiles));
        assertThrows(UnsupportedOperationException.class, () -> figures.tiles.put("low", 1));
    }

    @Test
    public void unitsAreThoseThatTheTextNames() {
        assertEquals("1,235", english.milliseconds(1_234_567_890L));
        assertEquals("48", english.mebibytes(50_000_000));
        assertEquals("12.3", english.megapixels(12_345_678));
        assertEquals("0.0", english.tenths(0.04));
    }

    @Test
    public void countriesWriteNumbersTheirOwnWay() {
        Numbers german = new Numbers(Locale.GERMANY);
        assertEquals("1.235", german.milliseconds(1_234_567_890L));
        assertEquals("12,3", german.megapixels(12_345_678));
    }

    @Test
    public void theKernelIsAskedForMemory() {
        assertEquals(1234, ProcessMemory.kibibytes("  1234 kB"));
        assertEquals(0, ProcessMemory.kibibytes(" ? kB"));
        ProcessMemory memory = new ProcessMemory();
        assertEquals(0, memory.peak());
        memory.look();
        assertTrue("a virtual machine holds more than 1 MiB", memory.peak() > 1 << 20);
    }
}
