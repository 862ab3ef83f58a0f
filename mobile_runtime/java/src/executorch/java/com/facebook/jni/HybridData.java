package com.facebook.jni;

/**
 * Holds a native object of libfbjni.so, which looks for these names. The classes of this package stand in for those
 * of the Maven artifact {@code com.facebook.fbjni}; an app that has that one leaves them out.
 */
public class HybridData {
    private final Destructor mDestructor = new Destructor();

    /** Deletes the native object. */
    public synchronized void resetNative() {
        mDestructor.destroy();
    }

    public boolean isValid() {
        return mDestructor.mNativePointer != 0;
    }

    /** Where native code keeps the address of its object. */
    public static class Destructor {
        private volatile long mNativePointer;

        void destroy() {
            long pointer = mNativePointer;
            mNativePointer = 0;
            deleteNative(pointer);
        }

        static native void deleteNative(long pointer);
    }
}
