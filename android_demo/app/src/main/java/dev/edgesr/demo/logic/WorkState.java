package dev.edgesr.demo.logic;

/** What the app's only worker is at, at one moment; never changes. */
public final class WorkState {
    /** What is worked on. */
    public enum Kind { OPEN, UPSCALE, SAVE, BENCH }

    /** How far it is. */
    public enum Phase { RUNNING, DONE, CANCELLED, FAILED }

    /** Before any work. */
    public static final WorkState IDLE = new WorkState(null, Phase.DONE, 0, 0, null);

    /** Null before any work. */
    public final Kind kind;

    public final Phase phase;

    /** Steps done; a work that cannot count them has 0 in all. */
    public final int done;

    /** Steps in all. */
    public final int total;

    /** Why it failed; null otherwise. */
    public final String failure;

    private WorkState(Kind kind, Phase phase, int done, int total, String failure) {
        this.kind = kind;
        this.phase = phase;
        this.done = done;
        this.total = total;
        this.failure = failure;
    }

    static WorkState begun(Kind kind) {
        return new WorkState(kind, Phase.RUNNING, 0, 0, null);
    }

    WorkState at(int done, int total) {
        return new WorkState(kind, phase, done, total, null);
    }

    WorkState ended(Phase how) {
        return new WorkState(kind, how, done, total, null);
    }

    WorkState failed(String why) {
        return new WorkState(kind, Phase.FAILED, done, total, why);
    }

    public boolean isRunning() {
        return phase == Phase.RUNNING;
    }

    public boolean isRunning(Kind asked) {
        return isRunning() && kind == asked;
    }
}
