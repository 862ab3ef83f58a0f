package dev.edgesr.demo;

import android.app.Activity;
import android.os.Bundle;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.ProgressBar;
import android.widget.TextView;
import dev.edgesr.demo.logic.WorkState;
import dev.edgesr.demo.logic.Worker;

/** Runs what the app brings along and says whether this device gives the same pixels as the build machine. */
public final class BenchActivity extends Activity implements Worker.Observer {
    private DemoApp app;

    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        setContentView(R.layout.bench);
        getActionBar().setDisplayHomeAsUpEnabled(true);
        app = (DemoApp) getApplication();
        findViewById(R.id.run).setOnClickListener(
                button -> app.start(WorkState.Kind.BENCH, new BenchTask(app, app.session())));
        findViewById(R.id.stop).setOnClickListener(button -> app.worker().cancel());
    }

    @Override
    protected void onStart() {
        super.onStart();
        app.worker().observe(this);
    }

    @Override
    protected void onStop() {
        app.worker().forget(this);
        super.onStop();
    }

    @Override
    public void changed(WorkState work) {
        boolean own = work.isRunning(WorkState.Kind.BENCH);
        findViewById(R.id.run).setEnabled(!work.isRunning());
        findViewById(R.id.stop).setEnabled(own);
        ProgressBar progress = (ProgressBar) findViewById(R.id.bench_progress);
        progress.setVisibility(own ? View.VISIBLE : View.INVISIBLE);
        progress.setMax(work.total);
        progress.setProgress(work.done);
        if (work.phase == WorkState.Phase.FAILED && work.kind == WorkState.Kind.BENCH) {
            ((TextView) findViewById(R.id.bench_about)).setText(getString(R.string.failed, work.failure));
        }
        if (!own) {
            list();
        }
    }

    private void list() {
        Wording wording = new Wording(this);
        ViewGroup rows = (ViewGroup) findViewById(R.id.rows);
        rows.removeAllViews();
        for (BenchRow row : app.session().bench()) {
            View view = LayoutInflater.from(this).inflate(R.layout.bench_row, rows, false);
            ((TextView) view.findViewById(R.id.row_name))
                    .setText(getString(R.string.bench_name, row.program, row.picture));
            TextView outcome = (TextView) view.findViewById(R.id.row_outcome);
            outcome.setText(wording.outcome(row));
            outcome.setTextColor(getColor(row.outcome.difference.isNone() ? R.color.good : R.color.bad));
            rows.addView(view);
        }
    }
}
