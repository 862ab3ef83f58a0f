package dev.edgesr.demo;

import android.app.Activity;
import android.view.View;
import android.widget.ProgressBar;
import android.widget.TextView;
import dev.edgesr.demo.logic.ScreenState;
import dev.edgesr.demo.logic.WorkState;
import java.io.File;

/** Puts the state of the work and of the photo onto the main screen. */
final class MainScreen {
    private final Activity activity;
    private final Wording wording;
    private final CompareView pictures;
    private final TextView message;
    private final ProgressBar progress;
    private WorkState shown;

    MainScreen(Activity activity) {
        this.activity = activity;
        wording = new Wording(activity);
        pictures = (CompareView) activity.findViewById(R.id.pictures);
        message = (TextView) activity.findViewById(R.id.message);
        progress = (ProgressBar) activity.findViewById(R.id.progress);
    }

    /** Something that is no state of the work. */
    void say(int text) {
        message.setText(text);
    }

    void show(Session session, WorkState work, boolean programs) {
        ScreenState state = ScreenState.of(session.photo() != null, session.hasResult(), programs, work);
        enable(R.id.pick, state.canPick);
        enable(R.id.start, state.canStart);
        enable(R.id.save, state.canSave);
        enable(R.id.scale, state.canPick);
        enable(R.id.quality, state.canPick);
        activity.findViewById(R.id.start).setVisibility(state.canCancel ? View.GONE : View.VISIBLE);
        activity.findViewById(R.id.cancel).setVisibility(state.canCancel ? View.VISIBLE : View.GONE);
        progress.setVisibility(state.showsProgress ? View.VISIBLE : View.INVISIBLE);
        progress.setIndeterminate(work.total == 0);
        progress.setMax(work.total);
        progress.setProgress(work.done);
        pictures.setKeepScreenOn(work.isRunning());
        if (programs) {
            message.setText(wording.of(work, session));
        }
        if (shown != null && shown.isRunning() && !work.isRunning() && work.kind != WorkState.Kind.BENCH) {
            showPictures(session);
        }
        shown = work;
    }

    private void enable(int view, boolean enabled) {
        activity.findViewById(view).setEnabled(enabled);
    }

    /** Reads the pictures again; while a photo is being opened, nothing is shown. */
    void showPictures(Session session) {
        if (session.photo() == null) {
            pictures.setContentDescription(activity.getString(R.string.pictures_none));
            return;
        }
        File after = session.hasResult() ? session.resultFile() : null;
        pictures.show(session.photoFile(), after);
        pictures.setContentDescription(
                activity.getString(after == null ? R.string.pictures_one : R.string.pictures_two));
    }
}
