package dev.edgesr.demo;

import android.content.res.Resources;
import dev.edgesr.demo.logic.Worker;
import edgesr.runtime.Cancellation;
import edgesr.runtime.EdgesrException;

/** Opens what an earlier life of the app left in its cache, after the system had ended it. */
final class ReopenTask implements Worker.Task {
    private final String name;
    private final Session session;
    private final Resources resources;

    ReopenTask(String name, Session session, Resources resources) {
        this.name = name;
        this.session = session;
        this.resources = resources;
    }

    @Override
    public Runnable run(Worker.Report report, Cancellation cancellation) throws EdgesrException {
        try (PictureFile picture = PictureFile.open(session.photoFile(), resources)) {
            Photo photo = new Photo(name, picture.width(), picture.height());
            return () -> session.opened(photo);
        }
    }
}
