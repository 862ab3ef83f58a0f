package dev.edgesr.demo;

import android.app.Service;
import android.content.Intent;
import android.os.IBinder;
import dev.edgesr.demo.logic.WorkState;
import dev.edgesr.demo.logic.Worker;

/**
 * Tells the system that the app is at work, for as long as it is. Without a notification, hence without a
 * permission: in the background Android lets such a service run for about a minute and may then freeze the
 * app, which goes on where it was when the user comes back.
 */
public final class WorkService extends Service implements Worker.Observer {
    @Override
    public void onCreate() {
        super.onCreate();
        ((DemoApp) getApplication()).worker().observe(this);
    }

    @Override
    public int onStartCommand(Intent intent, int flags, int startId) {
        return START_NOT_STICKY;
    }

    @Override
    public void changed(WorkState state) {
        if (!state.isRunning()) {
            stopSelf();
        }
    }

    @Override
    public void onDestroy() {
        ((DemoApp) getApplication()).worker().forget(this);
        super.onDestroy();
    }

    @Override
    public IBinder onBind(Intent intent) {
        return null;
    }
}
