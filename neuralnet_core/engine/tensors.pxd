"""Where the numbers of one network stand among the registers of its pack: the only place that knows."""

from libc.math cimport isfinite

from neuralnet_core.engine.structs cimport *


cdef inline int64_t own_units(const PackState *p, const Tensor *tensor, int lane) noexcept nogil:
    return p.stages[tensor.stage].lane_units[lane]


cdef inline int64_t own_inputs(const PackState *p, const Tensor *tensor, int lane) noexcept nogil:
    if not tensor.is_weight:
        return 1
    return p.inputs if tensor.stage == 0 else p.stages[tensor.stage - 1].lane_units[lane]


cdef inline real *row_of(
    const PackState *p, const Tensor *tensor, const vec *registers, int64_t i, int lane
) noexcept nogil:
    """The first of a network's numbers of a row; the others are `step_of` apart."""
    return <real *> (registers + tensor.start + i * tensor.stride) + (0 if p.solo else lane)


cdef inline int64_t step_of(const PackState *p) noexcept nogil:
    return 1 if p.solo else LANES


cdef inline int64_t own_size(const PackState *p, int lane) noexcept nogil:
    """How many parameters the network of a lane has."""
    cdef int64_t index, size = 0
    for index in range(p.tensors_count):
        size += own_inputs(p, &p.tensors[index], lane) * own_units(p, &p.tensors[index], lane)
    return size


cdef inline void take_out(const PackState *p, const vec *registers, int lane, real *flat) noexcept nogil:
    """Copy what registers hold of a network: flat, in layout order."""
    cdef int64_t index, i, unit, step = step_of(p)
    cdef const Tensor *tensor
    cdef const real *row
    for index in range(p.tensors_count):
        tensor = &p.tensors[index]
        for i in range(own_inputs(p, tensor, lane)):
            row = row_of(p, tensor, registers, i, lane)
            for unit in range(own_units(p, tensor, lane)):
                flat[0] = row[unit * step]
                flat += 1


cdef inline void put_back(const PackState *p, vec *registers, int lane, const real *flat) noexcept nogil:
    """The other way round; padding is left as it is."""
    cdef int64_t index, i, unit, step = step_of(p)
    cdef const Tensor *tensor
    cdef real *row
    for index in range(p.tensors_count):
        tensor = &p.tensors[index]
        for i in range(own_inputs(p, tensor, lane)):
            row = row_of(p, tensor, registers, i, lane)
            for unit in range(own_units(p, tensor, lane)):
                row[unit * step] = flat[0]
                flat += 1


cdef inline void put_in(const PackState *p, vec *registers, int lane, const real *flat) noexcept nogil:
    """The same for parameters from outside: no bias is -0 (product.h)."""
    cdef int64_t index, unit, step = step_of(p)
    cdef const Tensor *tensor
    cdef real *row
    put_back(p, registers, lane, flat)
    for index in range(p.tensors_count):
        tensor = &p.tensors[index]
        if not tensor.is_weight:
            row = row_of(p, tensor, registers, 0, lane)
            for unit in range(own_units(p, tensor, lane)):
                row[unit * step] = row[unit * step] + <real> 0


cdef inline void put_constant(PackState *p, const Tensor *tensor, int lane, double value) noexcept nogil:
    """Let all of a parameter of a network be one number."""
    cdef int64_t i, unit, step = step_of(p)
    cdef real *row
    for i in range(own_inputs(p, tensor, lane)):
        row = row_of(p, tensor, p.parameters, i, lane)
        for unit in range(own_units(p, tensor, lane)):
            row[unit * step] = <real> value


cdef inline void put_drawn(
    PackState *p, const Tensor *tensor, int lane, const double *draws, int64_t width, double spread
) noexcept nogil:
    """Let a parameter of a network be a corner of draws (inputs, width), multiplied by `spread`."""
    cdef int64_t i, unit, step = step_of(p)
    cdef real *row
    for i in range(own_inputs(p, tensor, lane)):
        row = row_of(p, tensor, p.parameters, i, lane)
        for unit in range(own_units(p, tensor, lane)):
            row[unit * step] = <real> (draws[i * width + unit] * spread)


cdef inline vec finite_lanes(const PackState *p) noexcept nogil:
    """+0 in the lanes whose parameters are all finite, else NaN."""
    cdef int64_t index, i, column
    cdef const Tensor *tensor
    cdef const vec *row
    cdef vec sum = splat(0)
    for index in range(p.tensors_count):
        tensor = &p.tensors[index]
        for i in range(tensor.inputs):
            row = p.parameters + tensor.start + i * tensor.stride
            for column in range(tensor.columns):
                sum = vfma(row[column], splat(0), sum)
    return sum


cdef inline bint network_is_finite(const PackState *p) noexcept nogil:
    """The same of one network whose units are the lanes."""
    cdef int64_t index, i, unit
    cdef const Tensor *tensor
    cdef const real *row
    for index in range(p.tensors_count):
        tensor = &p.tensors[index]
        for i in range(tensor.inputs):
            row = row_of(p, tensor, p.parameters, i, 0)
            for unit in range(tensor.units):
                if not isfinite(row[unit]):
                    return False
    return True
