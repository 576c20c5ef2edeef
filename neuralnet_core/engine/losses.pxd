"""The compiled twins of losses.py: outputs and targets of a chunk -> loss, score and the output delta."""

from neuralnet_core.engine.structs cimport *

# The codes of losses.py.
cdef enum:
    MSE = 0
    MAE = 1
    HUBER = 2
    BINARY_CROSS_ENTROPY = 3
    SOFTMAX_CROSS_ENTROPY = 4


cdef inline vec regression_loss(PackState *p, const vec *z, const vec *t, vec c, vec *delta) noexcept nogil:
    """Sum the loss of one sample over its outputs; delta is its gradient times c."""
    cdef vec total = splat(0), one = splat(1), half = splat(<real> 0.5), r, size, clamped
    cdef int64_t k
    for k in range(p.outputs):
        r = z[k] - t[k]
        if p.loss == MSE:
            total = vfma(r, r, total)
            delta[k] = (r + r) * c
        elif p.loss == MAE:
            total = vfma(vabs(r), one, total)
            delta[k] = sign_of(r) * c
        else:
            size = vabs(r)
            clamped = choose_gt(size, one, sign_of(r), r)
            total = vfma(choose_gt(size, one, size - half, half * r * r), one, total)
            delta[k] = clamped * c
    return total + splat(0)


cdef inline vec binary_loss(PackState *p, const vec *z, const vec *t, vec c, vec *delta) noexcept nogil:
    """softplus(z) - t z, the cross-entropy of sigmoid(z) and t; its gradient is sigmoid(z) - t."""
    cdef vec total = splat(0)
    cdef int64_t k
    for k in range(p.outputs):
        total = vfma(vfma(negative(t[k]), z[k], vsoftplus(z[k])), splat(1), total)
        delta[k] = (vsigmoid(z[k]) - t[k]) * c
    return total + splat(0)


cdef inline vec softmax_loss(PackState *p, const vec *z, vec label, vec c, vec *delta) noexcept nogil:
    """log(sum of exp(z - max)) - (z[label] - max); its gradient is softmax(z) - [k == label]."""
    cdef vec highest = z[0], total = splat(0), own = splat(0), e
    cdef int64_t k
    for k in range(1, p.outputs):
        highest = choose_gt(z[k], highest, z[k], highest)
    for k in range(p.outputs):
        e = z[k] - highest
        own = choose_eq(label, splat(<real> k), e, own)
        e = vexp(e)
        total = vfma(e, splat(1), total)
        p.probabilities[k] = e
    total = total + splat(0)
    for k in range(p.outputs):
        e = p.probabilities[k] / total
        delta[k] = choose_eq(label, splat(<real> k), e - splat(1), e) * c
    return vlog(total) - own


cdef inline vec only_valid(PackState *p, int64_t sample, vec x) noexcept nogil:
    """+0 in the lanes whose slice the sample is not of: by select, whatever x is there."""
    return choose_gt(p.valid[sample], splat(0), x, splat(0))


cdef inline void loss_of_chunk(PackState *p, const vec *z, int64_t stride, int64_t count) noexcept nogil:
    """Add the chunk's loss to `loss_sum` and leave its gradient in `delta`."""
    cdef int64_t sample, k
    cdef const vec *t
    cdef const vec *row
    cdef vec *delta
    cdef vec c, loss
    for sample in range(count):
        row = z + sample * stride
        t = p.targets + sample * p.target_width
        delta = p.delta + sample * stride
        c = p.coefficients[sample]
        if p.loss == SOFTMAX_CROSS_ENTROPY:
            loss = softmax_loss(p, row, t[0], c, delta)
        elif p.loss == BINARY_CROSS_ENTROPY:
            loss = binary_loss(p, row, t, c, delta)
        else:
            loss = regression_loss(p, row, t, c, delta)
        if p.sliced:
            loss = only_valid(p, sample, loss)
            for k in range(p.outputs):
                delta[k] = only_valid(p, sample, delta[k])
        p.loss_sum[0] = vfma(c, loss, p.loss_sum[0])


cdef inline void score_of_chunk(PackState *p, const vec *z, int64_t stride, int64_t count) noexcept nogil:
    """Count the hits of a chunk (all outputs right), or add the squares of its residuals by output."""
    cdef int64_t sample, k
    cdef const vec *row
    cdef const vec *t
    cdef vec one = splat(1), zero = splat(0), half = splat(<real> 0.5), right, best, argmax, r
    for sample in range(count):
        row = z + sample * stride
        t = p.targets + sample * p.target_width
        right = one
        if p.loss == SOFTMAX_CROSS_ENTROPY:
            best, argmax = row[0], zero
            for k in range(1, p.outputs):
                argmax = choose_gt(row[k], best, splat(<real> k), argmax)
                best = choose_gt(row[k], best, row[k], best)
            right = choose_eq(argmax, t[0], one, zero)
        elif p.loss == BINARY_CROSS_ENTROPY:
            for k in range(p.outputs):
                r = choose_gt(row[k], zero, one, zero) - choose_gt(t[k], half, one, zero)
                right = choose_eq(r, zero, right, zero)
        else:
            for k in range(p.outputs):
                r = row[k] - t[k]
                if p.sliced:
                    r = only_valid(p, sample, r)
                p.residuals[k] = vfma(r, r, p.residuals[k])
        p.hits[0] = p.hits[0] + (only_valid(p, sample, right) if p.sliced else right)
