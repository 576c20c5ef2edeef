/* exp, expm1, log, log1p and tanh for a register of lanes: our own, so that every build gives the same bits.
 *
 * Arguments of exp and log are reduced in the usual way (x = n ln 2 + r; x = m 2^e); the polynomials are Chebyshev fits,
 * tanh's quotient a reweighted least-squares fit, computed to 50 digits. docs/design.md states their errors, which tests
 * hold against mpmath. exp is 0 where its value would be subnormal. NaN passes through all of them. */
#ifndef NEURALNET_MATHEMATICS_H
#define NEURALNET_MATHEMATICS_H

#include "lanes.h"

#if REAL_BITS == 64
enum { MANTISSA_BITS = 52, EXPONENT_BIAS = 1023 };
#define ROUND_BY_ADDING 0x1.8p52
#define LN2_HIGH 0x1.62e42fefa3000p-1
#define LN2_LOW 0x1.3de6af278ece6p-42
#define EXP_LOWEST -708.39
#define EXP_HIGHEST 709.782712893384
#define EXPM1_LOWEST -50.0
#define TANH_HIGHEST 19.1
#define SQRT_HALF_BITS 0x3FE6A09E667F3BCD
/* (exp(r) - 1 - r) / r^2 on |r| <= ln 2 / 2, and (atanh(s) / s - 1) / s^2 in s^2 <= 0.0295; highest power first.
 * x NUMERATOR(x^2) / DENOMINATOR(x^2) is about tanh(x / 2); of all multiples of both these make the least of roundings.
 * From TANH_HIGHEST on tanh is 1. Not much beyond it (9.9; 19.16) roundings could take the quotient beyond 1. */
#define EXP_TERMS                                                                                            \
    {2.51005692758136826e-8, 2.76203274282682382e-7, 2.75572680728900983e-6, 2.48015207925726928e-5,         \
     1.98412698693032233e-4, 1.38888889175382958e-3, 8.33333333333001176e-3, 4.16666666666234768e-2,         \
     0.166666666666666675, 0.5}
#define LOG_TERMS                                                                                            \
    {0.0654472186813487074, 0.0663425172389618265, 0.076931248915726066, 0.0909089772730977394,              \
     0.111111111967258775, 0.142857142853979693, 0.200000000000004448, 0.333333333333333332}
#define TANH_NUMERATOR                                                                                       \
    {1.920875949753247e-17, 3.7803538347969168e-13, 1.0464867269498198e-9, 9.1044430987682395e-7,            \
     2.9579986005912382e-4, 0.033752738029973653, 0.925}
#define TANH_DENOMINATOR                                                                                     \
    {3.8807269630066029e-15, 2.3543194070305873e-11, 3.5060140678723824e-8, 1.8540508334689933e-5,           \
     3.6476116140027786e-3, 0.22167214272661395, 1.85}
enum { EXP_COUNT = 10, LOG_COUNT = 8, NUMERATOR_COUNT = 7, DENOMINATOR_COUNT = 7 };
#else
enum { MANTISSA_BITS = 23, EXPONENT_BIAS = 127 };
#define ROUND_BY_ADDING 0x1.8p23f
#define LN2_HIGH 0x1.62ep-1f
#define LN2_LOW 0x1.0bfbe8p-15f
#define EXP_LOWEST -87.33f
#define EXP_HIGHEST 88.72283f
#define EXPM1_LOWEST -25.0f
#define TANH_HIGHEST 9.0f
#define SQRT_HALF_BITS 0x3F3504F3
#define EXP_TERMS {1.392632562e-3f, 8.363292753e-3f, 4.166655376e-2f, 0.1666657631f, 0.5f}
#define LOG_TERMS {0.1479101126f, 0.1999436742f, 0.3333334258f}
#define TANH_NUMERATOR {1.02856407e-4f, 0.026797723f, 0.9f}
#define TANH_DENOMINATOR {2.21290543e-6f, 2.17206054e-3f, 0.2035954f, 1.8f}
enum { EXP_COUNT = 5, LOG_COUNT = 3, NUMERATOR_COUNT = 3, DENOMINATOR_COUNT = 4 };
#endif

/* x = n ln 2 + r: leaves r, and n + bias in the low bits of shifted (n + 1.5 2^MANTISSA_BITS rounds to an integer). */
INLINE void reduce_by_ln2_each(vec *x, vec *shifted, real bias, const int N)
{
    vec n[TOGETHER], rounding = splat(ROUND_BY_ADDING + bias);
    EACH shifted[i] = vfma(x[i], splat((real)1.4426950408889634), rounding);
    EACH n[i] = shifted[i] - rounding;
    EACH x[i] = vfma(n[i], splat(-LN2_HIGH), x[i]);
    EACH x[i] = vfma(n[i], splat(-LN2_LOW), x[i]);
}

