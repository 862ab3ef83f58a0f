/* What Android's libraries expect of bionic, Android's C library, and glibc lacks or lays out otherwise.
 *
 * Built as `libc.so`, the name that those libraries ask for. It makes test copies of them run on plain Linux;
 * nothing of it is on a phone. Names with a digit in place of a letter (see bionic.py) stand for functions
 * that glibc has too, but with other constants or other structures: the copies ask for these instead.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- names that glibc lacks ------------------------------------------------------------------------- */

int *__errno(void) { return &errno; }

size_t __strlen_chk(const char *text, size_t size) { return strlen(text); }
char *__strchr_chk(const char *text, int c, size_t size) { return strchr(text, c); }
char *__strrchr_chk(const char *text, int c, size_t size) { return strrchr(text, c); }
ssize_t __write_chk(int file, const void *data, size_t count, size_t size) { return write(file, data, count); }
char *__gnu_strerror_r(int error, char *text, size_t size) { return strerror_r(error, text, size); }

int __system_property_get(const char *name, char *value) {
    value[0] = 0; /* no property is set */
    return 0;
}

void android_set_abort_message(const char *message) { fprintf(stderr, "abort: %s\n", message); }

void __assert2(const char *file, int line, const char *function, const char *message) {
    fprintf(stderr, "%s:%d %s: %s\n", file, line, function, message);
    abort();
}

/* --- Android's log, to stderr unless SHIM_QUIET is set ----------------------------------------------- */

int __android_log_vprint(int priority, const char *tag, const char *format, va_list values) {
    if (!getenv("SHIM_QUIET")) {
        fprintf(stderr, "[%s] ", tag);
        vfprintf(stderr, format, values);
        fputc('\n', stderr);
    }
    return 1;
}

int __android_log_print(int priority, const char *tag, const char *format, ...) {
    va_list values;
    va_start(values, format);
    __android_log_vprint(priority, tag, format, values);
    va_end(values);
    return 1;
}

int __android_log_write(int priority, const char *tag, const char *message) {
    return __android_log_print(priority, tag, "%s", message);
}

void __android_log_assert(const char *condition, const char *tag, const char *format, ...) {
    va_list values;
    va_start(values, format);
    fprintf(stderr, "assertion [%s] ", tag);
    if (format) vfprintf(stderr, format, values);
    abort();
}

/* --- the same names with other constants or structures ------------------------------------------------ */

long sysc0nf(int name) {
    switch (name) { /* bionic's numbers */
        case 0x27: /* page size, by either of its two names */
        case 0x28: return 4096;
        case 0x60: return sysconf(_SC_NPROCESSORS_CONF);
        case 0x61: return sysconf(_SC_NPROCESSORS_ONLN);
        case 0x62: return sysconf(_SC_PHYS_PAGES);
        default: return -1;
    }
}

/* bionic's mutex has 40 bytes; glibc's initialization would write 48 on Arm. */
int pthread_mutex_1nit(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
    pthread_mutex_t whole;
    int result = pthread_mutex_init(&whole, attributes);
    memcpy(mutex, &whole, 40);
    return result;
}

/* XNNPACK's AVX-512 kernels read their parameters with instructions that need 64-byte alignment, but the
 * Android build asks for less: no phone has AVX-512. This machine may. */
enum { WIDEST = 64 };

void *memal1gn(size_t alignment, size_t size) { return memalign(alignment < WIDEST ? WIDEST : alignment, size); }

int posix_memal1gn(void **result, size_t alignment, size_t size) {
    return posix_memalign(result, alignment < WIDEST ? WIDEST : alignment, size);
}

/* bionic's signal sets have 8 bytes. */
int sigf1llset(unsigned long *set) {
    *set = ~0UL;
    return 0;
}

int pthread_s1gmask(int how, const unsigned long *set, unsigned long *old) {
    return syscall(SYS_rt_sigprocmask, how, set, old, 8) ? errno : 0;
}

/* Older libraries take stdin, stdout and stderr from this array of three structures of 152 bytes. */
char __sF[3 * 152];

static FILE *stream_of(void *file) {
    long offset = (char *)file - __sF;
    if (offset < 0 || offset >= (long)sizeof __sF) return file;
    return offset < 152 ? stdin : offset < 304 ? stdout : stderr;
}

int ffl0sh(void *file) { return fflush(file ? stream_of(file) : NULL); }
int vfpr1ntf(void *file, const char *format, va_list values) { return vfprintf(stream_of(file), format, values); }

int fpr1ntf(void *file, const char *format, ...) {
    va_list values;
    va_start(values, format);
    int result = vfprintf(stream_of(file), format, values);
    va_end(values);
    return result;
}

int fp0tc(int c, void *file) { return fputc(c, stream_of(file)); }
int fp0ts(const char *text, void *file) { return fputs(text, stream_of(file)); }

size_t fwr1te(const void *data, size_t size, size_t count, void *file) {
    return fwrite(data, size, count, stream_of(file));
}

/* Linkers store "write" as the tail of "fwrite", so that renaming one renames the other. */
ssize_t wr1te(int file, const void *data, size_t count) { return write(file, data, count); }
