package dev.edgesr.demo;

import android.content.res.Resources;
import dev.edgesr.demo.logic.Figures;
import dev.edgesr.demo.logic.ProcessMemory;
import dev.edgesr.demo.logic.Quality;
import dev.edgesr.demo.logic.Worker;
import edgesr.runtime.Cancellation;
import edgesr.runtime.EdgesrException;
import edgesr.runtime.Engine;
import edgesr.runtime.PngSink;
import edgesr.runtime.ProgramInfo;
import edgesr.runtime.Progress;
import edgesr.runtime.Upscaler;

/** Enlarges the open photo into a PNG file, strip by strip. */
final class UpscaleTask implements Worker.Task {
    private final Program program;
    private final Quality quality;
    private final Session session;
    private final Resources resources;

    UpscaleTask(Program program, Quality quality, Session session, Resources resources) {
        this.program = program;
        this.quality = quality;
        this.session = session;
        this.resources = resources;
    }

    @Override
    public Runnable run(Worker.Report report, Cancellation cancellation) throws EdgesrException {
        ProgramInfo info = program.file.info;
        ProcessMemory memory = new ProcessMemory();
        long start = System.nanoTime();
        try (PictureFile photo = PictureFile.open(session.photoFile(), resources);
                Engine engine = Engines.open(program.file, session.folder())) {
            Upscaler upscaler = new Upscaler(info, engine);
            checkRoom(upscaler.bytesNeeded(photo.width(), photo.height()));
            Progress progress = upscaler.run(
                    new FileSource(photo),
                    new PngSink(session.resultFile(), null),
                    quality.route(info),
                    now -> {
                        memory.look();
                        report.steps(now.done(), now.total());
                    },
                    cancellation);
            long pixels = (long) photo.width() * photo.height() * info.scale * info.scale;
            Figures figures = Figures.of(info, progress, pixels, System.nanoTime() - start, memory.peak());
            return () -> session.enlarged(figures);
        }
    }

    /** An app may hold so much and no more; better said before the work than in its midst. */
    private void checkRoom(long needed) throws EdgesrException {
        Runtime runtime = Runtime.getRuntime();
        long free = runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
        if (needed > free) {
            throw new EdgesrException(resources.getString(R.string.too_wide, needed >> 20, free >> 20));
        }
    }
}
