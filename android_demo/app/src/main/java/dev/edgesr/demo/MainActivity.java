package dev.edgesr.demo;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.Intent;
import android.net.Uri;
import android.os.Bundle;
import android.view.Menu;
import android.view.MenuItem;
import android.widget.ArrayAdapter;
import android.widget.Spinner;
import android.widget.TextView;
import dev.edgesr.demo.logic.Quality;
import dev.edgesr.demo.logic.WorkState;
import dev.edgesr.demo.logic.Worker;
import edgesr.runtime.EdgesrException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The main screen: a photo, how to enlarge it, and what came of it. */
public final class MainActivity extends Activity implements Worker.Observer {
    private static final int PICK = 1;
    private static final int SAVE = 2;
    private static final String PHOTO_NAME = "photo";

    private DemoApp app;
    private Session session;
    private MainScreen screen;
    private List<Program> programs = Collections.emptyList();

    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        setContentView(R.layout.main);
        app = (DemoApp) getApplication();
        session = app.session();
        screen = new MainScreen(this);
        loadPrograms();
        findViewById(R.id.pick).setOnClickListener(button -> pick());
        findViewById(R.id.start).setOnClickListener(button -> start());
        findViewById(R.id.cancel).setOnClickListener(button -> app.worker().cancel());
        findViewById(R.id.save).setOnClickListener(button -> save());
        if (saved == null) {
            takeShared(getIntent());
        } else {
            reopen(saved.getString(PHOTO_NAME));
        }
    }

    private void loadPrograms() {
        List<String> names = new ArrayList<>();
        try {
            programs = Program.all(this);
        } catch (EdgesrException error) {
            ((TextView) findViewById(R.id.message)).setText(error.getMessage());
        }
        for (Program program : programs) {
            names.add(getString(R.string.scale_choice, program.file.info.scale, program.name));
        }
        Spinner scales = (Spinner) findViewById(R.id.scale);
        scales.setAdapter(new ArrayAdapter<>(this, android.R.layout.simple_spinner_dropdown_item, names));
    }

    @Override
    protected void onStart() {
        super.onStart();
        app.worker().observe(this);
        screen.showPictures(session);
    }

    @Override
    protected void onStop() {
        app.worker().forget(this);
        super.onStop();
    }

    @Override
    protected void onSaveInstanceState(Bundle out) {
        super.onSaveInstanceState(out);
        if (session.photo() != null) {
            out.putString(PHOTO_NAME, session.photo().name);
        }
    }

    /** The system may have ended the app in the background; its files are still there. */
    private void reopen(String name) {
        if (name != null && session.photo() == null && session.photoFile().exists()) {
            app.start(WorkState.Kind.OPEN, new ReopenTask(name, session, app.getResources()));
        }
    }

    @Override
    protected void onNewIntent(Intent intent) {
        super.onNewIntent(intent);
        takeShared(intent);
    }

    private void takeShared(Intent intent) {
        if (Intent.ACTION_SEND.equals(intent.getAction())) {
            Uri shared = intent.getParcelableExtra(Intent.EXTRA_STREAM);
            if (shared != null) {
                open(shared);
            }
        }
    }

    private void open(Uri uri) {
        if (!app.start(WorkState.Kind.OPEN, new OpenTask(app, uri, session))) {
            screen.say(R.string.busy);
        }
    }

    private void pick() {
        Intent picker = new Intent(Intent.ACTION_OPEN_DOCUMENT);
        picker.addCategory(Intent.CATEGORY_OPENABLE);
        picker.setType("image/*");
        ask(picker, PICK);
    }

    private void start() {
        Program program = programs.get(((Spinner) findViewById(R.id.scale)).getSelectedItemPosition());
        Quality quality = Quality.values()[((Spinner) findViewById(R.id.quality)).getSelectedItemPosition()];
        app.start(WorkState.Kind.UPSCALE, new UpscaleTask(program, quality, session, app.getResources()));
    }

    private void save() {
        String name = getString(R.string.file_name, session.photo().name);
        if (SaveTask.galleryIsOpen()) {
            app.start(WorkState.Kind.SAVE, SaveTask.toGallery(app, session.resultFile(), name));
            return;
        }
        Intent place = new Intent(Intent.ACTION_CREATE_DOCUMENT);
        place.addCategory(Intent.CATEGORY_OPENABLE);
        place.setType("image/png");
        place.putExtra(Intent.EXTRA_TITLE, name);
        ask(place, SAVE);
    }

    private void ask(Intent question, int code) {
        try {
            startActivityForResult(question, code);
        } catch (ActivityNotFoundException none) {
            screen.say(R.string.no_picker);
        }
    }

    @Override
    protected void onActivityResult(int code, int answer, Intent data) {
        if (answer != RESULT_OK || data == null || data.getData() == null) {
            return;
        }
        if (code == PICK) {
            open(data.getData());
        } else {
            app.start(WorkState.Kind.SAVE,
                    SaveTask.toDocument(app, session.resultFile(), data.getData()));
        }
    }

    @Override
    public boolean onCreateOptionsMenu(Menu menu) {
        getMenuInflater().inflate(R.menu.main, menu);
        return true;
    }

    @Override
    public boolean onOptionsItemSelected(MenuItem item) {
        if (item.getItemId() == R.id.bench) {
            startActivity(new Intent(this, BenchActivity.class));
            return true;
        }
        return super.onOptionsItemSelected(item);
    }

    @Override
    public void changed(WorkState work) {
        screen.show(session, work, !programs.isEmpty());
    }
}
