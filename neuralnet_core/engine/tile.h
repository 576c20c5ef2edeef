/* The one product kernel: C[m][n] (+)= sum over k, ascending, of A[m][k] * B[n][k], a register of lanes each.
 *
 * A block of TILE_M x TILE_N sums stays in registers while k runs, so each load feeds several multiply-adds. Strides
 * let it serve the forward pass (m sample, n unit, k input), the input gradient (m sample, n input, k unit) and the
 * weight gradient (m input, n unit, k sample). A is either one register per entry or, where all lanes share the
 * data, one scalar per entry. */
#ifndef NEURALNET_TILE_H
#define NEURALNET_TILE_H

#include <stddef.h>

#include "lanes.h"

typedef struct {
    const void *a; /* vec, or real where `shared` */
    const vec *b;
    vec *c;
    ptrdiff_t a_m, a_k, b_n, b_k, c_m; /* strides; C's n stride is 1 */
    ptrdiff_t m, n, k;
    int shared;
    int accumulate; /* go on from C; otherwise from +0 */
} product_args;

enum { TILE_M = 4, TILE_N = 3 };

#define LOAD_LANES(p, i) (((const vec *)(p))[i])
#define LOAD_SHARED(p, i) splat(((const real *)(p))[i])

#define DEFINE_TILE(NAME, LOAD, M, N)                                                                        \
    static void NAME##_##M##x##N(const product_args *p, ptrdiff_t m0, ptrdiff_t n0)                          \
    {                                                                                                        \
        vec sum[M][N];                                                                                       \
        const vec *b = p->b + n0 * p->b_n;                                                                   \
        vec *c = p->c + m0 * p->c_m + n0;                                                                    \
        ptrdiff_t a_m = p->a_m, a_k = p->a_k, b_n = p->b_n, b_k = p->b_k, origin = m0 * a_m, last = p->k;    \
        const void *a = p->a;                                                                                \
        _Pragma("GCC unroll 4") for (int m = 0; m < M; m++)                                                  \
            _Pragma("GCC unroll 3") for (int n = 0; n < N; n++)                                              \
                sum[m][n] = p->accumulate ? c[m * p->c_m + n] : splat(0);                                    \
        for (ptrdiff_t k = 0; k < last; k++) {                                                               \
            vec right[N];                                                                                    \
            _Pragma("GCC unroll 3") for (int n = 0; n < N; n++) right[n] = b[n * b_n + k * b_k];             \
            _Pragma("GCC unroll 4") for (int m = 0; m < M; m++)                                              \
            {                                                                                                \
                vec left = LOAD(a, origin + m * a_m + k * a_k);                                              \
                _Pragma("GCC unroll 3") for (int n = 0; n < N; n++)                                          \
                    sum[m][n] = vfma(left, right[n], sum[m][n]);                                             \
            }                                                                                                \
        }                                                                                                    \
        _Pragma("GCC unroll 4") for (int m = 0; m < M; m++)                                                  \
            _Pragma("GCC unroll 3") for (int n = 0; n < N; n++) c[m * p->c_m + n] = sum[m][n];               \
    }

#define DEFINE_TILES(NAME, LOAD)                                                                             \
    DEFINE_TILE(NAME, LOAD, 4, 3)                                                                            \
    DEFINE_TILE(NAME, LOAD, 4, 2)                                                                            \
    DEFINE_TILE(NAME, LOAD, 4, 1)                                                                            \
    DEFINE_TILE(NAME, LOAD, 1, 3)                                                                            \
    DEFINE_TILE(NAME, LOAD, 1, 2)                                                                            \
    DEFINE_TILE(NAME, LOAD, 1, 1)                                                                            \
    static void NAME(const product_args *p)                                                                  \
    {                                                                                                        \
        ptrdiff_t whole = p->m - p->m % TILE_M;                                                              \
        for (ptrdiff_t n = 0; n < p->n; n += TILE_N) {                                                       \
            ptrdiff_t width = p->n - n, m = 0;                                                               \
            for (; m < whole; m += TILE_M)                                                                   \
                width >= 3 ? NAME##_4x3(p, m, n) : width == 2 ? NAME##_4x2(p, m, n) : NAME##_4x1(p, m, n);   \
            for (; m < p->m; m++)                                                                            \
                width >= 3 ? NAME##_1x3(p, m, n) : width == 2 ? NAME##_1x2(p, m, n) : NAME##_1x1(p, m, n);   \
        }                                                                                                    \
    }

DEFINE_TILES(product_of_lanes, LOAD_LANES)
DEFINE_TILES(product_of_shared, LOAD_SHARED)

static inline void product(const product_args *p) { p->shared ? product_of_shared(p) : product_of_lanes(p); }

#endif
