package com.facebook.jni;

/** Lets native code run functions of its own under Java's class loader. */
public class ThreadScopeSupport {
    private ThreadScopeSupport() {}

    /** Called by native code. */
    static void runStdFunction(long pointer) {
        runStdFunctionImpl(pointer);
    }

    private static native void runStdFunctionImpl(long pointer);
}
