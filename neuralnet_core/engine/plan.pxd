"""From a plan (plans.PackPlan) to the structs that the kernels read: networks, hyperparameters, first values, data.

Idle lanes repeat the first. Not copied, so that the plan must outlive the pack: features, targets, weights, the cancel
flag, and rows that all lanes share. The rest is read once.
"""

from cpython cimport array
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, malloc

from neuralnet_core.engine.course cimport draws_orders
from neuralnet_core.engine.gather cimport pieces
from neuralnet_core.engine.stages cimport mark_present
from neuralnet_core.engine.structs cimport *
from neuralnet_core.engine.tensors cimport own_size, put_constant, put_drawn, put_in
from neuralnet_core.engine.workspace cimport let_stay, new_arena

# How a parameter starts, as encoding.py says it: all at one value, or draws that are multiplied by it.
cdef enum:
    CONSTANT = 0
    UNIFORM = 1
    NORMAL = 2


cdef inline int read_plan(PackState *p, Course *c, plan, draws) except -1:
    """Allocate all that a pack needs, and fill it; `draws` is random.raw_draws."""
    cdef const int[::1] cancel = plan.cancel
    cdef int64_t dropouts, longest = plan.longest_slice
    cdef int lane
    p.cancel = &cancel[0]
    c.used = <int> len(plan.seeds)
    p.loss, p.optimizer, p.clipping, p.solo, p.chunk = plan.loss, plan.optimizer, plan.clipping, plan.solo, plan.chunk
    p.inputs, p.outputs, p.target_width = plan.inputs, plan.outputs, plan.target_width
    read_course(c, plan)
    dropouts = read_stages(p, plan.program, plan.widths)
    p.passing.room, p.spread.count = p.chunk, longest
    if plan.trains and c.epochs > 1:  # after one epoch nothing comes again
        let_stay(p, c)
    if new_arena(p, c, dropouts, plan.trains, draws_orders(c)) != 0:
        raise MemoryError(no_room(p, c))
    for index in range(p.depth):
        mark_present(&p.stages[index])
    for lane in range(c.used):
        c.largest = max(c.largest, own_size(p, lane))
    c.kept = <real *> malloc(c.used * c.largest * sizeof(real))
    if c.kept == NULL:
        raise MemoryError(no_room(p, c))
    read_lanes(p, c, plan.numbers, plan.dropout, plan.seeds, dropouts)
    read_step(p)
    read_parameters(p, plan.given, plan.starts, draws)
    read_rows(&c.rows, plan.rows)
    if not draws_orders(c):
        c.order.index = c.rows.index
    if c.metrics > 1:
        read_rows(&c.held_out_rows, plan.validation_rows)
    return 0


cdef inline str no_room(const PackState *p, const Course *c):
    size = p.size * <int64_t> sizeof(vec)
    return f"{c.used} networks, {size:,} bytes of parameters in a pack, do not fit into memory with what training takes"


cdef inline int read_course(Course *c, plan) except -1:
    """The data, and how they are gone through."""
    cdef const double[::1] weights
    cdef bint shared = plan.shared_rows
    read_data(&c.data, plan.features, plan.targets)
    if plan.weights is not None:
        weights = plan.weights
        c.data.weights = &weights[0]
    c.metrics, c.epochs, c.shuffle = 1, plan.epochs, plan.shuffle
    c.rows.count, c.rows.shared = len(plan.rows[0]), shared
    c.order = c.rows
    c.batch_size = min(<int64_t> plan.batch_size, c.rows.count) if plan.batch_size else c.rows.count
    if plan.validation_rows is not None:
        c.metrics = 3
        read_data(&c.held_out, plan.validation_features, plan.validation_targets)
        c.held_out_rows.count, c.held_out_rows.shared = len(plan.validation_rows[0]), shared
    return 0


cdef inline int read_data(Data *data, given_features, given_targets) except -1:
    cdef const real[:, ::1] features = given_features
    cdef const real[:, ::1] targets = given_targets
    data.features, data.targets = &features[0, 0], &targets[0, 0]
    return 0


