/* The one product kernel: C[m][n] = sum over k, ascending, of A[m][k] * B[n][k], a register of lanes each.
 *
 * A block of sums stays in registers while k runs, so each load feeds several multiply-adds. Strides let it serve the
 * forward pass (m sample, n unit, k input), the input gradient (m sample, n input, k unit) and the weight gradient
 * (m input, n unit, k sample). A is either one register per entry or, where all lanes share it, one scalar. What
 * follows each of the three is done while the sums are still in their registers. */
#ifndef NEURALNET_PRODUCT_H
#define NEURALNET_PRODUCT_H

#include "activations.h"
#include "descent.h"

typedef struct {
    const void *a; /* vec, or real where `shared` */
    const vec *b;
    vec *c;
    ptrdiff_t a_m, a_k, b_n, b_k, c_m; /* strides; C's n stride is 1 */
    ptrdiff_t m, n, k;
    int shared;
    int resumes; /* the sums go on from C, where those of earlier k stand */
    /* Padding: from row or column `narrowest` on, some lanes have none; `present` is 1 in the others. */
    ptrdiff_t narrowest_m, narrowest_n;
    const vec *present_m, *present_n;
    /* Forward: bias and activation. Input gradient: activation of the layer below, its values, its bias gradient. */
    int activation;
    const vec *bias, *value;
    const vec *slope;
    vec *bias_gradient;
    /* Weight gradient: the update to take with the complete sums; NULL: leave them in C. */
    const descent *update;
    ptrdiff_t place; /* of C among the parameters */
    /* Of a layer with one unit, whose C is the input gradient: `resumes`, `update` and `place` are then of this. */
    vec *weight_gradient;
    ptrdiff_t value_m; /* stride of `value` and `slope`; elsewhere that is C's */
} product;

/* The activation of a dropout layer: its slope is 0 where a unit was dropped, and then decides by select. */
enum { DROPPED = -1 };

enum { K_BLOCK = 128 }; /* so many k at a time, that B's columns stay in the first cache */

#define LOAD_LANES(p, i) (((const vec *)(p))[i])
#define LOAD_SHARED(p, i) splat(((const real *)(p))[i])

#define EACH_SUM(M, N) UNROLL for (int m = 0; m < (M); m++) UNROLL for (int n = 0; n < (N); n++)

INLINE vec where_present(const vec *present, ptrdiff_t index, ptrdiff_t narrowest, vec x)
{
    return index < narrowest ? x : choose_gt(present[index - narrowest], splat(0), x, splat(0));
}

/* --- What becomes of complete sums ------------------------------------------------------------------------------
 *
 * A sum that ends as -0 where padding would make it +0 does no harm here: no bias is -0, so that no sum of the two is,
 * and what a delta is multiplied with is added to sums that start at +0. */

#define FINISH_FORWARD(M, N)                                                                                 \
    {                                                                                                        \
        const vec *bias = p->bias + n0;                                                                      \
        EACH_SUM(M, N) sum[m][n] = sum[m][n] + bias[n];                                                      \
        if (p->activation == RELU)                                                                           \
            EACH_SUM(M, N) sum[m][n] = at_least(splat(0), sum[m][n]); /* there is no -0 here */              \
        else if (p->activation == LEAKY_RELU)                                                                \
            EACH_SUM(M, N) sum[m][n] = cheap_activation(LEAKY_RELU, sum[m][n]);                              \
        if (n0 + (N) > p->narrowest_n)                                                                       \
            EACH_SUM(M, N) sum[m][n] = where_present(p->present_n, n0 + n, p->narrowest_n, sum[m][n]);       \
        EACH_SUM(M, N) c[m * c_m + n] = sum[m][n];                                                        \
    }

