package dev.edgesr.demo.logic;

/** What the main screen lets the user do. */
public final class ScreenState {
    public final boolean canPick;
    public final boolean canStart;
    public final boolean canCancel;
    public final boolean canSave;
    public final boolean showsProgress;

    private ScreenState(boolean photo, boolean result, boolean programs, WorkState work) {
        boolean free = !work.isRunning();
        canPick = free;
        canStart = free && photo && programs;
        canCancel = !free;
        canSave = free && result;
        showsProgress = work.isRunning();
    }

    /**
     * @param photo one is open
     * @param result the open photo was enlarged
     * @param programs there is at least one
     */
    public static ScreenState of(boolean photo, boolean result, boolean programs, WorkState work) {
        return new ScreenState(photo, result, programs, work);
    }
}
