/* The optimizers: from the gradient of a parameter to its new value, a register of lanes at a time. */
#ifndef NEURALNET_DESCENT_H
#define NEURALNET_DESCENT_H

#include <stddef.h>

#include "lanes.h"

/* The codes of encoding.py. */
enum { GRADIENT_DESCENT, MOMENTUM, NESTEROV, RMSPROP, ADAM, ADAMW };

/* The numbers of one update, a lane for each network; the lanes of a network alone are all alike. */
typedef struct {
    vec rate;             /* of this update; for Adam over 1 - beta1^t */
    vec root_correction;  /* 1 / sqrt(1 - beta2^t) */
    vec shrink;           /* - rate x weight decay */
    vec scale;            /* of the clipped gradient */
    vec l1, l2;
    vec first, first_rest, second, second_rest, epsilon;
    vec *parameters, *first_state, *second_state;
    vec least;    /* a gradient with penalties counts as 0 below this; 0 where there are none */
    vec smallest; /* where a weight shrinks by itself, it is 0 below this, not subnormal for ever; 0 where it does not */
    int optimizer, clipped, regularized, has_l1, has_l2, shrinks; /* in some lane */
} descent;

/* The gradient as the optimizer takes it: clipped, then penalised. What a lane does not want leaves it as it is. */
INLINE vec penalized_gradient(const descent *d, vec g, vec w, int penalized)
{
    if (d->clipped) g = g * d->scale;
    if (penalized && d->regularized) {
        if (d->has_l2) g = choose_eq(d->l2, splat(0), g, vfma(d->l2, w, g));
        if (d->has_l1) g = choose_eq(d->l1, splat(0), g, vfma(d->l1, sign_of(w), g));
        g = zero_where_lt(vabs(g), d->least, g);
    }
    return g;
}

INLINE vec averaged(vec decay, vec state, vec rest, vec g) { return without_subnormals(vfma(decay, state, rest * g)); }

/* Take the step of parameter i, whose gradient summed over the minibatch is `sum`. */
INLINE void descend_one(const descent *d, int optimizer, ptrdiff_t i, vec sum, int penalized)
{
    vec *w = d->parameters + i, *first = d->first_state + i, *second = d->second_state + i;
    vec g = penalized_gradient(d, sum + splat(0), *w, penalized);
    switch (optimizer) {
    case GRADIENT_DESCENT: *w = vfma(-d->rate, g, *w); break;
    case MOMENTUM:
        *first = averaged(d->first, *first, d->first_rest, g);
        *w = vfma(-d->rate, *first, *w);
        break;
    case NESTEROV:
        *first = averaged(d->first, *first, d->first_rest, g);
        *w = vfma(-d->rate, vfma(d->first, *first, g), *w);
        break;
    case RMSPROP:
        *first = averaged(d->first, *first, d->first_rest, g * g);
        *w = *w - d->rate * g / (vsqrt(*first) + d->epsilon);
        break;
    default:
        *first = averaged(d->first, *first, d->first_rest, g);
        *second = averaged(d->second, *second, d->second_rest, g * g);
        if (optimizer == ADAMW && penalized) *w = vfma(d->shrink, *w, *w);
        *w = *w - d->rate * *first / vfma(vsqrt(*second), d->root_correction, d->epsilon);
    }
    if (penalized && d->shrinks) *w = zero_where_lt(vabs(*w), d->smallest, *w);
}

INLINE void fetch_rows(const vec *row, ptrdiff_t stride, int rows, int columns)
{
    for (int i = 0; i < rows; i++, row += stride) {
        __asm__("" : "+r"(row)); /* one address at a time, not one for each row */
        for (int column = 0; column < columns; column++) __builtin_prefetch(row + column, 1);
    }
}

/* Fetch what the steps of `rows` x `columns` parameters from index `start` on will read and write. */
INLINE void fetch_parameters(const descent *d, ptrdiff_t start, ptrdiff_t stride, int rows, int columns)
{
    fetch_rows(d->parameters + start, stride, rows, columns);
    if (d->optimizer > GRADIENT_DESCENT) fetch_rows(d->first_state + start, stride, rows, columns);
    if (d->optimizer >= ADAM) fetch_rows(d->second_state + start, stride, rows, columns);
}

/* The steps of `rows` x `columns` parameters from index `start` on, whose sums stand side by side. */
INLINE void descend_block(
    const descent *d, ptrdiff_t start, ptrdiff_t stride, const vec *sums, int rows, int columns, int penalized)
{
#define DESCEND(OPTIMIZER)                                                                                   \
    for (int row = 0; row < rows; row++)                                                                     \
        for (int column = 0; column < columns; column++)                                                     \
            descend_one(d, OPTIMIZER, start + row * stride + column, sums[row * columns + column], penalized); \
    break;
    switch (d->optimizer) {
    case GRADIENT_DESCENT: DESCEND(GRADIENT_DESCENT)
    case MOMENTUM: DESCEND(MOMENTUM)
    case NESTEROV: DESCEND(NESTEROV)
    case RMSPROP: DESCEND(RMSPROP)
    case ADAM: DESCEND(ADAM)
    default: DESCEND(ADAMW)
    }
#undef DESCEND
    /* A bias is never -0, so that a sum of -0 and the bias is what a sum of +0 and the bias is. */
    if (!penalized)
        for (int column = 0; column < columns; column++)
            d->parameters[start + column] = d->parameters[start + column] + splat(0);
}

#endif
