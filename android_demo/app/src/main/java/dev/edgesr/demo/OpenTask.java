package dev.edgesr.demo;

import android.content.Context;
import android.database.Cursor;
import android.net.Uri;
import android.provider.OpenableColumns;
import dev.edgesr.demo.logic.FileNames;
import dev.edgesr.demo.logic.Worker;
import edgesr.runtime.Cancellation;
import edgesr.runtime.EdgesrException;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Takes a photo over from another app. The one that was open stays until the new one proves readable. */
final class OpenTask implements Worker.Task {
    private static final String NAMELESS = "photo";

    private final Context context;
    private final Uri uri;
    private final Session session;

    OpenTask(Context context, Uri uri, Session session) {
        this.context = context;
        this.uri = uri;
        this.session = session;
    }

    @Override
    public Runnable run(Worker.Report report, Cancellation cancellation) throws EdgesrException {
        File copy = new File(session.photoFile().getPath() + FileNames.UNFINISHED);
        try {
            fetch(copy, cancellation);
            Photo photo = measure(copy);
            takeOver(copy);
            return () -> session.opened(photo);
        } catch (EdgesrException | RuntimeException error) {
            copy.delete();
            throw error;
        }
    }

    private void fetch(File copy, Cancellation cancellation) throws EdgesrException {
        try (InputStream from = context.getContentResolver().openInputStream(uri);
                OutputStream to = new FileOutputStream(copy)) {
            if (from == null) {
                throw new IOException(context.getString(R.string.nothing_given));
            }
            Copying.copy(from, to, cancellation);
        } catch (IOException | SecurityException error) {
            throw new EdgesrException(context.getString(R.string.cannot_fetch, error.getMessage()), error);
        }
    }

    private Photo measure(File copy) throws EdgesrException {
        try (PictureFile picture = PictureFile.open(copy, context.getResources())) {
            return new Photo(name(), picture.width(), picture.height());
        }
    }

    /** An enlargement that is there is one of the old photo, so it goes first. */
    private void takeOver(File copy) throws EdgesrException {
        session.resultFile().delete();
        if (!copy.renameTo(session.photoFile())) {
            throw new EdgesrException(context.getString(R.string.cannot_keep));
        }
    }

    private String name() {
        String[] wanted = {OpenableColumns.DISPLAY_NAME};
        try (Cursor row = context.getContentResolver().query(uri, wanted, null, null, null)) {
            String name = row != null && row.moveToFirst() ? row.getString(0) : null;
            return FileNames.safeStem(name, NAMELESS);
        } catch (RuntimeException unwilling) { // whatever another app's provider throws: only a name is lost
            return NAMELESS;
        }
    }
}
