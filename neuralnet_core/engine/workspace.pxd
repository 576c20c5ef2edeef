"""The memory of a pack: an aligned arena, laid out before training. What else it has plan.pxd allocates, as early."""

from libc.string cimport memset

from neuralnet_core.engine.gather cimport pieces
from neuralnet_core.engine.structs cimport *

cdef extern from "stdlib.h" nogil:
    int posix_memalign(void **memory, size_t alignment, size_t size)

cdef extern from "fence.h" nogil:
    const int FENCE
    void put_fence(vec *place)


# Samples that come in every epoch stay where they are gathered, unless they would take more than a good part of the
# second cache.
cdef enum:
    MOST_STAYING = 1 << 19  # bytes


cdef inline int new_arena(PackState *p, Course *c, int64_t dropouts, bint trains, bint draws_orders) noexcept nogil:
    """Allocate and lay out the buffers of a pack; return -1 where memory does not suffice."""
    cdef void *arena = NULL
    cdef size_t size = <size_t> lay_out(p, c, NULL, dropouts, trains, draws_orders) * sizeof(vec)
    if posix_memalign(&arena, 64, size) != 0:
        return -1
    memset(arena, 0, size)
    lay_out(p, c, <vec *> arena, dropouts, trains, draws_orders)
    p.arena = <vec *> arena
    return 0


cdef inline int64_t lay_out(
    PackState *p, Course *c, vec *arena, int64_t dropouts, bint trains, bint draws_orders
) noexcept nogil:
    """Place every buffer in the arena and return the registers used; with no arena yet this only counts."""
    cdef vec *free = arena
    cdef int64_t size = p.size if trains else 0
    cdef bint shared = c.rows.shared and not p.spread.count
    lay_out_samples(p, &free, &p.passing, shared)
    lay_out_samples(p, &free, &p.full_batch, shared)
    lay_out_samples(p, &free, &p.held_out, shared)
    lay_out_rows(p, c, &free, draws_orders)
    p.parameters = take(&free, p.size)
    p.slice_gradients, p.joined_gradients = take(&free, size), take(&free, size)
    p.first_state = take(&free, size if p.optimizer > GRADIENT_DESCENT else 0)
    p.second_state = take(&free, size if p.optimizer >= ADAM else 0)
    lay_out_stages(p, &free, trains)
    lay_out_outputs(p, &free)
    p.step = <descent *> take(&free, <int64_t> (sizeof(descent) // sizeof(vec)) + 1)
    p.hyper = take(&free, HYPER_ROWS)
    p.hyper_exact = <double *> take_doubles(&free, HYPER_ROWS)
    p.schedules = <double *> take_doubles(&free, SCHEDULE_FIELDS)
    p.beta_power = <double *> take_doubles(&free, 2)
    p.seeds = <uint64_t *> take_doubles(&free, 1)
    p.lane_first, p.lane_last = <int64_t *> take_doubles(&free, 1), <int64_t *> take_doubles(&free, 1)
    p.dropout_threshold, p.dropout_scale = <uint32_t *> take(&free, dropouts), take(&free, dropouts)
    p.loss_sum, p.hits = take(&free, 1), <double *> take_doubles(&free, 1)
    return free - arena


cdef inline int64_t input_registers(const PackState *p, int64_t room, bint shared) noexcept nogil:
    return room * p.inputs // LANES + 1 if shared else room * (p.inputs | 1)


cdef inline void let_stay(PackState *p, const Course *c) noexcept nogil:
    """Give a full batch and the samples held out, in this order, room to stay as long as there is some."""
    cdef int64_t left = MOST_STAYING
    if c.batch_size == c.rows.count:
        left -= make_room(p, &p.full_batch, &c.rows, left)
    if c.metrics > 1:
        make_room(p, &p.held_out, &c.held_out_rows, left)


cdef inline int64_t make_room(const PackState *p, Samples *samples, const Rows *rows, int64_t most) noexcept nogil:
    """Make room for all of the rows and return the bytes it takes, or 0 where these are too many."""
    cdef int64_t count = rows.count, size
    cdef bint shared = rows.shared
    if p.spread.count:
        count, shared = SLICES * pieces(count, SLICES), False
    size = (input_registers(p, count, shared) + count * (p.target_width + 2)) * <int64_t> sizeof(vec)
    if size > most:
        return 0
    samples.room, samples.stay = count, True
    return size


cdef inline void lay_out_rows(PackState *p, Course *c, vec **free, bint draws_orders) noexcept nogil:
    """Rows that all lanes share stay where they are; an order of them is a number each."""
    if draws_orders:
        c.order.index = <int64_t *> take_doubles(free, pieces(c.rows.count, LANES) if c.rows.shared else c.rows.count)
    if not c.rows.shared:
        c.rows.index = <int64_t *> take_doubles(free, c.rows.count)
        c.held_out_rows.index = <int64_t *> take_doubles(free, c.held_out_rows.count)
    p.spread.index = <int64_t *> take_doubles(free, p.spread.count)


cdef inline void lay_out_samples(const PackState *p, vec **free, Samples *samples, bint shared) noexcept nogil:
    samples.inputs = take(free, input_registers(p, samples.room, shared))
    samples.targets = take(free, samples.room * p.target_width)
    samples.coefficients, samples.valid = take(free, samples.room + 1), take(free, samples.room)


cdef inline void lay_out_stages(PackState *p, vec **free, bint trains) noexcept nogil:
    cdef int64_t index, widest = 1
    cdef Stage *stage
    for index in range(p.depth):
        stage = &p.stages[index]
        widest = max(widest, stage.stride)
        stage.output = take(free, p.chunk * stage.stride)
        stage.slope = stage.output
        if stage.kind == STAGE_DROPOUT or keeps_slope(stage.activation):
            stage.slope = take(free, p.chunk * stage.stride)
        stage.present = take(free, stage.units - stage.narrowest)
        if p.solo and trains and index > 0 and stage.kind == STAGE_DENSE:
            stage.turned = take(free, stage.units * p.stages[index - 1].stride)
    p.deltas[0], p.deltas[1] = take(free, p.chunk * widest), take(free, p.chunk * widest)
    p.delta = p.deltas[0]
    p.zeros, p.by_unit = take(free, widest), take(free, widest)


cdef inline void lay_out_outputs(PackState *p, vec **free) noexcept nogil:
    p.turned_outputs, p.turned_targets = take(free, p.outputs), take(free, p.target_width)
    p.turned_delta, p.probabilities = take(free, p.outputs), take(free, p.outputs)
    p.residuals, p.squares = take(free, p.outputs), take(free, p.outputs)


cdef inline vec *take(vec **free, int64_t count) noexcept nogil:
    cdef vec *taken = free[0]
    put_fence(taken + count)
    free[0] = taken + count + FENCE
    return taken


cdef inline vec *take_doubles(vec **free, int64_t rows) noexcept nogil:
    """Room for [rows][LANES] numbers of 64 bits: two registers a row where a lane has 32."""
    return take(free, rows * (<int64_t> (LANES * sizeof(double) // sizeof(vec))))
