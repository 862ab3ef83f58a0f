package dev.edgesr.demo;

import dev.edgesr.demo.logic.Figures;
import dev.edgesr.demo.logic.FileNames;
import java.io.File;
import java.util.Collections;
import java.util.List;

/**
 * The photo that is worked on, its enlargement and what that cost. Files lie in the app's cache: a photo is
 * copied there once, so that it can be read in strips whatever app it comes from. On the screens' thread only.
 */
final class Session {
    private final File folder;
    private Photo photo;
    private Figures figures;
    private List<BenchRow> bench = Collections.emptyList();

    Session(File folder) {
        this.folder = folder;
    }

    /** Removes what tasks left behind when the app was ended in their midst; for an app that begins. */
    void removeUnfinished() {
        String[] names = folder.list();
        for (String name : names == null ? new String[0] : names) {
            if (FileNames.isUnfinished(name)) {
                new File(folder, name).delete();
            }
        }
    }

    /** The app's cache. */
    File folder() {
        return folder;
    }

    File photoFile() {
        return new File(folder, "photo");
    }

    /** Where the enlargement is; only there when it is whole. */
    File resultFile() {
        return new File(folder, "enlarged.png");
    }

    /** Null where none is open. */
    Photo photo() {
        return photo;
    }

    boolean hasResult() {
        return photo != null && resultFile().exists();
    }

    /** Of the enlargement; null where there is none, or it is from an earlier life of the app. */
    Figures figures() {
        return figures;
    }

    void opened(Photo opened) {
        photo = opened;
        figures = null;
    }

    void enlarged(Figures cost) {
        figures = cost;
    }

    List<BenchRow> bench() {
        return bench;
    }

    void compared(List<BenchRow> rows) {
        bench = Collections.unmodifiableList(rows);
    }
}
