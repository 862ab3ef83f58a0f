/* Stands in for Android's libc.so when the bridge is linked: only the names count, nothing of it is shipped. */
#define STAND_IN(name) __attribute__((visibility("default"))) void name(void) {}

STAND_IN(calloc)
STAND_IN(free)
STAND_IN(posix_memalign)
STAND_IN(snprintf)
STAND_IN(vsnprintf)
