"""From rows of the data to the blocks that the stages read: inputs, targets and coefficients of the loss."""

from libc.string cimport memcpy

from neuralnet_core.engine.losses cimport SOFTMAX_CROSS_ENTROPY
from neuralnet_core.engine.structs cimport *


cdef inline void stand_at(PackState *p, const Samples *samples, int64_t index) noexcept nogil:
    """Let the chunk's samples stand in `samples` from place `index` on."""
    cdef int64_t step = p.input.stride * <int64_t> (sizeof(real) if p.input.shared else sizeof(vec))
    p.input.data = <char *> samples.inputs + index * step
    p.valid = samples.valid + index
    if p.solo:
        p.targets = <vec *> ((<real *> samples.targets) + index * p.target_width)
        p.coefficients = <vec *> ((<real *> samples.coefficients) + index)
    else:
        p.targets = samples.targets + index * p.target_width
        p.coefficients = samples.coefficients + index


cdef inline void gather_inputs(
    PackState *p, const Data *data, const Rows *rows, int64_t first, int64_t count
) noexcept nogil:
    cdef int64_t sample, feature, width = p.inputs, stride = p.input.stride
    cdef int lane
    cdef real *target = <real *> p.input.data
    cdef const real *source
    if rows.shared:
        for sample in range(count):
            source = data.features + rows.index[first + sample] * width
            memcpy(target + sample * stride, source, width * sizeof(real))
        return
    for sample in range(count):
        for lane in range(LANES):
            source = data.features + rows.index[(first + sample) * LANES + lane] * width
            for feature in range(width):
                target[(sample * stride + feature) * LANES + lane] = source[feature]


cdef inline void gather_targets(
    PackState *p, const Data *data, const Rows *rows, int64_t first, int64_t count
) noexcept nogil:
    cdef int64_t sample, k, width = p.target_width
    cdef int lane
    cdef const real *source
    if p.solo:
        for sample in range(count):
            source = data.targets + rows.index[first + sample] * width
            memcpy((<real *> p.targets) + sample * width, source, width * sizeof(real))
        return
    for sample in range(count):
        if rows.shared:
            source = data.targets + rows.index[first + sample] * width
            for k in range(width):
                p.targets[sample * width + k] = splat(source[k])
            continue
        for lane in range(LANES):
            source = data.targets + rows.index[(first + sample) * LANES + lane] * width
            for k in range(width):
                set_lane(&p.targets[sample * width + k], lane, source[k])


cdef inline double sum_of_weights(
    const Data *data, const Rows *rows, int64_t first, int64_t count, int lane
) noexcept nogil:
    """The weights of a minibatch, summed as every sum over samples is: in slices where there are many."""
    cdef int64_t length = slice_length(count), part_index, position, stride = 1 if rows.shared else LANES
    cdef double total = 0.0, part
    for part_index in range(pieces(count, length)):
        part = 0.0
        for position in range(first + part_index * length, first + min((part_index + 1) * length, count)):
            part += data.weights[rows.index[position * stride + lane]]
        total += part
    return total


cdef inline void gather_coefficients(
    PackState *p, const Data *data, const Rows *rows, int64_t first, int64_t count
) noexcept nogil:
    """c = w / sum w (or 1 / n), shared out over the outputs where the loss is a mean over them."""
    cdef int64_t sample, position
    cdef int lane
    cdef double c, outputs = 1.0 if p.loss == SOFTMAX_CROSS_ENTROPY else <double> p.outputs
    if p.solo:
        for sample in range(count):
            c = 1.0 if data.weights == NULL else data.weights[rows.index[first + sample]]
            (<real *> p.coefficients)[sample] = <real> (c / p.totals[0] / outputs)
        return
    for sample in range(count):
        position = first + sample
        if data.weights == NULL:
            p.coefficients[sample] = splat(<real> (1.0 / p.totals[0] / outputs))
        elif rows.shared:
            c = data.weights[rows.index[position]] / p.totals[0] / outputs
            p.coefficients[sample] = splat(<real> c)
        else:
            for lane in range(LANES):
                c = data.weights[rows.index[position * LANES + lane]] / p.totals[lane] / outputs
                set_lane(&p.coefficients[sample], lane, <real> c)


cdef inline void gather_validity(PackState *p, int64_t position, int64_t count) noexcept nogil:
    """Mark the samples that belong to the slice of a lane; what stands in for the others must count for nothing."""
    cdef int64_t sample
    cdef int lane
    for sample in range(count):
        for lane in range(LANES):
            set_lane(&p.valid[sample], lane, p.lane_first[lane] + position + sample < p.lane_last[lane])


cdef inline int64_t slice_length(int64_t count) noexcept nogil:
    """How many samples are summed in one go: all of them, or an eighth where there are more than SLICED."""
    return count if count <= SLICED else (count + SLICES - 1) // SLICES


cdef inline int64_t pieces(int64_t count, int64_t length) noexcept nogil:
    """How many pieces of `length` cover `count` samples; the last may be shorter."""
    return (count + length - 1) // length
