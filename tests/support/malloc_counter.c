/* Loaded before the C library (LD_PRELOAD): counts what asks for memory, and hands it on to glibc. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);
extern void *__libc_memalign(size_t alignment, size_t size);

static uint64_t calls;
static int planted;

uint64_t memory_calls(void) { return __atomic_load_n(&calls, __ATOMIC_SEQ_CST); }
static void count(void) { __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST); }

void *malloc(size_t size) { return count(), __libc_malloc(size); }
void *calloc(size_t number, size_t size) { return count(), __libc_calloc(number, size); }
void *realloc(void *memory, size_t size) { return count(), __libc_realloc(memory, size); }
void *memalign(size_t alignment, size_t size) { return count(), __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return count(), __libc_memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *found = memalign(alignment, size);
    if (found) *memory = found;
    return found ? 0 : ENOMEM;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, long offset)
{
    return count(), (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}
void *mmap64(void *address, size_t size, int protection, int flags, int file, long offset)
{
    return mmap(address, size, protection, flags, file, offset);
}

/* A plant: once this was called, whoever sets memory to a value asks for some too, as the engine does in every step. */
void plant(void) { planted = 1; }
void *memset(void *memory, int value, size_t size)
{
    if (planted) __libc_free(malloc(1));
    for (volatile unsigned char *byte = memory; size > 0; size--) *byte++ = (unsigned char)value;
    return memory;
}
