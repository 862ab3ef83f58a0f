package dev.edgesr.demo;

import android.app.Application;
import android.content.Intent;
import android.os.Handler;
import android.os.Looper;
import dev.edgesr.demo.logic.WorkState;
import dev.edgesr.demo.logic.Worker;
import java.util.concurrent.Executors;

/** What outlives the screens: the worker, and the photo that is worked on. */
public final class DemoApp extends Application {
    private Worker worker;
    private Session session;

    @Override
    public void onCreate() {
        super.onCreate();
        Handler screens = new Handler(Looper.getMainLooper());
        worker = new Worker(Executors.newSingleThreadExecutor(), screens::post, getString(R.string.no_memory));
        session = new Session(getCacheDir());
        session.removeUnfinished();
    }

    Worker worker() {
        return worker;
    }

    Session session() {
        return session;
    }

    /** Begins a work that goes on when the screens go; false where another one is running. */
    boolean start(WorkState.Kind kind, Worker.Task task) {
        boolean started = worker.start(kind, task);
        if (started) {
            startService(new Intent(this, WorkService.class));
        }
        return started;
    }
}
