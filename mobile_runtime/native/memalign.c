/* An alignment that TensorFlow Lite 2.14 for x86-64 gets wrong.
 *
 * XNNPACK in it asks for memory aligned to 32 bytes, and on CPUs with AVX-512 reads it by instructions that end
 * the process unless it is aligned to 64: about every second program crashes in an emulator on such a machine.
 * Android's linker looks for a library's functions in the libraries loaded with it, in order, and this one stands
 * before libc: `memalign` is this function, as long as libedgesr_jni.so is what loads TensorFlow Lite. Phones do
 * not need it. */
#include "libc_subset.h"

#define AVX512_ALIGNMENT 64

#ifdef __x86_64__
__attribute__((visibility("default"))) void *memalign(size_t alignment, size_t size) {
    void *memory = 0;
    size_t enough = alignment < AVX512_ALIGNMENT ? AVX512_ALIGNMENT : alignment;
    return posix_memalign(&memory, enough, size) ? 0 : memory;
}
#endif
