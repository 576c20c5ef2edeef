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

/* The gradients as the optimizer takes them: clipped, then penalised. What a lane does not want leaves it as it is. */
INLINE void penalize_each(const descent *d, vec *g, const vec *w, const int penalized, const int N)
{
    if (d->clipped) EACH g[i] = g[i] * d->scale;
    if (!penalized || !d->regularized) return;
    if (d->has_l2) EACH g[i] = choose_eq(d->l2, splat(0), g[i], vfma(d->l2, w[i], g[i]));
    if (d->has_l1) EACH g[i] = choose_eq(d->l1, splat(0), g[i], vfma(d->l1, sign_of(w[i]), g[i]));
    EACH g[i] = zero_where_lt(vabs(g[i]), d->least, g[i]);
}

INLINE vec averaged(vec decay, vec state, vec rest, vec g) { return without_subnormals(vfma(decay, state, rest * g)); }

/* Take the steps of N parameters from `place` on, whose gradients summed over the minibatch are `sums`. `plain`: nothing
 * is clipped or penalised, and no weight shrinks by itself. */
INLINE void descend_each(
    const descent *d, int optimizer, ptrdiff_t place, const vec *sums, const int N, const int penalized, const int plain)
{
    vec *w = d->parameters + place, *first = d->first_state + place, *second = d->second_state + place;
    vec g[TOGETHER], root[TOGETHER];
    EACH g[i] = sums[i] + splat(0);
    if (!plain) penalize_each(d, g, w, penalized, N);
    switch (optimizer) {
    case GRADIENT_DESCENT: EACH w[i] = vfma(-d->rate, g[i], w[i]); break;
    case MOMENTUM:
        EACH first[i] = averaged(d->first, first[i], d->first_rest, g[i]);
        EACH w[i] = vfma(-d->rate, first[i], w[i]);
        break;
    case NESTEROV:
        EACH first[i] = averaged(d->first, first[i], d->first_rest, g[i]);
        EACH w[i] = vfma(-d->rate, vfma(d->first, first[i], g[i]), w[i]);
        break;
    case RMSPROP:
        EACH g[i] = squarable(g[i]);
        EACH first[i] = averaged(d->first, first[i], d->first_rest, g[i] * g[i]);
        EACH w[i] = w[i] - d->rate * g[i] / (vsqrt(first[i]) + d->epsilon);
        break;
    default:
        EACH g[i] = squarable(g[i]);
        EACH second[i] = root[i] = averaged(d->second, second[i], d->second_rest, g[i] * g[i]);
        EACH root[i] = vfma(vsqrt(root[i]), d->root_correction, d->epsilon);
        EACH first[i] = g[i] = averaged(d->first, first[i], d->first_rest, g[i]);
        if (optimizer == ADAMW && penalized) EACH w[i] = vfma(d->shrink, w[i], w[i]);
        EACH w[i] = w[i] - d->rate * g[i] / root[i];
    }
    if (penalized && !plain && d->shrinks) EACH w[i] = zero_where_lt(vabs(w[i]), d->smallest, w[i]);
    /* A bias is never -0, so that a sum of -0 and the bias is what a sum of +0 and the bias is. */
    if (!penalized) EACH w[i] = w[i] + splat(0);
}

INLINE void fetch_rows(const vec *row, ptrdiff_t stride, int rows, int columns)
{
    for (int i = 0; i < rows; i++, row += stride) {
        __asm__("" : "+r"(row)); /* one address at a time, not one for each row */
        for (int column = 0; column < columns; column++) __builtin_prefetch(row + column, 1);
    }
}

/* Fetch what short steps of `rows` x `columns` parameters from index `start` on will read and write. */
INLINE void fetch_parameters(const descent *d, ptrdiff_t start, ptrdiff_t stride, int rows, int columns)
{
    fetch_rows(d->parameters + start, stride, rows, columns);
    if (d->optimizer > GRADIENT_DESCENT) fetch_rows(d->first_state + start, stride, rows, columns);
}

/* Whether the steps are so short that each tile takes its own. Roots and quotients take long, and penalties need more
 * registers: such steps come after all sums of a layer, where they overlap. */
static inline int steps_in_tiles(const descent *d) { return d->optimizer <= NESTEROV && !d->clipped && !d->shrinks; }

/* The short steps of the weights of a tile, rows `stride` apart, in the registers where their sums stand. */
INLINE void descend_tile(
    const descent *d, ptrdiff_t place, ptrdiff_t stride, const vec *sums, const int rows, const int columns)
{
#define ROWS(OPTIMIZER)                                                                                      \
    UNROLL for (int row = 0; row < rows; row++)                                                              \
        descend_each(d, OPTIMIZER, place + row * stride, sums + row * columns, columns, 1, 1);
    switch (d->optimizer) {
    case GRADIENT_DESCENT: ROWS(GRADIENT_DESCENT) break;
    case MOMENTUM: ROWS(MOMENTUM) break;
    default: ROWS(NESTEROV)
    }
#undef ROWS
}

#define BY_OPTIMIZER(DESCEND)                                                                                \
    switch (d->optimizer) {                                                                                  \
    case GRADIENT_DESCENT: DESCEND(GRADIENT_DESCENT) break;                                                  \
    case MOMENTUM: DESCEND(MOMENTUM) break;                                                                  \
    case NESTEROV: DESCEND(NESTEROV) break;                                                                  \
    case RMSPROP: DESCEND(RMSPROP) break;                                                                    \
    case ADAM: DESCEND(ADAM) break;                                                                          \
    default: DESCEND(ADAMW)                                                                                  \
    }

/* The steps of `count` parameters from `place` on, weights or biases (not `penalized`). */
static void descend_line(const descent *d, ptrdiff_t place, const vec *sums, ptrdiff_t count, int penalized)
{
    ptrdiff_t i = 0;
#define IN_LINE(OPTIMIZER, PENALIZED)                                                                        \
    for (; count - i >= TOGETHER; i += TOGETHER)                                                             \
        descend_each(d, OPTIMIZER, place + i, sums + i, TOGETHER, PENALIZED, 0);                             \
    for (; i < count; i++) descend_each(d, OPTIMIZER, place + i, sums + i, 1, PENALIZED, 0);
#define WEIGHTS_IN_LINE(OPTIMIZER) IN_LINE(OPTIMIZER, 1)
#define BIASES_IN_LINE(OPTIMIZER) IN_LINE(OPTIMIZER, 0)
    if (penalized)
        BY_OPTIMIZER(WEIGHTS_IN_LINE)
    else
        BY_OPTIMIZER(BIASES_IN_LINE)
}

/* The same of `rows` lines, `stride` apart as their sums are. */
static void descend_rows(
    const descent *d, ptrdiff_t place, ptrdiff_t stride, const vec *sums, ptrdiff_t rows, ptrdiff_t columns, int penalized)
{
    for (ptrdiff_t row = 0; row < rows; row++)
        descend_line(d, place + row * stride, sums + row * stride, columns, penalized);
}

#endif
