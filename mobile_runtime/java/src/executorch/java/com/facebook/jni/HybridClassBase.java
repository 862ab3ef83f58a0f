package com.facebook.jni;

/** A native object that is its own holder. */
public abstract class HybridClassBase extends HybridData {}
