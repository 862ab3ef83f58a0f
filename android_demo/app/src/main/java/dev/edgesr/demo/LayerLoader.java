package dev.edgesr.demo;

import android.content.res.Resources;
import android.graphics.RectF;
import android.os.Handler;
import android.os.Looper;
import edgesr.runtime.EdgesrException;
import java.io.File;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Reads pictures for a {@link CompareView} on a thread of its own. */
final class LayerLoader {
    /** Is told on the screens' thread. */
    interface Listener {
        /** {@code after} is null where there is only one picture, {@code before} too where it cannot be read. */
        void opened(PictureLayer before, PictureLayer after);

        void sharpened();
    }

    private final ExecutorService reader = Executors.newSingleThreadExecutor();
    private final Handler screens = new Handler(Looper.getMainLooper());
    private final Resources resources;
    private final Listener listener;
    private PictureLayer before;
    private PictureLayer after;

    LayerLoader(Resources resources, Listener listener) {
        this.resources = resources;
        this.listener = listener;
    }

    /** {@code afterFile} may be null. */
    void open(File beforeFile, File afterFile) {
        reader.execute(() -> {
            closeLayers();
            before = openLayer(beforeFile);
            after = before == null || afterFile == null ? null : openLayer(afterFile);
            PictureLayer first = before;
            PictureLayer second = after;
            screens.post(() -> listener.opened(first, second));
        });
    }

    private PictureLayer openLayer(File file) {
        try {
            return PictureLayer.open(file, resources);
        } catch (EdgesrException | OutOfMemoryError unreadable) {
            return null; // what cannot be read is not shown; the task that made it has said why
        }
    }

    /** Reads what is seen; {@code scale} is view pixels per pixel of the larger picture. */
    void sharpen(RectF part, float scale) {
        reader.execute(() -> {
            PictureLayer larger = after == null ? before : after;
            if (larger == null) {
                return;
            }
            before.sharpen(part, scale * larger.width() / before.width());
            if (after != null) {
                after.sharpen(part, scale);
            }
            screens.post(listener::sharpened);
        });
    }

    /** Ends the thread. */
    void close() {
        reader.execute(this::closeLayers);
        reader.shutdown();
    }

    private void closeLayers() {
        if (before != null) {
            before.close();
        }
        if (after != null) {
            after.close();
        }
        before = null;
        after = null;
    }
}
