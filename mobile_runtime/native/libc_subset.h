/* The few functions of the C library that the bridge calls; all of them are in Android's since API 21. */
#ifndef EDGESR_LIBC_SUBSET_H
#define EDGESR_LIBC_SUBSET_H

#include <stdarg.h>
#include <stddef.h>

extern void *calloc(size_t count, size_t size);
extern void free(void *memory);
extern int posix_memalign(void **memory, size_t alignment, size_t size);
extern int snprintf(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
extern int vsnprintf(char *text, size_t size, const char *format, va_list args);

#endif
