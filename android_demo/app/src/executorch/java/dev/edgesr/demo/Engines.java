package dev.edgesr.demo;

import edgesr.runtime.EdgesrException;
import edgesr.runtime.Engine;
import edgesr.runtime.ExecuTorchEngine;
import edgesr.runtime.ProgramFile;
import java.io.File;

/** What runs programs in this flavour of the app. */
final class Engines {
    /** More threads than large cores make it slower. */
    private static final int MOST_THREADS = 4;

    private Engines() {}

    /** {@code folder}: where a copy of the program may lie while it is open. */
    static Engine open(ProgramFile program, File folder) throws EdgesrException {
        int cores = Runtime.getRuntime().availableProcessors();
        return new ExecuTorchEngine(program, folder, Math.min(MOST_THREADS, cores));
    }
}
