/* The few functions of the Java Native Interface that the bridge calls, by their place in its function table
 * (JNI specification, chapter 4), so that it builds without a JDK or NDK at hand. */
#ifndef EDGESR_JNI_SUBSET_H
#define EDGESR_JNI_SUBSET_H

typedef const void *const *const JniEnv; /* points to the table */
typedef void *JniObject;
typedef int JniInt;
typedef long long JniLong;

#define JNI_EXPORT __attribute__((visibility("default")))
#define JNI_FUNCTION(env, index, type) ((type)(*(env))[index])

static inline JniObject jni_find_class(JniEnv *env, const char *name) {
    return JNI_FUNCTION(env, 6, JniObject (*)(JniEnv *, const char *))(env, name);
}

static inline void jni_throw_new(JniEnv *env, JniObject exception_class, const char *message) {
    JNI_FUNCTION(env, 14, JniInt (*)(JniEnv *, JniObject, const char *))(env, exception_class, message);
}

static inline JniObject jni_new_string(JniEnv *env, const char *text) {
    return JNI_FUNCTION(env, 167, JniObject (*)(JniEnv *, const char *))(env, text);
}

static inline const char *jni_string_chars(JniEnv *env, JniObject string) {
    return JNI_FUNCTION(env, 169, const char *(*)(JniEnv *, JniObject, void *))(env, string, 0);
}

static inline void jni_release_chars(JniEnv *env, JniObject string, const char *chars) {
    JNI_FUNCTION(env, 170, void (*)(JniEnv *, JniObject, const char *))(env, string, chars);
}

static inline void *jni_buffer_address(JniEnv *env, JniObject buffer) {
    return JNI_FUNCTION(env, 230, void *(*)(JniEnv *, JniObject))(env, buffer);
}

/* In elements of the buffer's type. */
static inline JniLong jni_buffer_capacity(JniEnv *env, JniObject buffer) {
    return JNI_FUNCTION(env, 231, JniLong (*)(JniEnv *, JniObject))(env, buffer);
}

#endif
