package dev.edgesr.demo.logic;

/** Names of files that come from elsewhere. */
public final class FileNames {
    /** Ends the names of copies that are not complete. */
    public static final String UNFINISHED = ".unfinished";

    private static final int LONGEST = 100;

    private FileNames() {}

    /** Whether a file in the cache is one that a task was still at when the app was ended. */
    public static boolean isUnfinished(String name) {
        return name.endsWith(UNFINISHED) || name.startsWith(".edgesr") || name.matches("edgesr.*\\.pte");
    }

    /** Without its extension. */
    public static String stem(String name) {
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }

    /** A stem that any file system takes; {@code fallback} where nothing is left. */
    public static String safeStem(String name, String fallback) {
        if (name == null) {
            return fallback;
        }
        String safe = stem(name).replaceAll("[\\p{Cntrl}/\\\\:*?\"<>|]", "_").trim();
        if (safe.length() > LONGEST) {
            safe = safe.substring(0, LONGEST);
        }
        return safe.isEmpty() ? fallback : safe;
    }
}
