package com.facebook.jni;

/** What native code throws. */
public class CppException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CppException(String message) {
        super(message);
    }
}
