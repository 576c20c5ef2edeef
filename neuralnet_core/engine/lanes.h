/* One vector register holds one scalar of LANES networks: its type and its exact arithmetic.
 *
 * The build sets REAL_BITS (32 or 64) and VECTOR_BYTES (32, or 64 where registers are that wide). Every
 * multiply-add is written out (-ffp-contract=off), so the source decides the bits, not the compiler. */
#ifndef NEURALNET_LANES_H
#define NEURALNET_LANES_H

#include <stdint.h>
#include <string.h>

#include "control.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if REAL_BITS == 64
typedef double real;
typedef int64_t integer;
typedef uint64_t natural;
#else
typedef float real;
typedef int32_t integer;
typedef uint32_t natural;
#endif

enum { LANES = VECTOR_BYTES * 8 / REAL_BITS };

typedef real vec __attribute__((vector_size(VECTOR_BYTES)));
typedef integer ivec __attribute__((vector_size(VECTOR_BYTES)));
typedef natural uvec __attribute__((vector_size(VECTOR_BYTES)));

#define INLINE static inline __attribute__((always_inline))

INLINE vec splat(real x) { return x - (vec){0}; }

/* Where a vec is a register of x86-64: what its instructions are called, and whether it is one of AVX-512, which has 32
 * of them and compares into masks of bits. */
#if VECTOR_BYTES == 64
#define OF_SIZE(name) _mm512_##name
#else
#define OF_SIZE(name) _mm256_##name
#endif
#if REAL_BITS == 32
#define INTRINSIC(name) OF_SIZE(name##_ps)
#define COMPARE_TO_MASK OF_SIZE(cmp_ps_mask)
#else
#define INTRINSIC(name) OF_SIZE(name##_pd)
#define COMPARE_TO_MASK OF_SIZE(cmp_pd_mask)
#endif
#if defined(__AVX512VL__)
#define X86_REGISTER 1
#define MANY_REGISTERS 1
#else
#define MANY_REGISTERS 0
#if defined(__AVX2__) && VECTOR_BYTES == 32
#define X86_REGISTER 1
#else
#define X86_REGISTER 0
#endif
#endif

#if defined(__FMA__) || defined(__aarch64__)
#define HARDWARE_FMA 1
#else
#define HARDWARE_FMA 0
#endif

/* What ends in _each takes N registers, at most TOGETHER, and does each step for all of them before the next: a
 * processor sees so many instructions ahead only, and those of one register wait for each other. Where a multiply-add
 * is a call of the C library, that would only be more code. */
#if HARDWARE_FMA
enum { TOGETHER = 4 };
#define UNROLL _Pragma("GCC unroll 8")
#define UNROLL_TWICE _Pragma("GCC unroll 2")
#else
enum { TOGETHER = 1 };
#define UNROLL
#define UNROLL_TWICE
#endif
#define EACH UNROLL for (int i = 0; i < N; i++)

INLINE vec vfma(vec a, vec b, vec c)
{
#if X86_REGISTER
    return INTRINSIC(fmadd)(a, b, c);
#elif defined(__aarch64__)
    /* By the processor's own registers of 16 bytes: left to itself gcc takes the lanes one by one. */
#if REAL_BITS == 32
    union { vec whole; float32x4_t part[VECTOR_BYTES / 16]; } x = {a}, y = {b}, sum = {c};
    for (int k = 0; k < VECTOR_BYTES / 16; k++) sum.part[k] = vfmaq_f32(sum.part[k], x.part[k], y.part[k]);
#else
    union { vec whole; float64x2_t part[VECTOR_BYTES / 16]; } x = {a}, y = {b}, sum = {c};
    for (int k = 0; k < VECTOR_BYTES / 16; k++) sum.part[k] = vfmaq_f64(sum.part[k], x.part[k], y.part[k]);
#endif
    return sum.whole;
#else
    vec r;
    for (int lane = 0; lane < LANES; lane++)
        r[lane] = REAL_BITS == 64 ? __builtin_fma(a[lane], b[lane], c[lane])
                                  : __builtin_fmaf(a[lane], b[lane], c[lane]);
    return r;
#endif
}

INLINE real rfma(real a, real b, real c)
{
    return REAL_BITS == 64 ? (real)__builtin_fma(a, b, c) : (real)__builtin_fmaf((float)a, (float)b, (float)c);
}

INLINE vec vsqrt(vec x)
{
    vec r;
    for (int lane = 0; lane < LANES; lane++)
        r[lane] = REAL_BITS == 64 ? __builtin_sqrt(x[lane]) : __builtin_sqrtf(x[lane]);
    return r;
}