/* exp(r) - 1, before the last rounding, for |r| <= ln 2 / 2. */
INLINE void exp_tail_each(vec *r, const int N)
{
    const real terms[EXP_COUNT] = EXP_TERMS;
    vec sum[TOGETHER];
    EACH sum[i] = splat(terms[0]);
    for (int k = 1; k < EXP_COUNT; k++) EACH sum[i] = vfma(sum[i], r[i], splat(terms[k]));
    EACH sum[i] = sum[i] * (r[i] * r[i]);
    EACH r[i] = sum[i] + r[i];
}

INLINE void exp_each(vec *x, const int N)
{
    vec r[TOGETHER], shifted[TOGETHER];
    EACH r[i] = x[i];
    reduce_by_ln2_each(r, shifted, 0, N);
    exp_tail_each(r, N);
    EACH r[i] = r[i] + splat(1);
    EACH r[i] = (vec)((uvec)r[i] + ((uvec)shifted[i] << MANTISSA_BITS));
    EACH r[i] = choose_gt(x[i], splat(EXP_HIGHEST), splat((real)__builtin_inf()), r[i]);
    EACH r[i] = choose_lt(x[i], splat(EXP_LOWEST), splat(0), r[i]);
    EACH x[i] = choose_eq(x[i], x[i], r[i], x[i]);
}

/* exp(x) - 1 for x <= 0. */
INLINE void expm1_negative_each(vec *x, const int N)
{
    vec power[TOGETHER];
    EACH x[i] = at_least(splat(EXPM1_LOWEST), x[i]);
    reduce_by_ln2_each(x, power, EXPONENT_BIAS, N);
    exp_tail_each(x, N);
    EACH power[i] = (vec)((uvec)power[i] << MANTISSA_BITS);
    EACH x[i] = vfma(power[i], x[i], power[i] - splat(1));
}

/* tanh(x) = 2 n d / (d^2 + n^2) with n / d = tanh(x / 2): of an error in that quotient only 1 / cosh(x) is left, so
 * that few terms do. */
INLINE void tanh_each(vec *x, const int N)
{
    const real numerator[NUMERATOR_COUNT] = TANH_NUMERATOR, denominator[DENOMINATOR_COUNT] = TANH_DENOMINATOR;
    vec square[TOGETHER], n[TOGETHER], d[TOGETHER];
    EACH x[i] = at_most(splat(TANH_HIGHEST), at_least(splat(-TANH_HIGHEST), x[i]));
    EACH square[i] = x[i] * x[i];
    EACH n[i] = splat(numerator[0]);
    EACH d[i] = splat(denominator[0]);
    for (int k = 1; k < NUMERATOR_COUNT; k++) EACH n[i] = vfma(n[i], square[i], splat(numerator[k]));
    for (int k = 1; k < DENOMINATOR_COUNT; k++) EACH d[i] = vfma(d[i], square[i], splat(denominator[k]));
    EACH n[i] = n[i] * x[i];
    EACH square[i] = vfma(d[i], d[i], n[i] * n[i]);
    EACH x[i] = n[i] * (d[i] + d[i]) / square[i];
}

INLINE void sigmoid_each(vec *x, const int N)
{
    EACH x[i] = -x[i];
    exp_each(x, N);
    EACH x[i] = splat(1) / (splat(1) + x[i]);
}

INLINE vec vexp(vec x)
{
    exp_each(&x, 1);
    return x;
}

/* log(x) for normal x > 0. */
INLINE vec vlog(vec x)
{
    const real terms[LOG_COUNT] = LOG_TERMS;
    ivec e = (ivec)((uvec)x - SQRT_HALF_BITS) >> MANTISSA_BITS;
    vec f = (vec)((uvec)x - ((uvec)e << MANTISSA_BITS)) - splat(1);
    vec s = f / (f + splat(2)), z = s * s, sum = splat(terms[0]);
    for (int k = 1; k < LOG_COUNT; k++) sum = vfma(sum, z, splat(terms[k]));
    vec n = __builtin_convertvector(e, vec), twice = s + s;
    vec value = vfma(n, splat(LN2_HIGH), vfma(twice, sum * z, vfma(n, splat(LN2_LOW), twice)));
    return choose_lt(x, splat((real)__builtin_inf()), value, x);
}

/* log(1 + x) for x in [0, 1]: log of the rounded 1 + x, and what the rounding lost; and 1 / (1 + x). */
INLINE vec vlog1p(vec x, vec *reciprocal)
{
    vec u = x + splat(1);
    *reciprocal = splat(1) / u;
    return vfma(x - (u - splat(1)), *reciprocal, vlog(u));
}

/* log(1 + exp(x)) without overflow: max(x, 0) + log1p(e) with e = exp(-|x|); and its slope 1 / (1 + exp(-x)). */
INLINE vec softplus_from(vec e, vec x, vec *sigmoid)
{
    vec r, tail = vlog1p(e, &r);
    *sigmoid = choose_lt(x, splat(0), e * r, r);
    return choose_le(x, splat(0), splat(0), x) + tail;
}

#endif
