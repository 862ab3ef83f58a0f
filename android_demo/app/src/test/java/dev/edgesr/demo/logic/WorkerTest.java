package dev.edgesr.demo.logic;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import edgesr.runtime.EdgesrException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import org.junit.Test;

/** Both threads are queues that the test empties, so that every order of events is the test's choice. */
public final class WorkerTest {
    private final Queue<Runnable> background = new ArrayDeque<>();
    private final Queue<Runnable> screens = new ArrayDeque<>();
    private final Worker worker = new Worker(background::add, screens::add, "no memory");
    private final List<String> seen = new ArrayList<>();

    private void observe() {
        worker.observe(state -> seen.add(state.phase + " " + state.done + "/" + state.total));
    }

    private static void drain(Queue<Runnable> queue) {
        for (Runnable next = queue.poll(); next != null; next = queue.poll()) {
            next.run();
        }
    }

    private void finish() {
        drain(background);
        drain(screens);
    }

    @Test
    public void aWorkRunsThroughItsPhases() {
        observe();
        worker.start(WorkState.Kind.UPSCALE, (report, cancellation) -> {
            report.steps(1, 2);
            drain(screens);
            report.steps(2, 2);
            return () -> seen.add("taken over");
        });
        finish();
        assertEquals(Arrays.asList("DONE 0/0", "RUNNING 0/0", "RUNNING 1/2", "RUNNING 2/2", "taken over", "DONE 2/2"),
                seen);
        assertEquals(WorkState.Kind.UPSCALE, worker.state().kind);
    }

    @Test
    public void aScreenThatComesLateSeesTheStateAtOnceAndOneThatGoesNoneLater() {
        worker.start(WorkState.Kind.OPEN, (report, cancellation) -> () -> { });
        Worker.Observer late = state -> seen.add(state.phase.toString());
        worker.observe(late);
        worker.forget(late);
        finish();
        assertEquals(Arrays.asList("RUNNING"), seen);
        assertEquals(WorkState.Phase.DONE, worker.state().phase);
    }

    @Test
    public void slowScreensSeeTheLatestStep() {
        observe();
        worker.start(WorkState.Kind.UPSCALE, (report, cancellation) -> {
            for (int i = 1; i <= 50; i++) {
                report.steps(i, 50);
            }
            return () -> { };
        });
        finish();
        assertEquals(Arrays.asList("DONE 0/0", "RUNNING 0/0", "RUNNING 50/50", "DONE 50/50"), seen);
    }

    @Test
    public void onlyOneWorkAtATime() {
        assertTrue(worker.start(WorkState.Kind.UPSCALE, (report, cancellation) -> () -> { }));
        assertFalse(worker.start(WorkState.Kind.BENCH, (report, cancellation) -> () -> { }));
        finish();
        assertTrue(worker.start(WorkState.Kind.BENCH, (report, cancellation) -> () -> { }));
    }

    @Test
    public void cancellingReachesTheTaskAndNothingIsTakenOver() {
        worker.start(WorkState.Kind.UPSCALE, (report, cancellation) -> {
            if (cancellation.isCancelled()) {
                throw new CancellationException();
            }
            return () -> seen.add("taken over");
        });
        worker.cancel();
        finish();
        assertEquals(WorkState.Phase.CANCELLED, worker.state().phase);
        assertTrue(seen.isEmpty());
        worker.cancel(); // nothing runs: nothing happens
        worker.start(WorkState.Kind.UPSCALE, (report, cancellation) -> () -> seen.add("next: "
                + cancellation.isCancelled()));
        finish();
        assertEquals(Arrays.asList("next: false"), seen);
    }

    @Test
    public void failuresSayWhyAndTheNextWorkRuns() {
        worker.start(WorkState.Kind.OPEN, (report, cancellation) -> {
            throw new EdgesrException("no such photo");
        });
        finish();
        assertEquals(WorkState.Phase.FAILED, worker.state().phase);
        assertEquals("no such photo", worker.state().failure);
        worker.start(WorkState.Kind.OPEN, (report, cancellation) -> {
            throw new OutOfMemoryError();
        });
        finish();
        assertEquals("no memory", worker.state().failure);
        worker.start(WorkState.Kind.OPEN, (report, cancellation) -> () -> { });
        finish();
        assertEquals(null, worker.state().failure);
    }
}