/* Compare and select: the branch of the textbook, per lane. Comparisons with NaN are false. */
INLINE vec choose(ivec mask, vec yes, vec no) { return (vec)((mask & (ivec)yes) | (~mask & (ivec)no)); }

/* Where comparisons give a mask of bits or blending is one instruction, say so: compilers do not. */
#if MANY_REGISTERS
#define CHOOSE(NAME, OPERATOR, PREDICATE) \
    INLINE vec NAME(vec a, vec b, vec yes, vec no) \
    { return INTRINSIC(mask_blend)(COMPARE_TO_MASK(a, b, PREDICATE), no, yes); }
#elif X86_REGISTER
#define CHOOSE(NAME, OPERATOR, PREDICATE) \
    INLINE vec NAME(vec a, vec b, vec yes, vec no) \
    { return INTRINSIC(blendv)(no, yes, INTRINSIC(cmp)(a, b, PREDICATE)); }
#else
#define CHOOSE(NAME, OPERATOR, PREDICATE) \
    INLINE vec NAME(vec a, vec b, vec yes, vec no) { return choose(a OPERATOR b, yes, no); }
#endif

CHOOSE(choose_gt, >, _CMP_GT_OQ)
CHOOSE(choose_lt, <, _CMP_LT_OQ)
CHOOSE(choose_le, <=, _CMP_LE_OQ)
CHOOSE(choose_eq, ==, _CMP_EQ_OQ)

/* x, but +0 where the comparison holds: an instruction less than a blend with 0, which compilers make of the mask's signs. */
#if X86_REGISTER && !MANY_REGISTERS
#define ZERO_WHERE(NAME, CHOOSE, PREDICATE) \
    INLINE vec NAME(vec a, vec b, vec x) { return INTRINSIC(andnot)(INTRINSIC(cmp)(a, b, PREDICATE), x); }
#else
#define ZERO_WHERE(NAME, CHOOSE, PREDICATE) \
    INLINE vec NAME(vec a, vec b, vec x) { return CHOOSE(a, b, splat(0), x); }
#endif

ZERO_WHERE(zero_where_lt, choose_lt, _CMP_LT_OQ)
ZERO_WHERE(zero_where_le, choose_le, _CMP_LE_OQ)

/* The larger or the smaller of the two; x where x is NaN. */
#if X86_REGISTER
#define BOUND(NAME, OPERATOR, WHICH) INLINE vec NAME(vec bound, vec x) { return INTRINSIC(WHICH)(bound, x); }
#else
#define BOUND(NAME, OPERATOR, WHICH) \
    INLINE vec NAME(vec bound, vec x) { return choose(bound OPERATOR x, bound, x); }
#endif

BOUND(at_least, >, max)
BOUND(at_most, <, min)

INLINE vec vabs(vec x) { return (vec)((uvec)x & (((uvec){0} - 1) >> 1)); }
INLINE vec sign_of(vec x) { return choose_gt(x, splat(0), splat(1), choose_lt(x, splat(0), splat(-1), splat(0))); }
static const real LARGEST = REAL_BITS == 64 ? (real)0x1.fffffffffffffp1023 : (real)0x1.fffffep127;

/* x rounded, but never to infinity: what padding is multiplied by must leave it 0. */
static inline real within_reach(double x)
{
    return x > LARGEST ? LARGEST : x < -LARGEST ? -LARGEST : (real)x;
}

static const real SMALLEST_NORMAL = REAL_BITS == 64 ? (real)0x1p-1022 : (real)0x1p-126;
static const real SMALLEST_SQUARED = REAL_BITS == 64 ? (real)0x1p-500 : (real)0x1p-55; /* its square is far from subnormal */

/* Subnormal optimizer state is stored as +0: it would slow every later step and changes no result worth having. */
INLINE vec without_subnormals(vec x)
{
    return zero_where_lt(vabs(x), splat(SMALLEST_NORMAL), x);
}

/* x, but +0 where its square, or a product with some weight, would be subnormal and slow. */
INLINE vec squarable(vec x) { return zero_where_lt(vabs(x), splat(SMALLEST_SQUARED), x); }

INLINE vec load_lanes(const real *p)
{
    vec r;
    memcpy(&r, p, sizeof r);
    return r;
}

INLINE real lane_of(vec x, int lane) { return x[lane]; }
INLINE void set_lane(vec *x, int lane, real value) { ((real *)x)[lane] = value; }
INLINE vec negative(vec x) { return -x; }

#endif
