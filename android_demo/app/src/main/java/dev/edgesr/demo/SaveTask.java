package dev.edgesr.demo;

import android.content.ContentResolver;
import android.content.ContentValues;
import android.content.Context;
import android.net.Uri;
import android.os.Build;
import android.provider.MediaStore;
import dev.edgesr.demo.logic.Worker;
import edgesr.runtime.Cancellation;
import edgesr.runtime.EdgesrException;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.CancellationException;

/** Copies the enlargement to where other apps see it. */
final class SaveTask implements Worker.Task {
    private static final int ANDROID_10 = 29;
    private static final String FOLDER = "Pictures/edgesr";
    // Columns that Android 10 brought.
    private static final String RELATIVE_PATH = "relative_path";
    private static final String IS_PENDING = "is_pending";

    private final Context context;
    private final ContentResolver resolver;
    private final File file;
    private final String name;
    private final Uri chosen;

    private SaveTask(Context context, File file, String name, Uri chosen) {
        this.context = context;
        resolver = context.getContentResolver();
        this.file = file;
        this.name = name;
        this.chosen = chosen;
    }

    /** Whether apps may put pictures into the gallery without a permission. */
    static boolean galleryIsOpen() {
        return Build.VERSION.SDK_INT >= ANDROID_10;
    }

    static SaveTask toGallery(Context context, File file, String name) {
        return new SaveTask(context, file, name, null);
    }

    /** To a document that the user has chosen. */
    static SaveTask toDocument(Context context, File file, Uri chosen) {
        return new SaveTask(context, file, null, chosen);
    }

    @Override
    public Runnable run(Worker.Report report, Cancellation cancellation) throws EdgesrException {
        boolean saved = false;
        Uri target = chosen;
        try {
            target = chosen == null ? newPicture() : chosen;
            write(target, cancellation);
            if (chosen == null) {
                publish(target);
            }
            saved = true;
        } catch (CancellationException cancelled) { // one of the states that are caught below, but no failure
            throw cancelled;
        } catch (IOException | IllegalArgumentException | IllegalStateException | SecurityException error) {
            throw new EdgesrException(context.getString(R.string.cannot_save, error.getMessage()), error);
        } finally {
            if (!saved && chosen == null && target != null) {
                resolver.delete(target, null, null);
            }
        }
        return () -> { };
    }

    /** Nobody sees it until it is complete. */
    private Uri newPicture() throws IOException {
        ContentValues values = new ContentValues();
        values.put(MediaStore.MediaColumns.DISPLAY_NAME, name);
        values.put(MediaStore.MediaColumns.MIME_TYPE, "image/png");
        values.put(RELATIVE_PATH, FOLDER);
        values.put(IS_PENDING, 1);
        Uri target = resolver.insert(MediaStore.Images.Media.EXTERNAL_CONTENT_URI, values);
        if (target == null) {
            throw new IOException(context.getString(R.string.gallery_refuses));
        }
        return target;
    }

    private void publish(Uri target) {
        ContentValues values = new ContentValues();
        values.put(IS_PENDING, 0);
        resolver.update(target, values, null, null);
    }

    private void write(Uri target, Cancellation cancellation) throws IOException {
        // "rwt": an older, longer file that the user chose to replace must leave nothing behind.
        try (InputStream from = new FileInputStream(file);
                OutputStream to = resolver.openOutputStream(target, chosen == null ? "w" : "rwt")) {
            if (to == null) {
                throw new IOException(context.getString(R.string.place_refuses));
            }
            Copying.copy(from, to, cancellation);
        }
    }
}
