"""Forward and backward through the stages of a pack, one chunk of samples at a time."""

from neuralnet_core.engine.activations cimport activate, multiply_by_slope
from neuralnet_core.engine.structs cimport *


cdef inline Block input_of(PackState *p, int64_t index) noexcept nogil:
    """The block that a stage reads: the data, or what the stage before it gave."""
    cdef Block block = p.input
    if index > 0:
        block.data = p.stages[index - 1].output
        block.stride = p.stages[index - 1].stride
        block.shared = 0
    return block


cdef inline void forward(PackState *p, int64_t count, int64_t position, bint training) noexcept nogil:
    """Run a chunk through all stages; `position` is its first sample's place in the minibatch."""
    cdef int64_t index
    cdef Stage *stage
    for index in range(p.depth):
        stage = &p.stages[index]
        if stage.kind == STAGE_DENSE:
            dense_forward(p, stage, input_of(p, index), count)
        else:
            dropout_forward(p, stage, input_of(p, index), count, position, training)


cdef inline void dense_forward(PackState *p, Stage *stage, Block source, int64_t count) noexcept nogil:
    cdef product_args args
    cdef int64_t sample, unit
    cdef vec zero = splat(0)
    cdef vec *row
    cdef const vec *bias = p.parameters + stage.bias
    args.a, args.a_m, args.a_k, args.shared = source.data, source.stride, 1, source.shared
    args.b, args.b_n, args.b_k = p.parameters + stage.weight, 1, stage.units
    args.c, args.c_m, args.accumulate = stage.output, stage.stride, 0
    args.m, args.n, args.k = count, stage.units, stage.inputs
    product(&args)
    for sample in range(count):
        row = stage.output + sample * stage.stride
        for unit in range(stage.units):
            row[unit] = row[unit] + zero
            if stage.bias >= 0:
                row[unit] = row[unit] + bias[unit]
    activate(stage.activation, stage.output, stage.slope, count * stage.stride)
    clear_padding(stage, stage.output, count)


cdef inline void mark_present(Stage *stage) noexcept nogil:
    cdef int64_t unit
    cdef int lane
    for unit in range(stage.narrowest, stage.units):
        for lane in range(LANES):
            set_lane(&stage.present[unit - stage.narrowest], lane, unit < stage.lane_units[lane])


cdef inline void clear_padding(const Stage *stage, vec *block, int64_t count) noexcept nogil:
    """Set the units that a lane does not have to +0: by select, whatever a diverging network makes of them."""
    cdef int64_t sample, unit
    cdef vec zero = splat(0)
    for unit in range(stage.narrowest, stage.units):
        for sample in range(count):
            block[sample * stage.stride + unit] = choose_gt(
                stage.present[unit - stage.narrowest], zero, block[sample * stage.stride + unit], zero)


cdef inline void clear_padded_weights(const Stage *source, const Stage *stage, vec *weights) noexcept nogil:
    """The same for the gradient of weights, from units or to units that a lane does not have; source NULL: the data."""
    cdef int64_t i, unit, narrowest = stage.inputs if source == NULL else source.narrowest
    cdef vec zero = splat(0), present
    for i in range(stage.inputs if stage.narrowest < stage.units else 0):
        for unit in range(stage.narrowest, stage.units):
            weights[i * stage.units + unit] = choose_gt(
                stage.present[unit - stage.narrowest], zero, weights[i * stage.units + unit], zero)
    for i in range(narrowest, stage.inputs):
        present = source.present[i - narrowest]
        for unit in range(stage.units):
            weights[i * stage.units + unit] = choose_gt(present, zero, weights[i * stage.units + unit], zero)


cdef inline void dropout_forward(
    PackState *p, Stage *stage, Block source, int64_t count, int64_t position, bint training
) noexcept nogil:
    cdef int64_t sample, unit
    cdef vec x
    cdef vec *out
    if training:
        dropout_slopes(p, stage, count, position)
    for sample in range(count):
        out = stage.output + sample * stage.stride
        for unit in range(stage.units):
            if source.shared:
                x = splat((<const real *> source.data)[sample * source.stride + unit])
            else:
                x = (<const vec *> source.data)[sample * source.stride + unit]
            if training:
                x = scaled_or_zero(x, stage.slope[sample * stage.stride + unit])
            out[unit] = x


