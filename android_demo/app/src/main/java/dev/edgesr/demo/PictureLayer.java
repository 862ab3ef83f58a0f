package dev.edgesr.demo;

import android.content.res.Resources;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.RectF;
import dev.edgesr.demo.logic.Viewport;
import edgesr.runtime.EdgesrException;
import java.io.File;

/**
 * One of the two pictures that are compared: a coarse view of all of it, and a sharp one of what is seen.
 * Parts are given in shares of the picture, 0..1, so that both layers speak of the same place.
 */
final class PictureLayer {
    private static final int COARSE_SIDE = 1024;

    private final PictureFile file;
    private final Bitmap coarse;
    private final int coarseSampling;
    private final Paint paint = new Paint(Paint.FILTER_BITMAP_FLAG);
    private volatile Sharp sharp;

    /** A part of the picture, ready to be drawn. */
    private static final class Sharp {
        final Bitmap bitmap;
        final RectF part;

        Sharp(Bitmap bitmap, RectF part) {
            this.bitmap = bitmap;
            this.part = part;
        }
    }

    private PictureLayer(PictureFile file) throws EdgesrException {
        this.file = file;
        int sampling = 1;
        while (Math.max(file.width(), file.height()) / sampling > COARSE_SIDE) {
            sampling *= 2;
        }
        coarseSampling = sampling;
        coarse = file.part(new int[] {0, 0, file.width(), file.height()}, sampling);
    }

    /** Reads the coarse view; takes as long as reading the whole file. */
    static PictureLayer open(File file, Resources resources) throws EdgesrException {
        PictureFile picture = PictureFile.open(file, resources);
        try {
            return new PictureLayer(picture);
        } catch (EdgesrException | OutOfMemoryError error) {
            picture.close();
            throw error;
        }
    }

    int width() {
        return file.width();
    }

    int height() {
        return file.height();
    }

    /**
     * Reads a sharp view, if the coarse one is not sharp enough. Not on the screens' thread.
     *
     * @param scale view pixels per pixel of this picture
     */
    void sharpen(RectF part, float scale) {
        int sampling = Viewport.sampling(scale);
        if (sampling >= coarseSampling) {
            sharp = null;
            return;
        }
        int[] pixels = {
            (int) Math.floor(part.left * width()), (int) Math.floor(part.top * height()),
            Math.min(width(), (int) Math.ceil(part.right * width())),
            Math.min(height(), (int) Math.ceil(part.bottom * height())),
        };
        try {
            RectF exact = new RectF(
                    (float) pixels[0] / width(), (float) pixels[1] / height(),
                    (float) pixels[2] / width(), (float) pixels[3] / height());
            sharp = new Sharp(file.part(pixels, sampling), exact);
        } catch (EdgesrException | OutOfMemoryError error) {
            sharp = null; // the coarse view stays
        }
    }

    /** Draws it; {@code whole} is where the whole picture would be. */
    void draw(Canvas canvas, RectF whole) {
        canvas.drawBitmap(coarse, null, whole, paint);
        Sharp now = sharp;
        if (now != null) {
            canvas.drawBitmap(now.bitmap, null, place(now.part, whole), paint);
        }
    }

    private static RectF place(RectF part, RectF whole) {
        return new RectF(
                whole.left + part.left * whole.width(), whole.top + part.top * whole.height(),
                whole.left + part.right * whole.width(), whole.top + part.bottom * whole.height());
    }

    void close() {
        file.close();
    }
}
