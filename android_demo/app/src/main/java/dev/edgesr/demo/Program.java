package dev.edgesr.demo;

import android.content.Context;
import android.content.res.AssetManager;
import dev.edgesr.demo.logic.FileNames;
import edgesr.runtime.EdgesrException;
import edgesr.runtime.ProgramFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A program that the app brings along. */
final class Program {
    private static final String FOLDER = "programs";

    /** The file's name, without its extension. */
    final String name;

    final ProgramFile file;

    private Program(String name, ProgramFile file) {
        this.name = name;
        this.file = file;
    }

    /** All of them, by name. */
    static List<Program> all(Context context) throws EdgesrException {
        List<Program> programs = new ArrayList<>();
        try {
            String[] files = context.getAssets().list(FOLDER);
            Arrays.sort(files);
            for (String file : files) {
                byte[] bytes = bytes(context.getAssets(), FOLDER + "/" + file);
                programs.add(new Program(FileNames.stem(file), ProgramFile.read(bytes, file)));
            }
        } catch (IOException error) {
            throw new EdgesrException(context.getString(R.string.damaged_app), error);
        }
        return programs;
    }

    private static byte[] bytes(AssetManager assets, String path) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try (InputStream from = assets.open(path)) {
            byte[] piece = new byte[1 << 16];
            for (int read = from.read(piece); read >= 0; read = from.read(piece)) {
                all.write(piece, 0, read);
            }
        }
        return all.toByteArray();
    }
}
