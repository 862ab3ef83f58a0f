package dev.edgesr.demo.logic;

import edgesr.runtime.Cancellation;
import edgesr.runtime.EdgesrException;
import edgesr.runtime.ProgramInfo;
import edgesr.runtime.Route;
import edgesr.runtime.Upscaler;

/** Compares what a program gives on this device with what it gave where the app was built. */
public final class Golden {
    /** Of one program on one picture. */
    public static final class Outcome {
        public final Difference difference;
        public final long nanoseconds;

        Outcome(Difference difference, long nanoseconds) {
            this.difference = difference;
            this.nanoseconds = nanoseconds;
        }
    }

    private Golden() {}

    /** Enlarges a picture as the program's own thresholds say, and compares. */
    public static Outcome compare(
            ProgramInfo info, Upscaler upscaler, ArrayPixels picture, ArrayPixels golden, Cancellation cancellation)
            throws EdgesrException {
        ArrayPixels answer = new ArrayPixels();
        long start = System.nanoTime();
        upscaler.run(picture, answer, Route.automatic(info), null, cancellation);
        long nanoseconds = System.nanoTime() - start;
        return new Outcome(answer.differenceTo(golden), nanoseconds);
    }
}
