package dev.edgesr.demo;

import dev.edgesr.demo.logic.Golden;

/** What one program gave on one picture. */
final class BenchRow {
    final String program;
    final String picture;
    final Golden.Outcome outcome;

    BenchRow(String program, String picture, Golden.Outcome outcome) {
        this.program = program;
        this.picture = picture;
        this.outcome = outcome;
    }
}
