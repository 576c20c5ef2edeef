/* The engine's own functions for a test that loads them: y[i] = f(x[i]), some registers at a time, as the engine does. */
#include "activations.h"

enum { OF_EXP, OF_EXPM1, OF_TANH, OF_LOG, OF_LOG1P, OF_SIGMOID, OF_SOFTPLUS };

void apply(int function, const real *x, real *y, int64_t count)
{
    enum { N = TOGETHER, SIZE = N * LANES };
    for (int64_t done = 0; done < count; done += SIZE) {
        int64_t size = count - done < SIZE ? count - done : SIZE;
        vec a[N], second[N];
        memset(a, 0, sizeof a);
        memcpy(a, x + done, size * sizeof(real));
        switch (function) {
        case OF_EXP: exp_each(a, N); break;
        case OF_EXPM1: expm1_negative_each(a, N); break;
        case OF_LOG: EACH a[i] = vlog(a[i]); break;
        case OF_LOG1P: EACH a[i] = vlog1p(a[i], second + i); break;
        case OF_TANH: tanh_each(a, N); break;
        case OF_SIGMOID: sigmoid_each(a, N); break;
        default: softplus_each(a, second, N);
        }
        memcpy(y + done, a, size * sizeof(real));
    }
}
