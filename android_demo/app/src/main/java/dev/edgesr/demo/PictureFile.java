package dev.edgesr.demo;

import android.content.res.Resources;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.BitmapRegionDecoder;
import android.graphics.Rect;
import android.media.ExifInterface;
import dev.edgesr.demo.logic.Orientation;
import edgesr.runtime.EdgesrException;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;

/** A picture in a file, read upright and part by part, so that its size costs no memory. */
final class PictureFile implements Closeable {
    /** Formats that cannot be read in parts (GIF, BMP) are read whole, up to so many pixels. */
    private static final long LARGEST_WHOLE = 16_000_000;

    private final BitmapRegionDecoder decoder;
    private final Bitmap whole;
    private final Orientation orientation;
    private final Resources resources;
    private final int width;
    private final int height;
    private final boolean alpha;

    private PictureFile(BitmapRegionDecoder decoder, Bitmap whole, Orientation orientation, Resources resources)
            throws EdgesrException {
        this.decoder = decoder;
        this.whole = whole;
        this.orientation = orientation;
        this.resources = resources;
        int storedWidth = decoder == null ? whole.getWidth() : decoder.getWidth();
        int storedHeight = decoder == null ? whole.getHeight() : decoder.getHeight();
        width = orientation.swapsAxes() ? storedHeight : storedWidth;
        height = orientation.swapsAxes() ? storedWidth : storedHeight;
        alpha = decode(new Rect(0, 0, 1, 1), 1).hasAlpha();
    }

    /** @throws EdgesrException it is no picture, or one that this device cannot read */
    static PictureFile open(File file, Resources resources) throws EdgesrException {
        BitmapRegionDecoder decoder = null;
        try {
            decoder = BitmapRegionDecoder.newInstance(file.getPath(), false);
        } catch (IOException notInParts) {
            // Read whole below.
        }
        Bitmap whole = decoder == null ? readWhole(file, resources) : null;
        return new PictureFile(decoder, whole, orientation(file), resources);
    }

    private static Bitmap readWhole(File file, Resources resources) throws EdgesrException {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inJustDecodeBounds = true;
        BitmapFactory.decodeFile(file.getPath(), options);
        if ((long) options.outWidth * options.outHeight > LARGEST_WHOLE) {
            throw new EdgesrException(resources.getString(R.string.too_large_for_format));
        }
        Bitmap bitmap = BitmapFactory.decodeFile(file.getPath(), rawPixels(1));
        if (bitmap == null) {
            throw new EdgesrException(resources.getString(R.string.no_picture));
        }
        return bitmap;
    }

    private static Orientation orientation(File file) {
        try {
            ExifInterface exif = new ExifInterface(file.getPath());
            return Orientation.of(exif.getAttributeInt(ExifInterface.TAG_ORIENTATION, 1));
        } catch (IOException none) {
            return Orientation.of(1);
        }
    }

    /** Colours are not multiplied by alpha: the network sees them as they are stored. */
    private static BitmapFactory.Options rawPixels(int sampling) {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inPreferredConfig = Bitmap.Config.ARGB_8888;
        options.inPremultiplied = false;
        options.inSampleSize = sampling;
        return options;
    }

    int width() {
        return width;
    }

    int height() {
        return height;
    }

    boolean hasAlpha() {
        return alpha;
    }

    /** Reads rows as {@link edgesr.runtime.PixelSource} says. */
    void readRows(int first, int rows, int[] argb, int offset) throws EdgesrException {
        if (rows == 0) {
            return;
        }
        Bitmap bitmap = decode(stored(new int[] {0, first, width, first + rows}), 1);
        if (orientation.isUpright()) {
            bitmap.getPixels(argb, offset, width, 0, 0, width, rows);
        } else {
            orientation.turn(pixels(bitmap), width, rows, argb, offset);
        }
        bitmap.recycle();
    }

    /**
     * A part to be drawn.
     *
     * @param part left, top, right, bottom
     * @param sampling one pixel stands for so many a side, a power of two
     */
    Bitmap part(int[] part, int sampling) throws EdgesrException {
        Bitmap bitmap = decode(stored(part), sampling);
        int across = orientation.swapsAxes() ? bitmap.getHeight() : bitmap.getWidth();
        int down = orientation.swapsAxes() ? bitmap.getWidth() : bitmap.getHeight();
        int[] upright = new int[across * down];
        orientation.turn(pixels(bitmap), across, down, upright, 0);
        bitmap.recycle();
        return Bitmap.createBitmap(upright, across, down, Bitmap.Config.ARGB_8888);
    }

    private static int[] pixels(Bitmap bitmap) {
        int[] pixels = new int[bitmap.getWidth() * bitmap.getHeight()];
        bitmap.getPixels(pixels, 0, bitmap.getWidth(), 0, 0, bitmap.getWidth(), bitmap.getHeight());
        return pixels;
    }

    private Rect stored(int[] part) {
        int[] edges = orientation.stored(part, width, height);
        return new Rect(edges[0], edges[1], edges[2], edges[3]);
    }

    private Bitmap decode(Rect part, int sampling) throws EdgesrException {
        Bitmap bitmap = decoder != null
                ? decoder.decodeRegion(part, rawPixels(sampling))
                : copyOfWhole(part);
        if (bitmap == null) {
            throw new EdgesrException(resources.getString(R.string.damaged_picture));
        }
        return bitmap;
    }

    /** A copy that may be recycled; {@code createBitmap} may answer the whole bitmap itself. */
    private Bitmap copyOfWhole(Rect part) {
        Bitmap bitmap = Bitmap.createBitmap(whole, part.left, part.top, part.width(), part.height());
        return bitmap == whole ? whole.copy(Bitmap.Config.ARGB_8888, false) : bitmap;
    }

    @Override
    public void close() {
        if (decoder != null) {
            decoder.recycle();
        } else {
            whole.recycle();
        }
    }
}
