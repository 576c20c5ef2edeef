"""A minibatch through the stages: its loss, and its gradients or its score, summed as the contract wants.

A sum over samples runs in ascending order; over more than SLICED samples, in SLICES slices joined left to right.
"""

from libc.string cimport memset

from neuralnet_core.engine.gather cimport (
    gather_coefficients, gather_inputs, gather_targets, gather_validity, pieces, slice_length, stand_at, sum_of_weights,
)
from neuralnet_core.engine.losses cimport (
    loss_of_chunk, score_of_chunk, solo_loss_of_chunk, solo_score_of_chunk,
)
from neuralnet_core.engine.polling cimport poll
from neuralnet_core.engine.stages cimport backward, forward
from neuralnet_core.engine.structs cimport *
from neuralnet_core.engine.updates cimport per_update_scalars


cdef inline int accumulate(PackState *p, const Minibatch *batch) except -1 nogil:
    """Sum loss and gradients (or score) of a minibatch; return 0 if its weights are 0 and it counts for nothing.

    Where the update is fused, it has been taken when this returns.
    """
    weigh(p, batch)
    if p.totals[0] == 0.0:
        return 0
    p.fused = batch.updating and batch.count <= SLICED and not p.clipping
    if batch.updating:
        per_update_scalars(p)
    if p.spread.count and batch.count > SLICED:
        sum_slices_in_lanes(p, batch)
    else:
        sum_slices_in_turn(p, batch)
    batch.samples.gathered = batch.samples.stay
    return 1


cdef inline int weigh(PackState *p, const Minibatch *batch) except -1 nogil:
    """The weight of the minibatch in each lane: its samples, or the sum of their weights."""
    cdef int lane
    for lane in range(LANES):
        if batch.data.weights == NULL:
            p.totals[lane] = <double> batch.count
        elif lane > 0 and batch.rows.shared:
            p.totals[lane] = p.totals[0]
        else:
            p.totals[lane] = sum_of_weights(batch.data, batch.rows, batch.first, batch.count, lane)
            poll(p)
    return 0


cdef inline int sum_slices_in_turn(PackState *p, const Minibatch *batch) except -1 nogil:
    """Every lane is a network of its own and sums one slice after the other."""
    cdef int64_t piece, start, stop, length = slice_length(batch.count)
    cdef vec loss = splat(0)
    lay_out_inputs(p, batch.rows.shared)
    for piece in range(pieces(batch.count, length)):
        start, stop = piece * length, min((piece + 1) * length, batch.count)
        sum_slice(p, batch, batch.rows, batch.first + start, start, start, stop - start)
        loss = loss + (p.loss_sum[0] + splat(0))
        if not batch.training:
            join_slice(p.residuals, p.squares, p.outputs, piece == 0)
        elif batch.count > SLICED:
            join_slice(p.slice_gradients, p.joined_gradients, p.size, piece == 0)
    p.gradients = p.joined_gradients if batch.count > SLICED else p.slice_gradients
    p.loss_sum[0] = loss
    return 0


