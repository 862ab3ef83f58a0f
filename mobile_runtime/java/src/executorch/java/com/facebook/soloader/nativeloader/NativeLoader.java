package com.facebook.soloader.nativeloader;

/**
 * How ExecuTorch's classes load native libraries; they look for these names. The classes of this package stand in
 * for those of the Maven artifact {@code com.facebook.soloader:nativeloader}.
 */
public final class NativeLoader {
    private static NativeLoaderDelegate delegate;

    private NativeLoader() {}

    public static synchronized boolean isInitialized() {
        return delegate != null;
    }

    public static synchronized void init(NativeLoaderDelegate chosen) {
        delegate = chosen;
    }

    public static boolean loadLibrary(String name) {
        return chosen().loadLibrary(name, 0);
    }

    private static synchronized NativeLoaderDelegate chosen() {
        if (delegate == null) {
            delegate = new SystemDelegate();
        }
        return delegate;
    }
}
