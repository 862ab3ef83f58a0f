package dev.edgesr.demo.logic;

import java.util.Arrays;

/** What the CPU can do, as Linux tells it. */
public final class Cpu {
    private Cpu() {}

    /**
     * Whether every core has the atomic instructions of ARMv8.1.
     *
     * @param cpuinfo the text of /proc/cpuinfo; one that names no features says nothing, and is taken as yes
     */
    public static boolean hasAtomics(String cpuinfo) {
        for (String line : cpuinfo.split("\n")) {
            int colon = line.indexOf(':');
            if (line.startsWith("Features") && colon > 0
                    && !Arrays.asList(line.substring(colon + 1).trim().split("\\s+")).contains("atomics")) {
                return false;
            }
        }
        return true;
    }
}
