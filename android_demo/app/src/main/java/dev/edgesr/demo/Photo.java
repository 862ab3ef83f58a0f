package dev.edgesr.demo;

/** What is known of the photo that is open. */
final class Photo {
    /** As the app it came from calls it, without an extension. */
    final String name;

    /** Upright, as {@link #height}. */
    final int width;

    final int height;

    Photo(String name, int width, int height) {
        this.name = name;
        this.width = width;
        this.height = height;
    }
}
