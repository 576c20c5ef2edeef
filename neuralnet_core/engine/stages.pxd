"""Forward and backward through the stages of a pack, one chunk of samples at a time."""

from libc.string cimport memset

from neuralnet_core.engine.dropout cimport dropout_forward, scaled_or_zero, solo_dropout_forward
from neuralnet_core.engine.polling cimport poll_after
from neuralnet_core.engine.structs cimport *


cdef inline Block input_of(PackState *p, int64_t index) noexcept nogil:
    """The block that a stage reads: the data, or what the stage before it gave."""
    cdef Block block = p.input
    if index > 0:
        block.data = p.stages[index - 1].output
        block.stride = p.stages[index - 1].stride * (LANES if p.solo else 1)
        block.shared = p.solo
    return block


cdef inline int forward(PackState *p, int64_t count, int64_t position, bint training) except -1 nogil:
    """Run a chunk through all stages; `position` is its first sample's place in the minibatch."""
    cdef int64_t index = 0
    cdef Stage *stage
    while index < p.depth:
        stage = &p.stages[index]
        if goes_by_columns(p, index + 1, count):
            forward_by_columns(p, stage, stage + 1, input_of(p, index), input_of(p, index + 1), count)
            poll_after(p, products_of(stage, count))
            index += 1
        elif stage.kind == STAGE_DENSE:
            dense_forward(p, stage, input_of(p, index), count)
            poll_after(p, products_of(stage, count))
        elif p.solo:
            solo_dropout_forward(p, stage, input_of(p, index), count, position, training)
        else:
            dropout_forward(p, stage, input_of(p, index), count, position, training)
        index += 1
    return 0


cdef inline int64_t products_of(const Stage *stage, int64_t count) noexcept nogil:
    """How many multiply-adds of registers a chunk of so many samples takes in a dense stage."""
    return count * stage.inputs * stage.columns


# --- Dense ----------------------------------------------------------------------------------------------------------

cdef inline void dense_forward(PackState *p, Stage *stage, Block source, int64_t count) noexcept nogil:
    cdef product args
    read_forward(&args, p, stage, source, count)
    forward_product(&args)
    if not is_cheap(stage.activation):
        activate(stage.activation, stage.output, stage.slope, count * stage.stride)
        if not keeps_zero(stage.activation):
            clear_padding(p, stage, stage.output, count)


cdef inline void read_forward(
    product *args, PackState *p, Stage *stage, Block source, int64_t count
) noexcept nogil:
    memset(args, 0, sizeof(product))
    args.a, args.a_m, args.a_k, args.shared = source.data, source.stride, 1, source.shared
    args.b, args.b_n, args.b_k = p.parameters + stage.weight, 1, stage.stride
    args.c, args.c_m = stage.output, stage.stride
    args.m, args.n, args.k = count, stage.columns, stage.inputs
    args.bias = p.parameters + stage.bias if stage.bias >= 0 else p.zeros
    args.activation = stage.activation
    args.present_n, args.narrowest_n = stage.present, narrowest_column(p, stage)


cdef inline void read_input_gradient(
    product *args, PackState *p, Stage *stage, Stage *below, int64_t count, bint fresh
) noexcept nogil:
    """From a stage's delta to that of the stage below it, with the gradient of its bias."""
    memset(args, 0, sizeof(product))
    args.a, args.a_m, args.a_k, args.shared = p.delta, stage.stride, 1, p.solo
    args.b, args.b_n, args.b_k = p.parameters + stage.weight, stage.stride, 1
    if p.solo:
        turn_weights(p, stage, below)
        args.a_m = stage.stride * LANES
        args.b, args.b_n, args.b_k = stage.turned, 1, below.stride
    args.c, args.c_m = next_delta(p), below.stride
    args.m, args.n, args.k = count, below.columns, stage.units
    args.value, args.slope = below.output, below.slope
    args.present_n, args.narrowest_n = below.present, narrowest_column(p, below)
    if below.kind == STAGE_DENSE:
        args.activation = below.activation
        args.bias_gradient = bias_gradient_of(p, below, fresh)
    else:
        args.activation = DROPPED


cdef inline vec *next_delta(PackState *p) noexcept nogil:
    """Where there is room for the delta of the stage below."""
    return p.deltas[1] if p.delta == p.deltas[0] else p.deltas[0]


cdef inline vec *dense_gradients(
    PackState *p, Stage *stage, Stage *below, Block source, int64_t count, bint fresh, bint last
) noexcept nogil:
    """The input gradient, which wants the weights as they were, and the weight gradient; returns the delta below."""
    cdef product args
    if stage.units > 1 or p.solo:
        read_input_gradient(&args, p, stage, below, count, fresh)
        input_gradient_product(&args)
        poll_after(p, products_of(stage, count))
        dense_weight_gradient(p, stage, below, source, count, fresh, last)
        return args.c
    read_one_unit(&args, p, stage, below, count, fresh, last)
    # The activations below are read here for the last time: their place in the cache is their delta's.
    args.c = below.output
    gradients_of_one_unit(&args)
    descend_bias(p, stage, last)
    return args.c