/* DO for the activation below, known to the compiler: none is asked for within a loop. */
#define BY_ACTIVATION(ACTIVATION, DO, ...)                                                                   \
    switch (ACTIVATION) {                                                                                    \
    case DROPPED: DO(DROPPED, __VA_ARGS__); break;                                                           \
    case IDENTITY: DO(IDENTITY, __VA_ARGS__); break;                                                         \
    case RELU: DO(RELU, __VA_ARGS__); break;                                                                 \
    case LEAKY_RELU: DO(LEAKY_RELU, __VA_ARGS__); break;                                                     \
    case ELU: DO(ELU, __VA_ARGS__); break;                                                                   \
    case SELU: DO(SELU, __VA_ARGS__); break;                                                                 \
    case TANH: DO(TANH, __VA_ARGS__); break;                                                                 \
    case SIGMOID: DO(SIGMOID, __VA_ARGS__); break;                                                           \
    default: DO(GELU, __VA_ARGS__);                                                                          \
    }

INLINE vec delta_below(int activation, vec sum, const vec *value, const vec *slope)
{
    if (activation == DROPPED) return choose_gt(*slope, splat(0), sum * *slope, splat(0));
    return times_slope(activation, sum, *value, slope);
}

#define TIMES_SLOPE(ACTIVATION, M, N)                                                                        \
    EACH_SUM(M, N) sum[m][n] = delta_below(ACTIVATION, sum[m][n], value + m * c_m + n, slope + m * c_m + n)

#define FINISH_INPUT_GRADIENT(M, N)                                                                          \
    {                                                                                                        \
        const vec *value = p->value + m0 * c_m + n0, *slope = p->slope + m0 * c_m + n0;                      \
        BY_ACTIVATION(p->activation, TIMES_SLOPE, M, N)                                                      \
        if (n0 + (N) > p->narrowest_n)                                                                       \
            EACH_SUM(M, N) sum[m][n] = where_present(p->present_n, n0 + n, p->narrowest_n, sum[m][n]);       \
        EACH_SUM(M, N) c[m * c_m + n] = sum[m][n];                                                           \
        if (p->bias_gradient) {                                                                              \
            vec *bias = p->bias_gradient + n0, total[N];                                                     \
            UNROLL for (int n = 0; n < (N); n++) total[n] = bias[n];                                         \
            EACH_SUM(M, N) total[n] = total[n] + sum[m][n];                                                  \
            UNROLL for (int n = 0; n < (N); n++) bias[n] = total[n];                                         \
        }                                                                                                    \
    }

#define FINISH_WEIGHT_GRADIENT(M, N)                                                                         \
    {                                                                                                        \
        if (n0 + (N) > p->narrowest_n)                                                                       \
            EACH_SUM(M, N) sum[m][n] = where_present(p->present_n, n0 + n, p->narrowest_n, sum[m][n]);       \
        if (m0 + (M) > p->narrowest_m)                                                                       \
            EACH_SUM(M, N) sum[m][n] = where_present(p->present_m, m0 + m, p->narrowest_m, sum[m][n]);       \
        if (p->update)                                                                                       \
            descend_tile(p->update, p->place + m0 * c_m + n0, c_m, (const vec *)sum, M, N);                   \
        else                                                                                                 \
            EACH_SUM(M, N) c[m * c_m + n] = sum[m][n];                                                    \
    }

/* What is wanted after the sums is fetched while they run. */
#define START_NOTHING(M, N)
#define START_WEIGHT_GRADIENT(M, N)                                                                          \
    if (p->update) fetch_parameters(p->update, p->place + m0 * p->c_m + n0, p->c_m, M, N);

/* --- The tiles --------------------------------------------------------------------------------------------------- */

/* Where C's rows are is worked out behind the sums, which would otherwise share their registers with 24 addresses. */
#define LOCATE_C()                                                                                           \
    ptrdiff_t c_m = p->c_m;                                                                                  \
    vec *c = p->c + m0 * c_m + n0;                                                                           \
    __asm__ volatile("" : "+r"(c_m), "+r"(c))

