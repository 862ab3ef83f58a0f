package dev.edgesr.demo.logic;

import edgesr.runtime.Cancellation;
import edgesr.runtime.EdgesrException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;

/**
 * Does one work at a time on a thread of its own, and tells screens about it on theirs. It belongs to the
 * application, so screens come and go (a turned phone, another app in front) and the work goes on.
 *
 * <p>All methods but {@link Report#steps} are called on the screens' thread.
 */
public final class Worker {
    /** A work to be done. */
    public interface Task {
        /**
         * Runs on the worker's thread.
         *
         * @return what takes over the result, run on the screens' thread before they are told of the end
         * @throws EdgesrException it fails; the message is for the user
         * @throws CancellationException it was cancelled
         */
        Runnable run(Report report, Cancellation cancellation) throws EdgesrException;
    }

    /** How a task tells how far it is. */
    public interface Report {
        void steps(int done, int total);
    }

    /** A screen that wants to know. */
    public interface Observer {
        void changed(WorkState state);
    }

    private final Executor background;
    private final Executor screens;
    private final String noMemory;
    private final List<Observer> observers = new ArrayList<>();
    private WorkState state = WorkState.IDLE;
    private Cancellation cancellation;
    private WorkState unseen;

    /**
     * @param background runs one task at a time
     * @param screens runs on the screens' thread, in order
     * @param noMemory what to tell the user when memory ends
     */
    public Worker(Executor background, Executor screens, String noMemory) {
        this.background = background;
        this.screens = screens;
        this.noMemory = noMemory;
    }

    public WorkState state() {
        return state;
    }

    /** Tells an observer of the state now and of every later one. */
    public void observe(Observer observer) {
        observers.add(observer);
        observer.changed(state);
    }

    public void forget(Observer observer) {
        observers.remove(observer);
    }

    /** Begins a work; false where another one is running, which goes on. */
    public boolean start(WorkState.Kind kind, Task task) {
        if (state.isRunning()) {
            return false;
        }
        Cancellation own = new Cancellation();
        cancellation = own;
        publish(WorkState.begun(kind));
        background.execute(() -> work(kind, task, own));
        return true;
    }

    /** Asks the running work to end; it does so after the tile in work. */
    public void cancel() {
        if (state.isRunning()) {
            cancellation.cancel();
        }
    }

    private void work(WorkState.Kind kind, Task task, Cancellation own) {
        Runnable takeOver = () -> { };
        WorkState.Phase phase = WorkState.Phase.DONE;
        String failure = null;
        try {
            takeOver = task.run((done, total) -> tell(WorkState.begun(kind).at(done, total)), own);
        } catch (CancellationException error) {
            phase = WorkState.Phase.CANCELLED;
        } catch (EdgesrException error) {
            failure = error.getMessage();
        } catch (OutOfMemoryError error) {
            failure = noMemory;
        }
        end(takeOver, phase, failure);
    }

    private void end(Runnable takeOver, WorkState.Phase phase, String failure) {
        screens.execute(() -> {
            takeOver.run();
            publish(failure == null ? state.ended(phase) : state.failed(failure));
        });
    }

    /** Screens that are slower than the work see its latest state, not a queue of old ones. */
    private void tell(WorkState news) {
        synchronized (this) {
            boolean waiting = unseen != null;
            unseen = news;
            if (waiting) {
                return;
            }
        }
        screens.execute(() -> {
            WorkState latest;
            synchronized (this) {
                latest = unseen;
                unseen = null;
            }
            publish(latest);
        });
    }

    private void publish(WorkState news) {
        state = news;
        for (Observer observer : new ArrayList<>(observers)) {
            observer.changed(news);
        }
    }
}
