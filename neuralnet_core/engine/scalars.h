/* Scalar double mathematics of our own, and the numbers that a network needs once per update.
 *
 * Everything is +, -, *, / and sqrt in double, in a fixed order, so that every build gives the same bits. Series are
 * the textbook Taylor series, cut where the next term is below half a unit in the last place. */
#ifndef NEURALNET_SCALARS_H
#define NEURALNET_SCALARS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "philox.h"

/* cos(2 pi turns) for any turns >= 0: reduced exactly to an eighth of a turn. */
static inline double cos_turns(double turns)
{
    double nearest = (double)(int64_t)(turns * 4.0 + 0.5), quarter = turns * 4.0 - nearest;
    double x = quarter * 1.5707963267948966, y = x * x, c = 1.0, s = 1.0;
    for (int k = 9; k >= 1; k--) {
        c = 1.0 - y / ((2 * k - 1) * (2 * k)) * c;
        s = 1.0 - y / ((2 * k) * (2 * k + 1)) * s;
    }
    switch ((int64_t)nearest & 3) {
    case 0: return c;
    case 1: return -x * s;
    case 2: return -c;
    default: return x * s;
    }
}

/* log(x) for a normal x > 0: x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh((m - 1) / (m + 1)). */
static inline double log_scalar(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t shifted = bits - 0x3FE6A09E667F3BCDu;
    int64_t e = (int64_t)shifted >> 52;
    uint64_t mantissa = bits - ((uint64_t)e << 52);
    double m, sum = 0.0;
    memcpy(&m, &mantissa, sizeof m);
    double s = (m - 1.0) / (m + 1.0), z = s * s;
    for (int k = 11; k >= 0; k--) sum = sum * z + 2.0 / (2 * k + 1);
    return (double)e * 0.6931471805599453 + s * sum;
}

/* base^n by repeated squaring. */
static inline double power(double base, int64_t n)
{
    double result = 1.0;
    for (; n > 0; n >>= 1, base *= base)
        if (n & 1) result *= base;
    return result;
}

/* Uniform on [0, 1) and standard normal (Box and Muller, 1958) from random words. */
static inline double uniform_from(uint64_t word) { return (double)(word >> 11) * 0x1p-53; }
static inline double normal_from(uint64_t first, uint64_t second)
{
    double radius = sqrt(-2.0 * log_scalar(((double)(first >> 11) + 1.0) * 0x1p-53));
    return radius * cos_turns(uniform_from(second));
}

enum { SCHEDULE_CONSTANT, SCHEDULE_STEP, SCHEDULE_EXPONENTIAL, SCHEDULE_COSINE };

/* schedules.py says what each row means: kind, initial, factor | decay | final, every | updates, warm-up updates. */
enum { SCHEDULE_FIELDS = 5 };

static inline double learning_rate(const double *schedule, int64_t stride, int64_t t)
{
    double initial = schedule[stride], value = schedule[2 * stride], span = schedule[3 * stride];
    double warm = schedule[4 * stride], rate = initial;
    switch ((int)schedule[0]) {
    case SCHEDULE_STEP: rate = initial * power(value, t / (int64_t)span); break;
    case SCHEDULE_EXPONENTIAL: rate = initial * power(value, t); break;
    case SCHEDULE_COSINE: {
        double progress = (double)t < span ? (double)t / span : 1.0;
        rate = value + (initial - value) * (1.0 + cos_turns(progress * 0.5)) / 2.0;
        break;
    }
    default: break;
    }
    return (double)(t + 1) < warm ? rate * ((double)(t + 1) / warm) : rate;
}

#endif
