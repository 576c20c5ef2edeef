"""The compiled twins of activations.py: a block of weighted sums becomes a block of activations, in place."""

from neuralnet_core.engine.structs cimport *

# The codes of activations.py.
cdef enum:
    IDENTITY = 0
    RELU = 1
    LEAKY_RELU = 2
    ELU = 3
    SELU = 4
    GELU = 5
    SILU = 6
    TANH = 7
    SIGMOID = 8
    SOFTPLUS = 9
    SOFTSIGN = 10


cdef inline bint keeps_slope(int activation) noexcept nogil:
    """Whether the derivative is stored in the forward pass; the others give it from the activation alone."""
    return activation == GELU or activation == SILU or activation == SOFTPLUS or activation == SOFTSIGN


cdef inline void activate(int activation, vec *z, vec *slope, int64_t count) noexcept nogil:
    cdef int64_t i
    cdef vec zero = splat(0), one = splat(1), a, b
    cdef vec scale = splat(<real> 1.0507009873554805), alpha = splat(<real> 1.7580993408473766)
    if activation == RELU:
        for i in range(count):
            z[i] = choose_le(z[i], zero, zero, z[i])
    elif activation == LEAKY_RELU:
        for i in range(count):
            z[i] = choose_le(z[i], zero, z[i] * splat(<real> 0.01), z[i])
    elif activation == ELU:
        for i in range(count):
            z[i] = choose_gt(z[i], zero, z[i], vexpm1_negative(z[i]))
    elif activation == SELU:
        for i in range(count):
            z[i] = choose_gt(z[i], zero, scale * z[i], alpha * vexpm1_negative(z[i]))
    elif activation == TANH:
        for i in range(count):
            z[i] = vtanh(z[i])
    elif activation == SIGMOID:
        for i in range(count):
            z[i] = vsigmoid(z[i])
    elif activation == GELU:
        for i in range(count):
            gelu(&z[i], &slope[i])
    elif activation == SILU:
        for i in range(count):
            a = vsigmoid(z[i])
            slope[i] = a * vfma(z[i], one - a, one)
            z[i] = z[i] * a
    elif activation == SOFTPLUS:
        for i in range(count):
            slope[i] = vsigmoid(z[i])
            z[i] = vsoftplus(z[i])
    elif activation == SOFTSIGN:
        for i in range(count):
            b = one / (one + vabs(z[i]))
            slope[i] = b * b
            z[i] = z[i] * b


cdef inline void gelu(vec *z, vec *slope) noexcept nogil:
    """The tanh form: z (1 + tanh u) / 2 with u = sqrt(2 / pi) (z + 0.044715 z^3)."""
    cdef vec x = z[0], half = splat(<real> 0.5), one = splat(1), k = splat(<real> 0.7978845608028654)
    cdef vec square = x * x
    cdef vec t = vtanh(k * vfma(splat(<real> 0.044715) * square, x, x))
    cdef vec near = choose_gt(square, splat(100), splat(100), square)  # beyond, 1 - t^2 is 0: no 0 times infinity
    cdef vec bend = k * vfma(splat(<real> 0.134145), near, one)
    slope[0] = vfma(half * x * (one - t * t), bend, half * (one + t))
    z[0] = half * x * (one + t)


cdef inline void multiply_by_slope(
    int activation, vec *delta, const vec *a, const vec *slope, int64_t count
) noexcept nogil:
    """Gradient by the activation -> gradient by the weighted sum. The + 0 ends the sum that delta is."""
    cdef int64_t i
    cdef vec zero = splat(0), one = splat(1)
    cdef vec scale = splat(<real> 1.0507009873554805), alpha = splat(<real> 1.7580993408473766)
    if activation == IDENTITY:
        for i in range(count):
            delta[i] = delta[i] + zero
    elif activation == RELU:
        for i in range(count):
            delta[i] = choose_le(a[i], zero, zero, delta[i] + zero)
    elif activation == LEAKY_RELU:
        for i in range(count):
            delta[i] = (delta[i] + zero) * choose_le(a[i], zero, splat(<real> 0.01), one)
    elif activation == ELU:
        for i in range(count):
            delta[i] = (delta[i] + zero) * choose_gt(a[i], zero, one, a[i] + one)
    elif activation == SELU:
        for i in range(count):
            delta[i] = (delta[i] + zero) * choose_gt(a[i], zero, scale, a[i] + alpha)
    elif activation == TANH:
        for i in range(count):
            delta[i] = (delta[i] + zero) * vfma(negative(a[i]), a[i], one)
    elif activation == SIGMOID:
        for i in range(count):
            delta[i] = (delta[i] + zero) * (a[i] * (one - a[i]))
    else:
        for i in range(count):
            delta[i] = (delta[i] + zero) * slope[i]