cdef inline vec scaled_or_zero(vec x, vec slope) noexcept nogil:
    return choose_gt(slope, splat(0), x * slope, splat(0))


cdef inline void dropout_slopes(PackState *p, Stage *stage, int64_t count, int64_t position) noexcept nogil:
    """1 / (1 - rate) where a unit is kept, 0 where it is dropped."""
    cdef int64_t sample, unit
    cdef int lane
    cdef uint64_t key
    cdef uint32_t low[64]
    cdef uint32_t high[64]
    cdef uint32_t counter[64]
    cdef uint32_t *threshold = p.dropout_threshold + stage.dropout * LANES
    cdef real *scale = <real *> (p.dropout_scale + stage.dropout)
    cdef real *slope
    for lane in range(LANES):
        key = dropout_key(p.seeds[lane], <uint64_t> stage.layer, <uint64_t> p.updates)
        low[lane] = <uint32_t> key
        high[lane] = <uint32_t> (key >> 32)
    for sample in range(count):
        for lane in range(LANES):
            counter[lane] = <uint32_t> ((p.lane_first[lane] + position + sample) * stage.lane_units[lane])
        for unit in range(stage.units):
            slope = <real *> (stage.slope + sample * stage.stride + unit)
            for lane in range(LANES):
                slope[lane] = scale[lane] if dropout_word(low[lane], high[lane], counter[lane] + <uint32_t> unit) \
                    >= threshold[lane] else 0


cdef inline void backward(PackState *p, int64_t count, bint fresh) noexcept nogil:
    """From the output delta to the gradient sums of the slice; `fresh` starts them from +0."""
    cdef int64_t index, first = 0
    cdef Stage *stage
    while p.stages[first].kind != STAGE_DENSE:
        first += 1
    for index in range(p.depth - 1, first - 1, -1):
        stage = &p.stages[index]
        if stage.kind == STAGE_DENSE:
            multiply_by_slope(stage.activation, p.delta, stage.output, stage.slope, count * stage.stride)
            clear_padding(stage, p.delta, count)
            dense_gradients(p, stage, input_of(p, index), count, fresh)
            clear_padded_weights(
                &p.stages[index - 1] if index > 0 else NULL, stage, p.slice_gradients + stage.weight)
            if index > first:
                dense_backward(p, stage, p.stages[index - 1].stride, count)
                p.delta, p.delta_next = p.delta_next, p.delta
        else:
            for i in range(count * stage.stride):
                p.delta[i] = scaled_or_zero(p.delta[i] + splat(0), stage.slope[i])


cdef inline void dense_gradients(PackState *p, Stage *stage, Block source, int64_t count, bint fresh) noexcept nogil:
    cdef product_args args
    cdef int64_t sample, unit
    cdef vec *bias = p.slice_gradients + stage.bias
    args.a, args.a_m, args.a_k, args.shared = source.data, 1, source.stride, source.shared
    args.b, args.b_n, args.b_k = p.delta, 1, stage.stride
    args.c, args.c_m, args.accumulate = p.slice_gradients + stage.weight, stage.units, not fresh
    args.m, args.n, args.k = stage.inputs, stage.units, count
    product(&args)
    if stage.bias < 0:
        return
    if fresh:
        for unit in range(stage.units):
            bias[unit] = splat(0)
    for sample in range(count):
        for unit in range(stage.units):
            bias[unit] = bias[unit] + p.delta[sample * stage.stride + unit]


cdef inline void dense_backward(PackState *p, Stage *stage, int64_t stride, int64_t count) noexcept nogil:
    cdef product_args args
    args.a, args.a_m, args.a_k, args.shared = p.delta, stage.stride, 1, 0
    args.b, args.b_n, args.b_k = p.parameters + stage.weight, stage.units, 1
    args.c, args.c_m, args.accumulate = p.delta_next, stride, 0
    args.m, args.n, args.k = count, stage.inputs, stage.units
    product(&args)
