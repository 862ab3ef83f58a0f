package com.facebook.jni;

/** What native code throws that is no exception of C++'s library. */
public class UnknownCppException extends CppException {
    private static final long serialVersionUID = 1L;

    public UnknownCppException() {
        super("an unknown native exception");
    }

    public UnknownCppException(String message) {
        super(message);
    }
}