cdef inline void read_one_unit(
    product *args, PackState *p, Stage *stage, Stage *below, int64_t count, bint fresh, bint last
) noexcept nogil:
    read_input_gradient(args, p, stage, below, count, fresh)
    args.value_m = below.stride
    args.resumes = not fresh
    args.weight_gradient, args.place = p.slice_gradients + stage.weight, stage.weight
    args.update = update_with(p, last)


cdef inline void dense_weight_gradient(
    PackState *p, Stage *stage, const Stage *below, Block source, int64_t count, bint fresh, bint last
) noexcept nogil:
    """Add to the gradient sums; with the last samples of a minibatch, take the optimizer's step where it is fused.

    `below` is NULL for the first dense stage: all lanes have as many inputs.
    """
    cdef product args
    read_weight_gradient(&args, p, stage, below, source, count, fresh, last)
    weight_gradient_product(&args)
    descend_after_sums(p, stage, last)


cdef inline void read_weight_gradient(
    product *args, PackState *p, Stage *stage, const Stage *below, Block source, int64_t count, bint fresh, bint last
) noexcept nogil:
    cdef const descent *update = update_with(p, last)
    memset(args, 0, sizeof(product))
    args.a, args.a_m, args.a_k, args.shared = source.data, 1, source.stride, source.shared
    args.b, args.b_n, args.b_k = p.delta, 1, stage.stride
    args.c, args.c_m, args.place = p.slice_gradients + stage.weight, stage.stride, stage.weight
    args.m, args.n, args.k = stage.inputs, stage.columns, count
    args.resumes = not fresh
    args.present_n, args.narrowest_n = stage.present, narrowest_column(p, stage)
    args.narrowest_m = stage.inputs
    if below != NULL and not p.solo:
        args.present_m, args.narrowest_m = below.present, below.narrowest
    if update != NULL and steps_in_tiles(update):
        args.update = update


cdef inline void descend_after_sums(PackState *p, const Stage *stage, bint last) noexcept nogil:
    """The steps of a layer that are not taken where its sums stand."""
    cdef const descent *update = update_with(p, last)
    if update != NULL and not steps_in_tiles(update):
        descend_rows(update, stage.weight, stage.stride, p.slice_gradients + stage.weight, stage.inputs, stage.columns,
                     True)
    descend_bias(p, stage, last)


cdef inline const descent *update_with(PackState *p, bint last) noexcept nogil:
    """The optimizer's step, to be taken as gradients are complete; NULL where they are not, or it comes later."""
    return p.step if p.fused and last else NULL


cdef inline void descend_bias(PackState *p, const Stage *stage, bint last) noexcept nogil:
    cdef const descent *update = update_with(p, last)
    if update != NULL and stage.bias >= 0:
        descend_line(update, stage.bias, p.slice_gradients + stage.bias, stage.columns, False)


cdef inline vec *bias_gradient_of(PackState *p, const Stage *stage, bint fresh) noexcept nogil:
    """Where a stage's bias gradient is summed, from +0 if `fresh`; NULL without a bias."""
    if stage.bias < 0:
        return NULL
    if fresh:
        memset(p.slice_gradients + stage.bias, 0, stage.columns * sizeof(vec))
    return p.slice_gradients + stage.bias


cdef inline void turn_weights(PackState *p, Stage *stage, const Stage *below) noexcept nogil:
    """[input][unit] -> [unit][input], so that the lanes of the input gradient are the inputs."""
    cdef int64_t i, unit
    cdef const real *row
    cdef real *turned = <real *> stage.turned
    for i in range(stage.inputs):
        row = <const real *> (p.parameters + stage.weight + i * stage.stride)
        for unit in range(stage.units):
            turned[unit * below.stride * LANES + i] = row[unit]


# --- By columns -----------------------------------------------------------------------------------------------------

cdef inline bint goes_by_columns(PackState *p, int64_t index, int64_t count) noexcept nogil:
    """Whether a stage has one unit, and the one below it more activations than the first cache holds.

    There are as many columns, too, that their deltas, of which a few are there at a time, have room in p.deltas.
    """
    cdef const Stage *stage = &p.stages[index]
    cdef const Stage *below = stage - 1
    if p.solo or index >= p.depth or stage.kind != STAGE_DENSE or stage.units > 1 or below.kind != STAGE_DENSE:
        return False
    return below.columns > COLUMNS_BACK and count * below.stride > FIRST_CACHE // <int64_t> sizeof(vec)


