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


cdef inline void exponentials(PackState *p, const vec *z, vec *delta) noexcept nogil:
    """exp(-|z|) into delta, where binary_loss wants it: in a loop of its own more samples overlap."""
    cdef int64_t k
    for k in range(p.outputs):
        delta[k] = vexp(negative(vabs(z[k])))


cdef inline vec binary_loss(PackState *p, const vec *z, const vec *t, vec c, vec *delta) noexcept nogil:
    """softplus(z) - t z, the cross-entropy of sigmoid(z) and t; its gradient is sigmoid(z) - t."""
    cdef vec total = splat(0), softplus, sigmoid
    cdef int64_t k
    for k in range(p.outputs):
        softplus = softplus_from(delta[k], z[k], &sigmoid)
        total = total + vfma(negative(t[k]), z[k], softplus)
        delta[k] = squarable(sigmoid - t[k]) * c
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
        e = squarable(p.probabilities[k]) / total
        delta[k] = choose_eq(label, splat(<real> k), e - splat(1), e) * c
    return vlog(total) - own


cdef inline vec only_valid(PackState *p, int64_t sample, vec x) noexcept nogil:
    """+0 in the lanes whose slice the sample is not of: by select, whatever x is there."""
    return choose_gt(p.valid[sample], splat(0), x, splat(0))


cdef inline vec loss_of_samples(PackState *p, const vec *z, const vec *t, vec c, vec *delta) noexcept nogil:
    """The loss of one sample in each lane; delta is its gradient by the outputs, times c."""
    if p.loss == SOFTMAX_CROSS_ENTROPY:
        return softmax_loss(p, z, t[0], c, delta)
    if p.loss == BINARY_CROSS_ENTROPY:
        return binary_loss(p, z, t, c, delta)
    return regression_loss(p, z, t, c, delta)


cdef inline void loss_of_chunk(PackState *p, const vec *z, int64_t stride, int64_t count) noexcept nogil:
    """Add the chunk's loss to `loss_sum` and leave its gradient in `delta`."""
    cdef int64_t sample, k
    cdef vec *delta
    cdef vec c, loss, total = p.loss_sum[0]
    if p.loss == BINARY_CROSS_ENTROPY:
        for sample in range(count):
            exponentials(p, z + sample * stride, p.delta + sample * stride)
    for sample in range(count):
        delta = p.delta + sample * stride
        c = p.coefficients[sample]
        loss = loss_of_samples(p, z + sample * stride, p.targets + sample * p.target_width, c, delta)
        if p.sliced:
            loss = only_valid(p, sample, loss)
            for k in range(p.outputs):
                delta[k] = only_valid(p, sample, delta[k])
        total = vfma(c, loss, total)
    p.loss_sum[0] = total


cdef inline vec hits_of_samples(PackState *p, const vec *z, const vec *t) noexcept nogil:
    """1 where all outputs of the sample in a lane are right, else 0; for regressions always 1."""
    cdef vec one = splat(1), zero = splat(0), half = splat(<real> 0.5), right = one, best, argmax, wrong
    cdef int64_t k
    if p.loss == SOFTMAX_CROSS_ENTROPY:
        best, argmax = z[0], zero
        for k in range(1, p.outputs):
            argmax = choose_gt(z[k], best, splat(<real> k), argmax)
            best = choose_gt(z[k], best, z[k], best)
        return choose_eq(argmax, t[0], one, zero)
    if p.loss == BINARY_CROSS_ENTROPY:
        for k in range(p.outputs):
            wrong = choose_gt(z[k], zero, one, zero) - choose_gt(t[k], half, one, zero)
            right = choose_eq(wrong, zero, right, zero)
    return right


cdef inline void score_of_chunk(PackState *p, const vec *z, int64_t stride, int64_t count) noexcept nogil:
    """Count the hits of a chunk, and add the squares of its residuals by output.

    What is counted of all chunks is no `real`: float32 ends at 2^24.
    """
    cdef int64_t sample, k
    cdef int lane
    cdef const vec *row
    cdef const vec *t
    cdef vec right, r, hits = splat(0)
    for sample in range(count):
        row = z + sample * stride
        t = p.targets + sample * p.target_width
        right = hits_of_samples(p, row, t)
        hits = hits + (only_valid(p, sample, right) if p.sliced else right)
        for k in range(p.outputs if p.loss < BINARY_CROSS_ENTROPY else 0):
            r = row[k] - t[k]
            if p.sliced:
                r = only_valid(p, sample, r)
            p.residuals[k] = vfma(r, r, p.residuals[k])
    for lane in range(LANES):
        p.hits[lane] += <double> lane_of(hits, lane)


# --- One network whose units are the lanes: LANES samples are turned, so that a lane has one of them ------------------

cdef inline int64_t turn_samples(
    PackState *p, const real *z, int64_t stride, int64_t first, int64_t count
) noexcept nogil:
    """Turn outputs and targets of the next samples; where there are fewer than LANES, the last stands in."""
    cdef int64_t sample, k, lane, used = min(<int64_t> LANES, count - first)
    cdef real *outputs = <real *> p.turned_outputs
    cdef real *targets = <real *> p.turned_targets
    for lane in range(LANES):
        sample = first + min(lane, used - 1)
        for k in range(p.outputs):
            outputs[k * LANES + lane] = z[sample * stride + k]
        for k in range(p.target_width):
            targets[k * LANES + lane] = (<const real *> p.targets)[sample * p.target_width + k]
    return used


cdef inline void solo_loss_of_chunk(PackState *p, const vec *outputs, int64_t row, int64_t count) noexcept nogil:
    cdef int64_t first = 0, lane, k, used, stride = row * LANES
    cdef const real *z = <const real *> outputs
    cdef const real *turned = <const real *> p.turned_delta
    cdef const real *coefficients = <const real *> p.coefficients
    cdef real *delta = <real *> p.delta
    cdef real total = lane_of(p.loss_sum[0], 0)
    cdef vec c, loss
    while first < count:
        used = turn_samples(p, z, stride, first, count)
        c = load_lanes(coefficients + first)
        if p.loss == BINARY_CROSS_ENTROPY:
            exponentials(p, p.turned_outputs, p.turned_delta)
        loss = loss_of_samples(p, p.turned_outputs, p.turned_targets, c, p.turned_delta)
        for lane in range(used):
            total = rfma(coefficients[first + lane], lane_of(loss, <int> lane), total)
            for k in range(p.outputs):
                delta[(first + lane) * stride + k] = turned[k * LANES + lane]
        first += used
    p.loss_sum[0] = splat(total)


cdef inline void solo_score_of_chunk(PackState *p, const vec *outputs, int64_t row, int64_t count) noexcept nogil:
    cdef int64_t first = 0, lane, sample, k, used, stride = row * LANES
    cdef const real *z = <const real *> outputs
    cdef const real *targets = <const real *> p.targets
    cdef real *residuals = <real *> p.residuals
    cdef real r
    cdef vec right
    while first < count:
        used = turn_samples(p, z, stride, first, count)
        right = hits_of_samples(p, p.turned_outputs, p.turned_targets)
        for lane in range(used):
            p.hits[0] += <double> lane_of(right, <int> lane)
        first += used
    for sample in range(count if p.loss < BINARY_CROSS_ENTROPY else 0):
        for k in range(p.outputs):
            r = z[sample * stride + k] - targets[sample * p.target_width + k]
            residuals[k * LANES] = rfma(r, r, residuals[k * LANES])
