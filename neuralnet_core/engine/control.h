/* The floating-point control register of the calling thread. */
#ifndef NEURALNET_CONTROL_H
#define NEURALNET_CONTROL_H

#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* A library built with -Ofast turns flush-to-zero on for a whole thread, so
 * every entry sets the state that the contract wants and gives back what it found. */
#if defined(__x86_64__)
typedef uint32_t control_word;
static inline control_word enter_contract(void)
{
    control_word found = _mm_getcsr();
    _mm_setcsr(0x1F80); /* round to nearest, no flush-to-zero, exceptions masked */
    return found;
}
static inline void leave_contract(control_word found) { _mm_setcsr(found); }
#elif defined(__aarch64__)
typedef uint64_t control_word;
static inline control_word enter_contract(void)
{
    control_word found;
    __asm__ volatile("mrs %0, fpcr" : "=r"(found));
    __asm__ volatile("msr fpcr, %0" ::"r"((control_word)0));
    return found;
}
static inline void leave_contract(control_word found) { __asm__ volatile("msr fpcr, %0" ::"r"(found)); }
#else
#error "the engine knows x86-64 and aarch64"
#endif

#endif
