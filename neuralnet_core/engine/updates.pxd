"""The optimizers: from the gradient sums of a minibatch to new parameters."""

from neuralnet_core.engine.structs cimport *


cdef inline void per_update_scalars(PackState *p) noexcept nogil:
    """Rate, bias corrections and shrinkage of this update, in double, rounded once: the only place they are made."""
    cdef int lane
    cdef double rate, first, second
    for lane in range(LANES):
        rate = learning_rate(p.schedules + lane, LANES, p.updates)
        set_lane(&p.scalars[SHRINK], lane, <real> (-rate * p.hyper_exact[DECAY * LANES + lane]))
        if p.optimizer >= ADAM:
            first = next_power(&p.beta_power[lane], p.hyper_exact[FIRST * LANES + lane])
            second = next_power(&p.beta_power[LANES + lane], p.hyper_exact[SECOND * LANES + lane])
            rate = rate / (1.0 - first)
            set_lane(&p.scalars[ROOT], lane, <real> (1.0 / root(1.0 - second)))
        set_lane(&p.scalars[RATE], lane, <real> rate)


cdef inline double next_power(double *power, double beta) noexcept nogil:
    """beta^t as a running product; left alone it would sit at a subnormal for ever."""
    power[0] = power[0] * beta
    if power[0] < 8.673617379884035e-19:  # 2^-60
        power[0] = 0.0
    return power[0]


cdef inline vec clip_scale(PackState *p) noexcept nogil:
    """limit / norm where the gradient's norm is above the limit, else 1."""
    cdef vec total = splat(0), by_tensor, by_unit, norm, limit = p.hyper[CLIP]
    cdef int64_t index, unit, i
    cdef Tensor *tensor
    cdef const vec *g
    for index in range(p.tensors_count):
        tensor = &p.tensors[index]
        by_tensor = splat(0)
        for unit in range(tensor.units):
            by_unit = splat(0)
            g = p.gradients + tensor.start + unit
            for i in range(tensor.inputs):
                by_unit = vfma(g[i * tensor.units], g[i * tensor.units], by_unit)
            by_tensor = by_tensor + by_unit
        total = total + by_tensor
    norm = vsqrt(total)
    return choose_gt(norm, limit, limit / norm, splat(1))


cdef inline void update(PackState *p) noexcept nogil:
    """One step of the optimizer, parameter by parameter."""
    cdef int64_t index
    cdef vec scale = splat(1)
    per_update_scalars(p)
    if p.clipping:
        scale = clip_scale(p)
    for index in range(p.tensors_count):
        descend(p, &p.tensors[index], scale)
    p.updates += 1


cdef inline vec gradient(PackState *p, const Tensor *tensor, int64_t i, vec scale) noexcept nogil:
    """The gradient of a parameter as the optimizer takes it: clipped, then penalised."""
    cdef vec g = (p.gradients[i] + splat(0)) * scale
    if tensor.penalized:
        g = vfma(p.hyper[L1], sign_of(p.parameters[i]), vfma(p.hyper[L2], p.parameters[i], g))
    return g


cdef inline void descend(PackState *p, const Tensor *tensor, vec scale) noexcept nogil:
    """Take the optimizer's step for the parameters of a tensor."""
    cdef int64_t i, start = tensor.start, stop = tensor.start + tensor.inputs * tensor.units
    cdef vec *w = p.parameters
    cdef vec *first = p.first_state
    cdef vec *second = p.second_state
    cdef vec rate = p.scalars[RATE], root_correction = p.scalars[ROOT], shrink = p.scalars[SHRINK]
    cdef vec a = p.hyper[FIRST], a_rest = p.hyper[FIRST_REST], b = p.hyper[SECOND], b_rest = p.hyper[SECOND_REST]
    cdef vec epsilon = p.hyper[EPSILON], g, step
    if p.optimizer == GRADIENT_DESCENT:
        for i in range(start, stop):
            w[i] = vfma(negative(rate), gradient(p, tensor, i, scale), w[i])
    elif p.optimizer == MOMENTUM or p.optimizer == NESTEROV:
        for i in range(start, stop):
            g = gradient(p, tensor, i, scale)
            first[i] = without_subnormals(vfma(a, first[i], a_rest * g))
            step = vfma(a, first[i], g) if p.optimizer == NESTEROV else first[i]
            w[i] = vfma(negative(rate), step, w[i])
    elif p.optimizer == RMSPROP:
        for i in range(start, stop):
            g = gradient(p, tensor, i, scale)
            first[i] = without_subnormals(vfma(a, first[i], a_rest * (g * g)))
            w[i] = w[i] - rate * g / (vsqrt(first[i]) + epsilon)
    else:
        for i in range(start, stop):
            g = gradient(p, tensor, i, scale)
            first[i] = without_subnormals(vfma(a, first[i], a_rest * g))
            second[i] = without_subnormals(vfma(b, second[i], b_rest * (g * g)))
            if p.optimizer == ADAMW and tensor.penalized:
                w[i] = vfma(shrink, w[i], w[i])
            w[i] = w[i] - rate * first[i] / vfma(vsqrt(second[i]), root_correction, epsilon)