cdef inline int sum_slices_in_lanes(PackState *p, const Minibatch *batch) except -1 nogil:
    """Every lane is the same network and sums a slice of its own."""
    cdef int64_t turn, length = slice_length(batch.count)
    cdef int lane, width = min(<int> SLICES, LANES)
    cdef real loss = 0
    lay_out_inputs(p, False)
    p.sliced = True
    for turn in range(SLICES // width):
        spread_rows(p, batch, turn * width, length)
        sum_slice(p, batch, &p.spread, 0, 0, turn * length, length)
        for lane in range(width):
            loss = loss + (lane_of(p.loss_sum[0], lane) + <real> 0)
        if batch.training:
            join_lanes(p.slice_gradients, p.joined_gradients, p.size, width, turn == 0)
        else:
            join_lanes(p.residuals, p.squares, p.outputs, width, turn == 0)
    p.gradients = p.joined_gradients
    if not batch.training:
        for lane in range(1, width):
            p.hits[0] += p.hits[lane]
    p.loss_sum[0] = splat(loss)
    p.sliced = False
    memset(p.lane_first, 0, LANES * sizeof(int64_t))
    return 0


cdef inline int sum_slice(
    PackState *p, const Minibatch *batch, const Rows *rows, int64_t first, int64_t position, int64_t place,
    int64_t count
) except -1 nogil:
    """Sum `count` samples from row `first`, which stand from `position` on in the minibatch, chunk by chunk.

    `place` is where the first stands among samples that stay.
    """
    cdef int64_t chunk, done, size
    cdef Stage *last = &p.stages[p.depth - 1]
    p.loss_sum[0] = splat(0)
    memset(p.residuals, 0, p.outputs * sizeof(vec))
    for chunk in range(pieces(count, p.chunk)):
        done = chunk * p.chunk
        size = min(p.chunk, count - done)
        gather(p, batch, rows, first + done, position + done, place + done, size)
        forward(p, size, position + done, batch.training)
        p.delta = p.deltas[0]
        if p.solo:
            solo_loss_of_chunk(p, last.output, last.stride, size)
        else:
            loss_of_chunk(p, last.output, last.stride, size)
        if batch.training:
            backward(p, size, chunk == 0, done + size == count)
        elif p.solo:
            solo_score_of_chunk(p, last.output, last.stride, size)
        else:
            score_of_chunk(p, last.output, last.stride, size)
        poll(p)
    return 0


cdef inline void gather(
    PackState *p, const Minibatch *batch, const Rows *rows, int64_t first, int64_t position, int64_t place, int64_t size
) noexcept nogil:
    """Have the samples of a chunk where the stages read them."""
    stand_at(p, batch.samples, place if batch.samples.stay else 0)
    if batch.samples.gathered:
        return
    gather_inputs(p, batch.data, rows, first, size)
    gather_targets(p, batch.data, rows, first, size)
    gather_coefficients(p, batch.data, rows, first, size)
    if p.sliced:
        gather_validity(p, position, size)


cdef inline void lay_out_inputs(PackState *p, bint shared) noexcept nogil:
    """An entry of the input block for all lanes, or one for each."""
    p.input.shared = shared
    p.input.stride = p.inputs if shared else p.inputs | 1


cdef inline void spread_rows(PackState *p, const Minibatch *batch, int64_t slice, int64_t length) noexcept nogil:
    """Give lane l the rows of slice `slice` + l; where it has none, the minibatch's first stands in."""
    cdef int64_t i, start, stop
    cdef int lane
    for lane in range(LANES):
        start = min((slice + lane) * length, batch.count) if lane < SLICES else batch.count
        stop = min(start + length, batch.count)
        p.lane_first[lane], p.lane_last[lane] = start, stop
        for i in range(0 if batch.samples.gathered else length):
            p.spread.index[i * LANES + lane] = batch.rows.index[batch.first + (start + i if start + i < stop else 0)]


cdef inline void join_slice(const vec *part, vec *sums, int64_t count, bint first) noexcept nogil:
    """Add a slice's sums to those of the slices before it."""
    cdef int64_t i
    cdef vec zero = splat(0)
    if first:
        for i in range(count):
            sums[i] = part[i] + zero
    else:
        for i in range(count):
            sums[i] = sums[i] + (part[i] + zero)


cdef inline void join_lanes(const vec *parts, vec *sums, int64_t count, int width, bint first) noexcept nogil:
    """The same where the slices are the lanes: left to right; every lane gets the sum."""
    cdef int64_t i
    cdef int lane
    cdef real total
    for i in range(count):
        total = <real> 0 if first else lane_of(sums[i], 0)
        for lane in range(width):
            total = total + (lane_of(parts[i], lane) + <real> 0)
        sums[i] = splat(total)
