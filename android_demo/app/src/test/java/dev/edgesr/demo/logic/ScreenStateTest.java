package dev.edgesr.demo.logic;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public final class ScreenStateTest {
    private static final WorkState BUSY = WorkState.begun(WorkState.Kind.UPSCALE);

    @Test
    public void withoutAPhotoOneCanOnlyChooseOne() {
        ScreenState state = ScreenState.of(false, false, true, WorkState.IDLE);
        assertTrue(state.canPick);
        assertFalse(state.canStart || state.canSave || state.canCancel || state.showsProgress);
    }

    @Test
    public void aPhotoCanBeEnlargedAndAResultSaved() {
        assertTrue(ScreenState.of(true, false, true, WorkState.IDLE).canStart);
        assertFalse(ScreenState.of(true, false, true, WorkState.IDLE).canSave);
        assertTrue(ScreenState.of(true, true, true, WorkState.IDLE).canSave);
        assertFalse(ScreenState.of(true, false, false, WorkState.IDLE).canStart);
    }

    @Test
    public void whileSomethingRunsItCanOnlyBeCancelled() {
        for (WorkState.Kind kind : WorkState.Kind.values()) {
            ScreenState state = ScreenState.of(true, true, true, WorkState.begun(kind));
            assertTrue(state.canCancel && state.showsProgress);
            assertFalse(state.canPick || state.canStart || state.canSave);
        }
    }

    @Test
    public void whatHasEndedIsNotRunning() {
        for (WorkState.Phase phase : WorkState.Phase.values()) {
            assertEquals(phase == WorkState.Phase.RUNNING, BUSY.ended(phase).isRunning());
        }
    }
}
