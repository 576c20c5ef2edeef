"""The update of a minibatch: its numbers, once for each network, and its steps where none was fused."""

from libc.string cimport memset

from neuralnet_core.engine.polling cimport poll_after
from neuralnet_core.engine.structs cimport *


cdef inline void per_update_scalars(PackState *p) noexcept nogil:
    """Rate, bias corrections and shrinkage of this update, in double, rounded once: the only place they are made."""
    cdef int lane
    cdef double rate, first, second
    for lane in range(LANES):
        rate = learning_rate(p.schedules + lane, LANES, p.updates)
        if p.optimizer == ADAMW:
            set_lane(&p.step.shrink, lane, within_reach(-rate * p.hyper_exact[DECAY * LANES + lane]))
        if p.optimizer >= ADAM:
            first = next_power(&p.beta_power[lane], p.hyper_exact[FIRST * LANES + lane])
            second = next_power(&p.beta_power[LANES + lane], p.hyper_exact[SECOND * LANES + lane])
            rate = rate / (1.0 - first)
            set_lane(&p.step.root_correction, lane, <real> (1.0 / root(1.0 - second)))
        set_lane(&p.step.rate, lane, within_reach(rate))


cdef inline double next_power(double *power, double beta) noexcept nogil:
    """beta^t as a running product; left alone it would sit at a subnormal for ever."""
    power[0] = power[0] * beta
    if power[0] < 8.673617379884035e-19:  # 2^-60
        power[0] = 0.0
    return power[0]


cdef inline int update(PackState *p) except -1 nogil:
    """Take the optimizer's step, unless it was taken as the gradient sums ended."""
    cdef int64_t index
    cdef Tensor *tensor
    if not p.fused:
        if p.clipping:
            p.step.scale = clip_scale(p)
        for index in range(p.tensors_count):
            tensor = &p.tensors[index]
            descend_rows(p.step, tensor.start, tensor.stride, p.gradients + tensor.start, tensor.inputs, tensor.columns,
                         tensor.is_weight)
            poll_after(p, tensor.inputs * tensor.columns)
    p.updates += 1
    return 0


cdef inline vec clip_scale(PackState *p) noexcept nogil:
    """limit / norm where the gradient's norm is above the limit, else 1."""
    cdef vec total = splat(0), norm, limit = p.hyper[CLIP]
    cdef int64_t index
    for index in range(p.tensors_count):
        total = total + sum_of_squares(p, &p.tensors[index])
    norm = vsqrt(total)
    return choose_gt(norm, limit, limit / norm, splat(1))


cdef inline vec sum_of_squares(PackState *p, const Tensor *tensor) noexcept nogil:
    """The squares of a gradient, summed by unit over the inputs, then over the units."""
    cdef int64_t i, column, unit
    cdef const vec *g
    cdef vec total = splat(0)
    cdef real in_turn = 0
    memset(p.by_unit, 0, tensor.columns * sizeof(vec))
    for i in range(tensor.inputs):
        g = p.gradients + tensor.start + i * tensor.stride
        for column in range(tensor.columns):
            p.by_unit[column] = vfma(g[column], g[column], p.by_unit[column])
    if p.solo:
        for unit in range(tensor.units):
            in_turn = in_turn + (<const real *> p.by_unit)[unit]
        return splat(in_turn)
    for column in range(tensor.columns):
        total = total + p.by_unit[column]
    return total