cdef inline int read_rows(Rows *rows, list given) except -1:
    """Read the rows of each lane, or the first's, if all share them."""
    cdef const int64_t[::1] own = given[0]
    cdef int64_t i
    cdef int lane
    if rows.shared:
        rows.index = <int64_t *> &own[0]
        return 0
    for lane in range(LANES):
        own = given[lane if lane < len(given) else 0]
        check_count("rows", own.shape[0], rows.count)
        for i in range(rows.count):
            rows.index[i * LANES + lane] = own[i]
    return 0


cdef inline int64_t read_stages(PackState *p, tuple program, list widths) except -1:
    """Read the layers, each as wide as its widest lane; return how many drop units out."""
    cdef int64_t index, dropouts = 0, inputs = p.inputs
    cdef Stage *stage
    p.depth = len(program)
    p.stages = <Stage *> calloc(p.depth, sizeof(Stage))
    p.tensors = <Tensor *> calloc(2 * p.depth, sizeof(Tensor))
    p.lane_units = <int64_t *> calloc(p.depth * LANES, sizeof(int64_t))
    if p.stages == NULL or p.tensors == NULL or p.lane_units == NULL:
        raise MemoryError
    for index in range(p.depth):
        stage = &p.stages[index]
        stage.kind, stage.activation, biased = program[index]
        stage.layer, stage.inputs, stage.weight, stage.bias = index, inputs, -1, -1
        stage.lane_units = p.lane_units + index * LANES
        read_units(stage, p.lane_units + index * LANES, widths)
        stage.columns = pieces(stage.units, LANES) if p.solo else stage.units
        stage.stride = stage.columns | 1  # odd: rows spread over the cache's sets
        inputs = stage.units
        if stage.kind == STAGE_DROPOUT:
            stage.dropout = dropouts
            dropouts += 1
            continue
        stage.weight = add_tensor(p, index, stage.inputs, True)
        if biased:
            stage.bias = add_tensor(p, index, 1, False)
    return dropouts


cdef inline int read_units(Stage *stage, int64_t *lane_units, list widths) except -1:
    """Read how wide a layer is in each lane."""
    cdef int lane
    for lane in range(LANES):
        lane_units[lane] = (<tuple?> widths[lane if lane < len(widths) else 0])[stage.layer]
    stage.units = stage.narrowest = lane_units[0]
    for lane in range(LANES):
        stage.units, stage.narrowest = max(stage.units, lane_units[lane]), min(stage.narrowest, lane_units[lane])
    return 0


cdef inline int64_t add_tensor(PackState *p, int64_t index, int64_t inputs, bint is_weight) noexcept:
    """Give a parameter its place behind those before it, and return that."""
    cdef Tensor *tensor = &p.tensors[p.tensors_count]
    cdef Stage *stage = &p.stages[index]
    tensor.stage, tensor.start, tensor.is_weight = index, p.size, is_weight
    tensor.inputs, tensor.units, tensor.columns, tensor.stride = inputs, stage.units, stage.columns, stage.stride
    p.tensors_count += 1
    p.size += inputs * stage.stride
    return tensor.start