#define DEFINE_TILE(NAME, LOAD, A_M, A_K, B_N, B_K, START, FINISH, M, N)                                     \
    static void NAME##_##M##x##N(const product *p, ptrdiff_t m0, ptrdiff_t n0, ptrdiff_t k0, ptrdiff_t k1)   \
    {                                                                                                        \
        vec sum[M][N];                                                                                       \
        ptrdiff_t a_m = A_M, a_k = A_K, b_n = B_N, b_k = B_K, origin = m0 * a_m;                             \
        const vec *b = p->b + n0 * b_n;                                                                      \
        const void *a = p->a;                                                                                \
        START(M, N)                                                                                          \
        if (p->resumes || k0 > 0) {                                                                          \
            LOCATE_C();                                                                                      \
            EACH_SUM(M, N) sum[m][n] = c[m * c_m + n];                                                       \
        } else                                                                                               \
            EACH_SUM(M, N) sum[m][n] = splat(0);                                                             \
        UNROLL_TWICE for (ptrdiff_t k = k0; k < k1; k++) {                                                   \
            vec right[N];                                                                                    \
            UNROLL for (int n = 0; n < N; n++) right[n] = b[n * b_n + k * b_k];                              \
            UNROLL for (int m = 0; m < M; m++)                                                               \
            {                                                                                                \
                vec left = LOAD(a, origin + m * a_m + k * a_k);                                              \
                UNROLL for (int n = 0; n < N; n++) sum[m][n] = vfma(left, right[n], sum[m][n]);              \
            }                                                                                                \
        }                                                                                                    \
        LOCATE_C();                                                                                          \
        if (k1 == p->k)                                                                                      \
            FINISH(M, N)                                                                                     \
        else                                                                                                 \
            EACH_SUM(M, N) c[m * c_m + n] = sum[m][n];                                                       \
    }

typedef void (*tile_function)(const product *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t);

/* 32 registers hold tiles of 8 x 3 sums and of all fewer rows, 16 of them 4 x 3. Where a multiply-add is a call of the C
 * library, larger tiles would do nothing for speed, and most of the module would be calls. */
#if HARDWARE_FMA
enum { TILE_N = 3, TALL = 8, LOW = 4 };
enum { TILE_M = MANY_REGISTERS ? TALL : LOW };
#else
enum { TILE_N = 1, TALL = 1, LOW = 1, TILE_M = 1 };
#endif

/* A single row left over would wait for itself, and two nearly so: three, of three sums each, keep the processor busy. */
INLINE ptrdiff_t rows_of(ptrdiff_t left, ptrdiff_t most)
{
    if (most == 1 || left == most || left >= most + 3) return most;
    if (MANY_REGISTERS) return left > TALL ? (left + 1) / 2 : left;
    return left == LOW + 1 || left == LOW + 2 ? LOW - 1 : left > LOW ? LOW : left;
}
INLINE ptrdiff_t columns_of(ptrdiff_t left) { return left == 4 && TILE_N == 3 ? 2 : left >= TILE_N ? TILE_N : left; }

/* The tiles of a product, its terms from k0 to k1. The larger operand is gone through once, the smaller again and again
 * from the cache. */
INLINE void for_each_tile(const product *p, ptrdiff_t k0, ptrdiff_t k1, const tile_function tiles[TALL][TILE_N])
{
    ptrdiff_t most = p->n == 1 ? TALL : TILE_M, rows, columns;
    if (p->m * (p->shared ? 1 : LANES) > p->n * LANES)
        for (ptrdiff_t m = 0; m < p->m; m += rows) {
            rows = rows_of(p->m - m, most);
            for (ptrdiff_t n = 0; n < p->n; n += columns) {
                columns = columns_of(p->n - n);
                tiles[rows - 1][columns - 1](p, m, n, k0, k1);
            }
        }
    else
        for (ptrdiff_t n = 0; n < p->n; n += columns) {
            columns = columns_of(p->n - n);
            for (ptrdiff_t m = 0; m < p->m; m += rows) {
                rows = rows_of(p->m - m, most);
                tiles[rows - 1][columns - 1](p, m, n, k0, k1);
            }
        }
}

#define DEFINE_ROWS(M, ...)                                                                                  \
    DEFINE_TILE(__VA_ARGS__, M, 3) DEFINE_TILE(__VA_ARGS__, M, 2) DEFINE_TILE(__VA_ARGS__, M, 1)
#define ROWS(M, NAME) {NAME##_##M##x1, NAME##_##M##x2, NAME##_##M##x3}

