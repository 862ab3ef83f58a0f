package com.facebook.jni;

/** Native code to run; made by native code alone. */
public class NativeRunnable implements Runnable {
    private final HybridData mHybridData;

    private NativeRunnable(HybridData hybridData) {
        mHybridData = hybridData;
    }

    @Override
    public native void run();

    @Override
    public String toString() {
        return "native code, " + (mHybridData.isValid() ? "to be run" : "gone");
    }
}
