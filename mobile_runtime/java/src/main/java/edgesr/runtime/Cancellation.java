package edgesr.runtime;

/** A switch that any thread may throw to end a run; it ends after the tile in work. */
public final class Cancellation {
    private volatile boolean cancelled;

    public void cancel() {
        cancelled = true;
    }

    public boolean isCancelled() {
        return cancelled;
    }
}
