package dev.edgesr.demo;

import edgesr.runtime.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.CancellationException;

/** Copies streams so that the user can stop it. */
final class Copying {
    private static final int PIECE = 1 << 16;

    private Copying() {}

    /** @throws CancellationException it was cancelled */
    static void copy(InputStream from, OutputStream to, Cancellation cancellation) throws IOException {
        byte[] piece = new byte[PIECE];
        for (int read = from.read(piece); read >= 0; read = from.read(piece)) {
            if (cancellation.isCancelled()) {
                throw new CancellationException();
            }
            to.write(piece, 0, read);
        }
    }
}
