/* The engine's own functions for a test that loads them: y[i] = f(x[i]), a register at a time. */
#include "mathematics.h"

enum { EXP, EXPM1, TANH, LOG, LOG1P, SIGMOID, SOFTPLUS };

void apply(int function, const real *x, real *y, int64_t count)
{
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t size = count - i < LANES ? count - i : LANES;
        vec a = splat(0), result, second;
        memcpy(&a, x + i, size * sizeof(real));
        switch (function) {
        case EXP: result = vexp(a); break;
        case EXPM1: result = vexpm1_negative(a); break;
        case LOG: result = vlog(a); break;
        case LOG1P: result = vlog1p(a, &second); break;
        case TANH: result = vtanh(a); break;
        case SIGMOID: result = vsigmoid(a); break;
        default: result = vsoftplus(a, &second);
        }
        memcpy(y + i, &result, size * sizeof(real));
    }
}
