"""The memory of a pack: one aligned arena, laid out before training; nothing is allocated afterwards."""

from libc.string cimport memset

from neuralnet_core.engine.activations cimport keeps_slope
from neuralnet_core.engine.structs cimport *

cdef extern from "stdlib.h" nogil:
    int posix_memalign(void **memory, size_t alignment, size_t size)


cdef inline vec *new_arena(PackState *p, bint shared_rows, int64_t dropouts, bint trains) noexcept nogil:
    """Allocate and lay out the buffers of a pack; NULL where memory does not suffice."""
    cdef void *arena = NULL
    cdef size_t size = <size_t> lay_out(p, NULL, shared_rows, dropouts, trains) * sizeof(vec)
    if posix_memalign(&arena, 64, size) != 0:
        return NULL
    memset(arena, 0, size)
    lay_out(p, <vec *> arena, shared_rows, dropouts, trains)
    return <vec *> arena


cdef inline int64_t lay_out(PackState *p, vec *arena, bint shared_rows, int64_t dropouts, bint trains) noexcept nogil:
    """Place every buffer in the arena and return the registers used; with no arena yet this only counts."""
    cdef vec *free = arena
    cdef Stage *stage
    cdef int64_t index, widest = 1, size = p.size if trains else 0
    cdef bint shared_only = shared_rows and p.spread.index == NULL
    p.input.data = take(&free, CHUNK * p.inputs // LANES + 1 if shared_only else CHUNK * (p.inputs | 1))
    for index in range(p.depth):
        stage = &p.stages[index]
        widest = max(widest, stage.stride)
        stage.output = take(&free, CHUNK * stage.stride)
        stage.present = take(&free, stage.units - stage.narrowest)
        if stage.kind == STAGE_DROPOUT or keeps_slope(stage.activation):
            stage.slope = take(&free, CHUNK * stage.stride)
    p.parameters = take(&free, p.size)
    p.slice_gradients, p.joined_gradients = take(&free, size), take(&free, size)
    p.first_state = take(&free, size if p.optimizer > GRADIENT_DESCENT else 0)
    p.second_state = take(&free, size if p.optimizer >= ADAM else 0)
    p.hyper, p.scalars = take(&free, HYPER_ROWS), take(&free, SCALAR_ROWS)
    p.hyper_exact = <double *> take_doubles(&free, HYPER_ROWS)
    p.schedules = <double *> take_doubles(&free, SCHEDULE_FIELDS)
    p.beta_power = <double *> take_doubles(&free, 2)
    p.seeds = <uint64_t *> take_doubles(&free, 1)
    p.lane_first, p.lane_last = <int64_t *> take_doubles(&free, 1), <int64_t *> take_doubles(&free, 1)
    p.dropout_threshold, p.dropout_scale = <uint32_t *> take(&free, dropouts), take(&free, dropouts)
    p.targets, p.coefficients = take(&free, CHUNK * p.target_width), take(&free, CHUNK)
    p.delta, p.delta_next = take(&free, CHUNK * widest), take(&free, CHUNK * widest)
    p.probabilities, p.residuals, p.squares = take(&free, p.outputs), take(&free, p.outputs), take(&free, p.outputs)
    p.loss_sum, p.hits, p.valid = take(&free, 1), take(&free, 1), take(&free, CHUNK)
    return free - arena


cdef inline vec *take(vec **free, int64_t count) noexcept nogil:
    cdef vec *taken = free[0]
    free[0] = taken + count
    return taken


cdef inline vec *take_doubles(vec **free, int64_t rows) noexcept nogil:
    """Room for [rows][LANES] numbers of 64 bits: two registers a row where a lane has 32."""
    return take(free, rows * (<int64_t> (LANES * sizeof(double) // sizeof(vec))))