#if !HARDWARE_FMA
#define DEFINE_TILES(...) DEFINE_TILE(__VA_ARGS__, 1, 1)
#define TILES(NAME) {{NAME##_1x1}}
#else
#if MANY_REGISTERS
#define DEFINE_TALL(...)                                                                                     \
    DEFINE_ROWS(5, __VA_ARGS__) DEFINE_ROWS(6, __VA_ARGS__) DEFINE_ROWS(7, __VA_ARGS__) DEFINE_ROWS(8, __VA_ARGS__)
#define TALL_TILES(NAME) ROWS(5, NAME), ROWS(6, NAME), ROWS(7, NAME), ROWS(8, NAME)
#else
#define DEFINE_TALL(...) DEFINE_TILE(__VA_ARGS__, 8, 1)
#define TALL_TILES(NAME) {0}, {0}, {0}, {NAME##_8x1}
#endif
#define DEFINE_TILES(...)                                                                                    \
    DEFINE_ROWS(1, __VA_ARGS__) DEFINE_ROWS(2, __VA_ARGS__) DEFINE_ROWS(3, __VA_ARGS__) DEFINE_ROWS(4, __VA_ARGS__) \
    DEFINE_TALL(__VA_ARGS__)
#define TILES(NAME) {ROWS(1, NAME), ROWS(2, NAME), ROWS(3, NAME), ROWS(4, NAME), TALL_TILES(NAME)}
#endif

#define DEFINE_PRODUCT(NAME, ...)                                                                            \
    DEFINE_TILES(NAME, __VA_ARGS__)                                                                          \
    INLINE void NAME##_terms(const product *p, ptrdiff_t k0, ptrdiff_t k1)                                   \
    {                                                                                                        \
        static const tile_function tiles[TALL][TILE_N] = TILES(NAME);                                        \
        for_each_tile(p, k0, k1, tiles);                                                                     \
    }                                                                                                        \
    static void NAME(const product *p)                                                                       \
    {                                                                                                        \
        for (ptrdiff_t k0 = 0; k0 < p->k; k0 += K_BLOCK)                                                     \
            NAME##_terms(p, k0, p->k - k0 > K_BLOCK ? k0 + K_BLOCK : p->k);                                  \
    }

/* The strides that are always 1 are written here, where the compiler sees them. */
DEFINE_PRODUCT(forward_of_lanes, LOAD_LANES, p->a_m, 1, 1, p->b_k, START_NOTHING, FINISH_FORWARD)
DEFINE_PRODUCT(forward_of_shared, LOAD_SHARED, p->a_m, 1, 1, p->b_k, START_NOTHING, FINISH_FORWARD)
DEFINE_PRODUCT(input_gradient_of_lanes, LOAD_LANES, p->a_m, 1, p->b_n, 1, START_NOTHING, FINISH_INPUT_GRADIENT)
DEFINE_PRODUCT(input_gradient_of_shared, LOAD_SHARED, p->a_m, 1, 1, p->b_k, START_NOTHING, FINISH_INPUT_GRADIENT)
DEFINE_PRODUCT(weight_gradient_of_lanes, LOAD_LANES, 1, p->a_k, 1, p->b_k, START_WEIGHT_GRADIENT, FINISH_WEIGHT_GRADIENT)
DEFINE_PRODUCT(weight_gradient_of_shared, LOAD_SHARED, 1, p->a_k, 1, p->b_k, START_WEIGHT_GRADIENT, FINISH_WEIGHT_GRADIENT)

/* --- Both gradients of a layer with one unit ----------------------------------------------------------------------
 *
 * The input gradient's sums have one term: a tile would be all beginning and end. So samples go by N columns of weights
 * (which lie side by side), of their gradients and of the biases below, and what lies below is read once for all. C may
 * be `value`: each is read before it is written. */

enum { OUTER_N = HARDWARE_FMA ? 4 : 1 };

