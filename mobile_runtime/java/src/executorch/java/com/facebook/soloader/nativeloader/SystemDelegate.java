package com.facebook.soloader.nativeloader;

/** Loads native libraries as Java does. */
public final class SystemDelegate implements NativeLoaderDelegate {
    @Override
    public boolean loadLibrary(String name, int flags) {
        System.loadLibrary(name);
        return true;
    }
}