cdef inline int read_lanes(
    PackState *p, Course *c, list numbers, list dropout, list seeds, int64_t dropouts
) except -1:
    """Read the numbers of each lane's optimizer (encoding.OptimizerCodes), its dropout and its seed."""
    cdef array.array own
    cdef const double *values
    cdef int64_t row, fields = <int64_t> (sizeof(Stopping) // sizeof(double))
    cdef int lane, given
    for lane in range(LANES):
        given = lane if lane < c.used else 0
        own = numbers[given]
        check_count("numbers of its optimizer", len(own), HYPER_ROWS + SCHEDULE_FIELDS + fields)
        values = own.data.as_doubles
        for row in range(HYPER_ROWS):
            p.hyper_exact[row * LANES + lane] = values[row]
            set_lane(&p.hyper[row], lane, <real> values[row] if row == CLIP else within_reach(values[row]))
        for row in range(SCHEDULE_FIELDS):
            p.schedules[row * LANES + lane] = values[HYPER_ROWS + row]
        c.stopping[lane] = (<Stopping *> (values + HYPER_ROWS + SCHEDULE_FIELDS))[0]
        if dropouts:
            own = dropout[given]
            check_count("numbers of its dropout", len(own), 2 * dropouts)
            values = own.data.as_doubles
        for row in range(dropouts):
            p.dropout_threshold[row * LANES + lane] = <uint32_t> values[row]
            set_lane(&p.dropout_scale[row], lane, <real> values[dropouts + row])
        p.seeds[lane] = <uint64_t> seeds[given]
        p.beta_power[lane] = p.beta_power[LANES + lane] = 1.0
        c.ended[lane] = 0 if lane < c.used else -1
    return 0


cdef inline int check_count(str what, int64_t found, int64_t expected) except -1:
    """Nothing is read that is not there, and nothing that is there is left out."""
    if found != expected:
        raise ValueError(f"a lane has {found} {what}, but the engine reads {expected}")
    return 0


cdef inline void read_step(PackState *p) noexcept:
    """What every update has in common."""
    cdef descent *step = p.step
    cdef bint l1, l2, shrinks
    step.l1, step.l2, step.scale, step.epsilon = p.hyper[L1], p.hyper[L2], splat(1), p.hyper[EPSILON]
    step.first, step.first_rest = p.hyper[FIRST], p.hyper[FIRST_REST]
    step.second, step.second_rest = p.hyper[SECOND], p.hyper[SECOND_REST]
    step.parameters, step.first_state, step.second_state = p.parameters, p.first_state, p.second_state
    step.optimizer, step.clipped = p.optimizer, p.clipping
    step.has_l1 = step.has_l2 = step.shrinks = False
    for lane in range(LANES):
        l1, l2 = lane_of(step.l1, lane) != 0, lane_of(step.l2, lane) != 0
        shrinks = l1 or l2 or (p.optimizer == ADAMW and p.hyper_exact[DECAY * LANES + lane] != 0)
        step.has_l1, step.has_l2 = step.has_l1 or l1, step.has_l2 or l2
        step.regularized, step.shrinks = step.has_l1 or step.has_l2, step.shrinks or shrinks
        set_lane(&step.least, lane, SMALLEST_SQUARED if l1 or l2 else 0)
        set_lane(&step.smallest, lane, SMALLEST_NORMAL if shrinks else 0)


cdef inline int read_parameters(PackState *p, list given, list starts, draws) except -1:
    """Read what each lane starts from: flat parameters, or where none are given, values and draws (encoding.py)."""
    cdef control_word found = enter_contract()
    cdef const real[::1] flat
    cdef int64_t index
    cdef int lane, own
    try:
        for lane in range(1 if p.solo else LANES):
            own = lane if lane < len(given) else 0
            if given[own] is None:
                check_count("numbers of its first values", len(starts[own]), 2 * p.tensors_count)
                continue
            flat = given[own]
            check_count("parameters", flat.shape[0], own_size(p, lane))
            put_in(p, p.parameters, lane, &flat[0])
        for index in range(p.tensors_count):
            start_tensor(p, index, given, starts, draws)
    finally:
        leave_contract(found)
    return 0


cdef inline int start_tensor(PackState *p, int64_t index, list given, list starts, draws) except -1:
    """Fill a parameter in the lanes that are given none; lanes of one seed share the draws."""
    cdef const Tensor *tensor = &p.tensors[index]
    cdef array.array own
    cdef const double[:, ::1] drawn
    cdef double value
    cdef uint64_t seed = 0
    cdef int lane, kind, drawn_as = CONSTANT
    for lane in range(1 if p.solo else LANES):
        if given[lane if lane < len(given) else 0] is not None:
            continue
        own = starts[lane if lane < len(given) else 0]
        kind, value = <int> own.data.as_doubles[2 * index], own.data.as_doubles[2 * index + 1]
        if kind == CONSTANT:
            put_constant(p, tensor, lane, value)
            continue
        if kind != UNIFORM and kind != NORMAL:
            raise ValueError(f"the engine knows no distribution {kind}")
        if kind != drawn_as or p.seeds[lane] != seed:
            seed, drawn_as = p.seeds[lane], kind
            drawn = draws(seed, tensor.stage, not tensor.is_weight, kind == NORMAL, tensor.inputs, tensor.units)
        put_drawn(p, tensor, lane, &drawn[0, 0], drawn.shape[1], value)
    return 0
