package dev.edgesr.demo.logic;

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/** Watches how much memory the whole app holds: Java, native libraries and bitmaps alike. */
public final class ProcessMemory {
    private static final String STATUS = "/proc/self/status";
    private static final String RESIDENT = "VmRSS:";

    private long peak;

    /** Looks now, and remembers the most so far. */
    public void look() {
        peak = Math.max(peak, resident());
    }

    /** Bytes, of all looks; 0 where the system does not tell. */
    public long peak() {
        return peak;
    }

    /** Bytes that the kernel counts for this process. */
    private static long resident() {
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(new FileInputStream(STATUS), StandardCharsets.US_ASCII))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(RESIDENT)) {
                    return kibibytes(line.substring(RESIDENT.length())) << 10;
                }
            }
        } catch (IOException unreadable) {
            return 0;
        }
        return 0;
    }

    /** Of "  1234 kB". */
    static long kibibytes(String text) {
        String[] words = text.trim().split("\\s+");
        try {
            return Long.parseLong(words[0]);
        } catch (NumberFormatException unknown) {
            return 0;
        }
    }
}