cdef inline void forward_by_columns(
    PackState *p, Stage *stage, Stage *above, Block source, Block between, int64_t count
) noexcept nogil:
    cdef product args, sums
    cdef int64_t first = 0, step = 0, columns, sample, start
    read_forward(&args, p, stage, source, count)
    read_forward(&sums, p, above, between, count)
    while first < stage.columns:
        columns = min(<int64_t> COLUMNS_FORWARD, stage.columns - first)
        move_columns(&args, step, columns)
        forward_product(&args)
        if not is_cheap(stage.activation):
            for sample in range(count):
                start = sample * stage.stride + first
                activate(stage.activation, stage.output + start, stage.slope + start, columns)
            if not keeps_zero(stage.activation):
                clear_columns(stage, stage.output, count, first, first + columns)
        forward_terms(&sums, first, first + columns)
        first, step = first + columns, columns
    if not is_cheap(above.activation):
        activate(above.activation, above.output, above.slope, count * above.stride)


cdef inline void backward_by_columns(
    PackState *p, Stage *stage, Stage *below, Block source, int64_t count, bint fresh, bint last
) noexcept nogil:
    """All gradients of a layer with one unit and of the layer below it, which is the first of the dense ones."""
    cdef product outer, inner
    cdef vec *delta = next_delta(p)
    cdef int64_t first = 0, step = 0, columns
    read_one_unit(&outer, p, stage, below, count, fresh, last)
    read_weight_gradient(&inner, p, below, NULL, source, count, fresh, last)
    outer.c_m = inner.b_k = COLUMNS_BACK | 1
    while first < below.columns:
        columns = min(<int64_t> COLUMNS_BACK, below.columns - first)
        move_columns(&outer, step, columns)
        move_columns(&inner, step, columns)
        outer.c = inner.b = delta
        gradients_of_one_unit(&outer)
        weight_gradient_product(&inner)
        first, step = first + columns, columns
    descend_bias(p, stage, last)
    descend_after_sums(p, below, last)


# --- Padding --------------------------------------------------------------------------------------------------------

cdef inline int64_t narrowest_column(PackState *p, const Stage *stage) noexcept nogil:
    """The column from which on some lanes have padding: none where the lanes are units, whose padding is never read."""
    return stage.columns if p.solo else stage.narrowest


cdef inline void mark_present(Stage *stage) noexcept nogil:
    cdef int64_t unit
    cdef int lane
    for unit in range(stage.narrowest, stage.units):
        for lane in range(LANES):
            set_lane(&stage.present[unit - stage.narrowest], lane, unit < stage.lane_units[lane])


cdef inline void clear_padding(PackState *p, const Stage *stage, vec *block, int64_t count) noexcept nogil:
    """Set the units that a lane does not have to +0: by select, whatever a diverging network makes of them."""
    clear_columns(stage, block, count, narrowest_column(p, stage), stage.columns)


cdef inline void clear_columns(
    const Stage *stage, vec *block, int64_t count, int64_t first, int64_t last
) noexcept nogil:
    cdef int64_t sample, unit
    cdef vec zero = splat(0)
    for unit in range(max(first, stage.narrowest), last):
        for sample in range(count):
            block[sample * stage.stride + unit] = choose_gt(
                stage.present[unit - stage.narrowest], zero, block[sample * stage.stride + unit], zero)


# --- Backward -------------------------------------------------------------------------------------------------------

cdef inline int backward(PackState *p, int64_t count, bint fresh, bint last) except -1 nogil:
    """From the output delta to the gradient sums of the slice; `fresh` starts them from +0, `last` ends them."""
    cdef int64_t index, first = 0
    cdef Stage *stage
    while p.stages[first].kind != STAGE_DENSE:
        first += 1
    finish_delta(p, &p.stages[p.depth - 1], count, fresh)
    for index in range(p.depth - 1, first - 1, -1):
        stage = &p.stages[index]
        if stage.kind == STAGE_DROPOUT:
            finish_delta(p, &p.stages[index - 1], count, fresh)
            continue
        if index == first + 1 and goes_by_columns(p, index, count):
            backward_by_columns(p, stage, stage - 1, input_of(p, first), count, fresh, last)
            poll_after(p, products_of(stage - 1, count))
            return 0
        if index > first:
            p.delta = dense_gradients(p, stage, &p.stages[index - 1], input_of(p, index), count, fresh, last)
        else:
            dense_weight_gradient(p, stage, NULL, input_of(p, index), count, fresh, last)
        poll_after(p, products_of(stage, count))
    return 0


cdef inline void finish_delta(PackState *p, Stage *stage, int64_t count, bint fresh) noexcept nogil:
    """Gradient by a stage's outputs -> by its weighted sums, and the gradient of its bias."""
    cdef int64_t sample, column, i
    cdef vec *bias
    if stage.kind == STAGE_DROPOUT:
        for i in range(count * stage.stride):
            p.delta[i] = scaled_or_zero(p.delta[i], stage.slope[i])
        return
    multiply_by_slope(stage.activation, p.delta, stage.output, stage.slope, count * stage.stride)
    clear_padding(p, stage, p.delta, count)
    bias = bias_gradient_of(p, stage, fresh)
    if bias != NULL:
        for sample in range(count):
            for column in range(stage.columns):
                bias[column] = bias[column] + p.delta[sample * stage.stride + column]
