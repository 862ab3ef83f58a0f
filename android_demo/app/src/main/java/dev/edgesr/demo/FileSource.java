package dev.edgesr.demo;

import edgesr.runtime.EdgesrException;
import edgesr.runtime.PixelSource;

/** The open photo, as the runtime reads it: strip by strip. */
final class FileSource implements PixelSource {
    private final PictureFile file;

    FileSource(PictureFile file) {
        this.file = file;
    }

    @Override
    public int width() {
        return file.width();
    }

    @Override
    public int height() {
        return file.height();
    }

    @Override
    public boolean hasAlpha() {
        return file.hasAlpha();
    }

    @Override
    public void readRows(int firstRow, int rows, int[] argb, int offset) throws EdgesrException {
        file.readRows(firstRow, rows, argb, offset);
    }
}
