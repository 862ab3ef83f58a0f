package dev.edgesr.demo;

import dev.edgesr.demo.logic.Cpu;
import edgesr.runtime.EdgesrException;
import edgesr.runtime.Engine;
import edgesr.runtime.ExecuTorchEngine;
import edgesr.runtime.ProgramFile;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;

/** What runs programs in this flavour of the app. */
final class Engines {
    /** More threads than large cores make it slower. */
    private static final int MOST_THREADS = 4;

    private static final String CPUINFO = "/proc/cpuinfo";

    private Engines() {}

    /** {@code folder}: where a copy of the program may lie while it is open. */
    static Engine open(ProgramFile program, File folder) throws EdgesrException {
        // This build of ExecuTorch's library uses ARMv8.1's atomic instructions unasked: older CPUs end the process.
        if (!Cpu.hasAtomics(cpuinfo())) {
            throw new EdgesrException("this CPU is too old for the ExecuTorch in this app, which needs ARMv8.1;"
                    + " take the TensorFlow Lite flavour");
        }
        int cores = Runtime.getRuntime().availableProcessors();
        return new ExecuTorchEngine(program, folder, Math.min(MOST_THREADS, cores));
    }

    /** Empty where it cannot be read. */
    private static String cpuinfo() {
        try (InputStream file = new FileInputStream(CPUINFO)) {
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            byte[] part = new byte[4096];
            for (int count = file.read(part); count > 0; count = file.read(part)) {
                text.write(part, 0, count);
            }
            return text.toString("US-ASCII");
        } catch (IOException error) {
            return "";
        }
    }
}
