package dev.edgesr.demo;

import edgesr.runtime.EdgesrException;
import edgesr.runtime.Engine;
import edgesr.runtime.ProgramFile;
import edgesr.runtime.TfLiteEngine;
import java.io.File;

/** What runs programs in this flavour of the app. */
final class Engines {
    /** More threads than large cores make it slower. */
    private static final int MOST_THREADS = 4;

    private Engines() {}

    /** {@code folder}: for the other flavour, whose engine reads files only. */
    static Engine open(ProgramFile program, File folder) throws EdgesrException {
        int cores = Runtime.getRuntime().availableProcessors();
        return new TfLiteEngine(program, Math.min(MOST_THREADS, cores));
    }
}