INLINE void outer_columns(const product *p, int activation, ptrdiff_t n0, const int N, const int padded)
{
    const vec *delta = p->a, *value = p->value + n0, *slope = p->slope + n0;
    vec *below = p->c + n0;
    vec weight[OUTER_N], gradient[OUTER_N], bias[OUTER_N];
    UNROLL for (int n = 0; n < N; n++) weight[n] = p->b[n0 + n];
    UNROLL for (int n = 0; n < N; n++) gradient[n] = p->resumes ? p->weight_gradient[n0 + n] : splat(0);
    UNROLL for (int n = 0; n < N; n++) bias[n] = p->bias_gradient ? p->bias_gradient[n0 + n] : splat(0);
    for (ptrdiff_t m = p->m; m > 0; m--, delta += p->a_m, value += p->value_m, slope += p->value_m, below += p->c_m)
        UNROLL for (int n = 0; n < N; n++)
        {
            vec x = value[n], d = delta_below(activation, vfma(*delta, weight[n], splat(0)), value + n, slope + n);
            if (padded) d = where_present(p->present_n, n0 + n, p->narrowest_n, d);
            below[n] = d;
            bias[n] = bias[n] + d;
            gradient[n] = vfma(x, *delta, gradient[n]);
        }
    if (p->bias_gradient) UNROLL for (int n = 0; n < N; n++) p->bias_gradient[n0 + n] = bias[n];
    UNROLL for (int n = 0; n < N; n++) p->weight_gradient[n0 + n] = gradient[n];
}

#define OUTER_PRODUCT_BY(N, ACTIVATION, WHOLE)                                                               \
    for (; (WHOLE) - n0 >= N; n0 += N) outer_columns(p, ACTIVATION, n0, N, 0);                               \
    for (; p->n - n0 >= N; n0 += N) outer_columns(p, ACTIVATION, n0, N, 1)
/* By three where that leaves none over: six are 3 + 3, not 4 + 1 + 1. */
#define OUTER_PRODUCT(ACTIVATION, WHOLE)                                                                     \
    if (OUTER_N > 3 && p->n % 3 == 0) {                                                                      \
        OUTER_PRODUCT_BY(3, ACTIVATION, WHOLE);                                                              \
    } else {                                                                                                 \
        OUTER_PRODUCT_BY(OUTER_N, ACTIVATION, WHOLE);                                                        \
    }                                                                                                        \
    for (; n0 < p->n; n0++) outer_columns(p, ACTIVATION, n0, 1, 1)

static void gradients_of_one_unit(const product *p)
{
    ptrdiff_t n0 = 0;
    BY_ACTIVATION(p->activation, OUTER_PRODUCT, p->narrowest_n < p->n ? p->narrowest_n : p->n)
    for (ptrdiff_t n = p->narrowest_n; n < p->n; n++)
        p->weight_gradient[n] = where_present(p->present_n, n, p->narrowest_n, p->weight_gradient[n]);
    if (p->update) descend_line(p->update, p->place, p->weight_gradient, p->n, 1);
}

/* --- By columns ---------------------------------------------------------------------------------------------------
 *
 * Between a layer and one of one unit above it each column of activations goes its way alone. So few of them at a time
 * that they stay in the first cache go all the way, where the whole block would come from the second again and again. */

enum { COLUMNS_FORWARD = 12, COLUMNS_BACK = 6 };

/* Moves a product to the `n` of its columns that are `step` further on. In place: a copy costs more than the move. */
static inline void move_columns(product *p, ptrdiff_t step, ptrdiff_t n)
{
    ptrdiff_t padded = step - p->narrowest_n;
    p->n = n;
    p->b += step * p->b_n;
    p->c += step;
    p->place += step;
    if (p->bias) p->bias += step;
    if (p->value) p->value += step, p->slope += step;
    if (p->bias_gradient) p->bias_gradient += step;
    if (p->weight_gradient) p->weight_gradient += step;
    p->narrowest_n = padded < 0 ? -padded : 0;
    if (padded > 0) p->present_n += padded;
}

/* The terms k0 to k1 of the weighted sums of a layer whose inputs are a register each. */
static inline void forward_terms(const product *p, ptrdiff_t k0, ptrdiff_t k1) { forward_of_lanes_terms(p, k0, k1); }

static inline void forward_product(const product *p) { p->shared ? forward_of_shared(p) : forward_of_lanes(p); }
static inline void input_gradient_product(const product *p)
{
    p->shared ? input_gradient_of_shared(p) : input_gradient_of_lanes(p);
}
static inline void weight_gradient_product(const product *p)
{
    p->shared ? weight_gradient_of_shared(p) : weight_gradient_of_lanes(p);
}

#endif
