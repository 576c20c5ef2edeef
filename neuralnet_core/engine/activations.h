/* The compiled twins of activations.py: a register of weighted sums becomes activations; deltas times slopes. */
#ifndef NEURALNET_ACTIVATIONS_H
#define NEURALNET_ACTIVATIONS_H

#include "mathematics.h"

/* The codes of activations.py. */
enum { IDENTITY, RELU, LEAKY_RELU, ELU, SELU, GELU, SILU, TANH, SIGMOID, SOFTPLUS, SOFTSIGN };

static const real SELU_SCALE = (real)1.0507009873554805, SELU_ALPHA = (real)1.7580993408473766;

/* What costs so little that it is done as the sums leave their registers. */
INLINE int is_cheap(int activation) { return activation <= LEAKY_RELU; }

/* Whether the derivative is stored in the forward pass; the others give it from the activation alone. */
INLINE int keeps_slope(int activation)
{
    return activation == GELU || activation == SILU || activation == SOFTPLUS || activation == SOFTSIGN;
}

INLINE vec cheap_activation(int activation, vec z)
{
    if (activation == RELU) return choose_le(z, splat(0), splat(0), z);
    if (activation == LEAKY_RELU) return choose_le(z, splat(0), z * splat((real)0.01), z);
    return z;
}

/* The tanh form: z (1 + tanh u) / 2 with u = sqrt(2 / pi) (z + 0.044715 z^3). */
INLINE vec gelu(vec x, vec *slope)
{
    vec half = splat((real)0.5), one = splat(1), k = splat((real)0.7978845608028654), square = x * x;
    vec t = vtanh(k * vfma(splat((real)0.044715) * square, x, x));
    /* Beyond 10, 1 - t^2 is 0: no 0 times infinity. */
    vec near = choose_gt(square, splat(100), splat(100), square);
    vec bend = k * vfma(splat((real)0.134145), near, one);
    *slope = vfma(half * x * (one - t * t), bend, half * (one + t));
    return half * x * (one + t);
}

INLINE vec silu(vec z, vec *slope)
{
    vec one = splat(1), a = vsigmoid(z);
    *slope = a * vfma(z, one - a, one);
    return z * a;
}

INLINE vec softsign(vec z, vec *slope)
{
    vec b = splat(1) / (splat(1) + vabs(z));
    *slope = b * b;
    return z * b;
}

/* A block of weighted sums becomes a block of activations, in place. */
static inline void activate(int activation, vec *z, vec *slope, ptrdiff_t count)
{
    vec zero = splat(0);
#define EACH(VALUE)                            \
    for (ptrdiff_t i = 0; i < count; i++) {    \
        vec x = z[i];                          \
        z[i] = VALUE;                          \
    }                                          \
    break;
    switch (activation) {
    case ELU: EACH(choose_gt(x, zero, x, vexpm1_negative(x)))
    case SELU: EACH(choose_gt(x, zero, splat(SELU_SCALE) * x, splat(SELU_ALPHA) * vexpm1_negative(x)))
    case TANH: EACH(vtanh(x))
    case SIGMOID: EACH(vsigmoid(x))
    case GELU: EACH(gelu(x, slope + i))
    case SILU: EACH(silu(x, slope + i))
    case SOFTPLUS: EACH(vsoftplus(x, slope + i))
    case SOFTSIGN: EACH(softsign(x, slope + i))
    default: EACH(cheap_activation(activation, x))
    }
#undef EACH
}

/* Gradient by the activation a -> gradient by the weighted sum. */
INLINE vec times_slope(int activation, vec delta, vec a, const vec *slope)
{
    vec zero = splat(0), one = splat(1);
    switch (activation) {
    case IDENTITY: return delta;
    case RELU: return zero_where_le(a, zero, delta);
    case LEAKY_RELU: return delta * choose_le(a, zero, splat((real)0.01), one);
    case ELU: return delta * choose_gt(a, zero, one, a + one);
    case SELU: return delta * choose_gt(a, zero, splat(SELU_SCALE), a + splat(SELU_ALPHA));
    case TANH: return delta * vfma(-a, a, one);
    case SIGMOID: return delta * (a * (one - a));
    default: return delta * *slope;
    }
}

/* The same for a block, in place. */
static inline void multiply_by_slope(int activation, vec *delta, const vec *a, const vec *slope, ptrdiff_t count)
{
#define EACH(ACTIVATION)                                                                        \
    case ACTIVATION:                                                                            \
        for (ptrdiff_t i = 0; i < count; i++)                                                   \
            delta[i] = times_slope(ACTIVATION, delta[i], a[i], slope + i);                      \
        break;
    switch (activation) {
        EACH(IDENTITY)
        EACH(RELU)
        EACH(LEAKY_RELU)
        EACH(ELU)
        EACH(SELU)
        EACH(TANH)
        EACH(SIGMOID)
    default: /* those that keep their slope */
        EACH(GELU)
    }
#undef EACH
}

#endif
