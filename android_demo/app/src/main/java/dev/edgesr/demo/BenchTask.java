package dev.edgesr.demo;

import android.content.Context;
import android.content.res.AssetManager;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import dev.edgesr.demo.logic.ArrayPixels;
import dev.edgesr.demo.logic.FileNames;
import dev.edgesr.demo.logic.Golden;
import dev.edgesr.demo.logic.Worker;
import edgesr.runtime.Cancellation;
import edgesr.runtime.EdgesrException;
import edgesr.runtime.Engine;
import edgesr.runtime.Upscaler;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Runs every program on every picture that the app brings along, and compares with what it brings along. */
final class BenchTask implements Worker.Task {
    private static final String PICTURES = "bench/pictures";
    private static final String GOLDEN = "bench/golden";

    private final Context context;
    private final Session session;

    BenchTask(Context context, Session session) {
        this.context = context;
        this.session = session;
    }

    @Override
    public Runnable run(Worker.Report report, Cancellation cancellation) throws EdgesrException {
        List<BenchRow> rows = rows(report, cancellation);
        return () -> session.compared(rows);
    }

    List<BenchRow> rows(Worker.Report report, Cancellation cancellation) throws EdgesrException {
        List<BenchRow> rows = new ArrayList<>();
        AssetManager assets = context.getAssets();
        try {
            String[] pictures = assets.list(PICTURES);
            Arrays.sort(pictures);
            List<Program> programs = Program.all(context);
            for (Program program : programs) {
                try (Engine engine = Engines.open(program.file, session.folder())) {
                    Upscaler upscaler = new Upscaler(program.file.info, engine);
                    for (String picture : pictures) {
                        ArrayPixels small = read(assets, PICTURES + "/" + picture);
                        ArrayPixels golden = read(assets, GOLDEN + "/" + program.name + "/" + picture);
                        rows.add(new BenchRow(
                                program.name,
                                FileNames.stem(picture),
                                Golden.compare(program.file.info, upscaler, small, golden, cancellation)));
                        report.steps(rows.size(), programs.size() * pictures.length);
                    }
                }
            }
        } catch (IOException error) {
            throw new EdgesrException(context.getString(R.string.damaged_app), error);
        }
        return rows;
    }

    private static ArrayPixels read(AssetManager assets, String path) throws IOException {
        try (InputStream stream = assets.open(path)) {
            Bitmap bitmap = BitmapFactory.decodeStream(stream);
            if (bitmap == null) {
                throw new IOException(path);
            }
            int[] pixels = new int[bitmap.getWidth() * bitmap.getHeight()];
            bitmap.getPixels(pixels, 0, bitmap.getWidth(), 0, 0, bitmap.getWidth(), bitmap.getHeight());
            return new ArrayPixels(bitmap.getWidth(), bitmap.getHeight(), pixels);
        }
    }
}
