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

/* Whether the activation of 0 is 0: such a one leaves padding as it is. */
INLINE int keeps_zero(int activation) { return activation != SIGMOID && activation != SOFTPLUS; }

/* The tanh form: z (1 + tanh u) / 2 with u = sqrt(2 / pi) (z + 0.044715 z^3). */
INLINE void gelu_each(vec *x, vec *slope, const int N)
{
    vec half = splat((real)0.5), one = splat(1), k = splat((real)0.7978845608028654), t[TOGETHER];
    EACH t[i] = k * vfma(splat((real)0.044715) * (x[i] * x[i]), x[i], x[i]);
    tanh_each(t, N);
    EACH
    {
        /* Beyond 10, 1 - t^2 is 0: no 0 times infinity. */
        vec square = x[i] * x[i], near = choose_gt(square, splat(100), splat(100), square);
        vec bend = k * vfma(splat((real)0.134145), near, one);
        slope[i] = vfma(half * x[i] * (one - t[i] * t[i]), bend, half * (one + t[i]));
        x[i] = half * x[i] * (one + t[i]);
    }
}

INLINE void silu_each(vec *z, vec *slope, const int N)
{
    vec one = splat(1), a[TOGETHER];
    EACH a[i] = z[i];
    sigmoid_each(a, N);
    EACH slope[i] = a[i] * vfma(z[i], one - a[i], one);
    EACH z[i] = z[i] * a[i];
}

INLINE void softplus_each(vec *x, vec *slope, const int N)
{
    vec e[TOGETHER];
    EACH e[i] = -vabs(x[i]);
    exp_each(e, N);
    EACH x[i] = softplus_from(e[i], x[i], slope + i);
}

INLINE void softsign_each(vec *z, vec *slope, const int N)
{
    EACH
    {
        vec b = splat(1) / (splat(1) + vabs(z[i]));
        slope[i] = b * b;
        z[i] = z[i] * b;
    }
}

INLINE void elu_each(vec *x, vec scale, vec alpha, const int N)
{
    vec e[TOGETHER];
    EACH e[i] = x[i];
    expm1_negative_each(e, N);
    EACH x[i] = choose_gt(x[i], splat(0), scale * x[i], alpha * e[i]);
}

INLINE void activate_each(int activation, vec *x, vec *slope, const int N)
{
    switch (activation) {
    case ELU: elu_each(x, splat(1), splat(1), N); break;
    case SELU: elu_each(x, splat(SELU_SCALE), splat(SELU_ALPHA), N); break;
    case TANH: tanh_each(x, N); break;
    case SIGMOID: sigmoid_each(x, N); break;
    case GELU: gelu_each(x, slope, N); break;
    case SILU: silu_each(x, slope, N); break;
    case SOFTPLUS: softplus_each(x, slope, N); break;
    case SOFTSIGN: softsign_each(x, slope, N);
    }
}

INLINE void activate_from(int activation, vec *z, vec *slope, ptrdiff_t first, const int N)
{
    vec x[TOGETHER];
    EACH x[i] = z[first + i];
    activate_each(activation, x, slope + first, N);
    EACH z[first + i] = x[i];
}

/* A block of weighted sums becomes a block of activations, in place; the cheap ones are not done here. */
static inline void activate(int activation, vec *z, vec *slope, ptrdiff_t count)
{
    ptrdiff_t i = 0;
#define BLOCK(ACTIVATION)                                                                                       \
    case ACTIVATION:                                                                                            \
        for (; count - i >= TOGETHER; i += TOGETHER) activate_from(ACTIVATION, z, slope, i, TOGETHER);          \
        for (; TOGETHER > 1 && i < count; i++) activate_from(ACTIVATION, z, slope, i, 1);                       \
        break;
    switch (activation) {
        BLOCK(ELU)
        BLOCK(SELU)
        BLOCK(TANH)
        BLOCK(SIGMOID)
        BLOCK(GELU)
        BLOCK(SILU)
        BLOCK(SOFTPLUS)
        BLOCK(SOFTSIGN)
    }
#undef BLOCK
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
#define BLOCK(ACTIVATION)                                                                       \
    case ACTIVATION:                                                                            \
        for (ptrdiff_t i = 0; i < count; i++)                                                   \
            delta[i] = times_slope(ACTIVATION, delta[i], a[i], slope + i);                      \
        break;
    switch (activation) {
        BLOCK(IDENTITY)
        BLOCK(RELU)
        BLOCK(LEAKY_RELU)
        BLOCK(ELU)
        BLOCK(SELU)
        BLOCK(TANH)
        BLOCK(SIGMOID)
    default: /* those that keep their slope */
        BLOCK(GELU)
    }
#undef BLOCK
}

#endif
