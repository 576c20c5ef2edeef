"""A training from epoch to epoch: the order of the rows, the minibatches, validation, and which lanes end."""

from libc.math cimport NAN, isfinite
from libc.string cimport memset

from neuralnet_core.engine.gather cimport pieces
from neuralnet_core.engine.losses cimport BINARY_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY
from neuralnet_core.engine.minibatch cimport accumulate
from neuralnet_core.engine.polling cimport DRAWN_AT_ONCE, poll
from neuralnet_core.engine.structs cimport *
from neuralnet_core.engine.tensors cimport finite_lanes, network_is_finite, take_out
from neuralnet_core.engine.updates cimport update


cdef inline double *history_at(const Course *c, int lane, int metric) noexcept nogil:
    return c.history + (lane * c.metrics + metric) * c.epochs


cdef inline bint train_epoch(PackState *p, Course *c) except -1 nogil:
    """Train every lane for an epoch; return whether one goes on."""
    cdef double losses[64]
    cdef double weights[64]
    cdef Minibatch batch
    cdef int64_t number
    cdef int lane
    batch.data, batch.rows, batch.training, batch.updating = &c.data, &c.order, True, True
    memset(losses, 0, sizeof(losses))
    memset(weights, 0, sizeof(weights))
    batch.samples = &p.full_batch if p.full_batch.stay else &p.passing
    draw_order(p, c)
    for number in range(pieces(c.rows.count, c.batch_size)):
        batch.first = number * c.batch_size
        batch.count = min(c.batch_size, c.rows.count - batch.first)
        if accumulate(p, &batch):
            update(p)
            for lane in range(c.used):
                losses[lane] += <double> lane_of(p.loss_sum[0], lane) * p.totals[lane]
                weights[lane] += p.totals[lane]
    for lane in range(c.used):
        history_at(c, lane, 0)[c.epoch] = losses[lane] / weights[lane]
    if c.metrics > 1:
        validate(p, c)
    c.epoch += 1
    return end_epoch(p, c)


cdef inline bint draws_orders(const Course *c) noexcept nogil:
    """Whether epochs have orders of their own: full batches have none."""
    return c.shuffle and c.batch_size < c.rows.count


cdef inline int draw_order(PackState *p, Course *c) except -1 nogil:
    """The order of this epoch: a new permutation of the rows, of each lane's own seed unless all share it."""
    cdef int64_t i, lane, piece, width = 1 if c.rows.shared else LANES, n = c.rows.count
    if not draws_orders(c):
        return 0
    for lane in range(width):
        for piece in range(pieces(n, DRAWN_AT_ONCE)):
            shuffle_order(p.seeds[lane], <uint64_t> c.epoch, n, piece * DRAWN_AT_ONCE,
                          (piece + 1) * DRAWN_AT_ONCE, c.order.index + lane, width)
            poll(p)
        for i in range(n):
            c.order.index[i * width + lane] = c.rows.index[c.order.index[i * width + lane] * width + lane]
    return 0


cdef inline int validate(PackState *p, Course *c) except -1 nogil:
    """Write the loss and the score of every lane on the rows held out into the history of this epoch."""
    cdef Minibatch batch
    cdef int lane
    batch.data, batch.rows = &c.held_out, &c.held_out_rows
    batch.training = batch.updating = False
    batch.samples = &p.held_out if p.held_out.stay else &p.passing
    batch.first, batch.count = 0, c.held_out_rows.count
    memset(p.hits, 0, LANES * sizeof(double))
    accumulate(p, &batch)
    for lane in range(c.used):
        history_at(c, lane, 1)[c.epoch] = <double> lane_of(p.loss_sum[0], lane)
        history_at(c, lane, 2)[c.epoch] = score(p, c, lane)
        poll(p)
    return 0


cdef inline double score(const PackState *p, const Course *c, int lane) noexcept nogil:
    """Accuracy, or R2 averaged over outputs (an output that does not vary scores 1 if met exactly, else 0)."""
    cdef double total = 0.0, squares, residual
    cdef int64_t k
    if p.loss == SOFTMAX_CROSS_ENTROPY or p.loss == BINARY_CROSS_ENTROPY:
        return p.hits[lane] / <double> c.held_out_rows.count
    for k in range(p.outputs):
        residual = <double> lane_of(p.squares[k], lane)
        squares = total_squares(p, c, k, lane)
        if squares > 0.0:
            total += 1.0 - residual / squares
        elif residual == 0.0:
            total += 1.0
    return total / <double> p.outputs


cdef inline double total_squares(const PackState *p, const Course *c, int64_t k, int lane) noexcept nogil:
    """Sum of squared distances of the targets held out from their mean, in double."""
    cdef int64_t i, stride = 1 if c.held_out_rows.shared else LANES, n = c.held_out_rows.count
    cdef const int64_t *rows = c.held_out_rows.index + (0 if c.held_out_rows.shared else lane)
    cdef const real *targets = c.held_out.targets + k
    cdef double mean = 0.0, total = 0.0, distance
    for i in range(n):
        mean += targets[rows[i * stride] * p.target_width]
    mean = mean / <double> n
    for i in range(n):
        distance = targets[rows[i * stride] * p.target_width] - mean
        total += distance * distance
    return total


cdef inline bint end_epoch(PackState *p, Course *c) except -1 nogil:
    """Drop the lanes that diverged, let early stopping end others; return whether a lane goes on."""
    cdef int lane
    cdef bint training = False
    cdef vec finite = splat(0) if p.solo else finite_lanes(p)
    if p.solo and not network_is_finite(p):
        finite = splat(<real> NAN)
    for lane in range(c.used):
        if c.ended[lane]:
            continue
        if not (lane_of(finite, lane) == 0 and losses_are_finite(c, lane)):
            c.diverged[lane] = True
            keep(p, c, lane)
            c.ended[lane] = c.epoch
        else:
            judge(p, c, lane)
            if c.epoch == c.epochs and not c.ended[lane]:
                c.ended[lane] = c.epoch
        training = training or not c.ended[lane]
        poll(p)
    return training


cdef inline bint losses_are_finite(const Course *c, int lane) noexcept nogil:
    cdef int metric
    for metric in range(min(c.metrics, 2)):
        if not isfinite(history_at(c, lane, metric)[c.epoch - 1]):
            return False
    return True


cdef inline void judge(const PackState *p, Course *c, int lane) noexcept nogil:
    """Early stopping: put the best parameters by, end the lane when its patience is over."""
    cdef const Stopping *stopping = &c.stopping[lane]
    cdef int metric = <int> stopping.metric
    cdef double value
    if metric < 0:
        return
    value = history_at(c, lane, metric)[c.epoch - 1]
    if metric == 2:
        value = -value
    if c.best_epoch[lane] == 0 or value < c.best[lane] - stopping.min_delta:
        c.best[lane], c.best_epoch[lane] = value, c.epoch
        if stopping.restores_best:
            keep(p, c, lane)
    elif c.epoch - c.best_epoch[lane] >= <int64_t> stopping.patience:
        c.ended[lane] = c.epoch
        if not stopping.restores_best:
            keep(p, c, lane)


cdef inline void keep(const PackState *p, Course *c, int lane) noexcept nogil:
    """Put the parameters of a lane by."""
    take_out(p, p.parameters, lane, c.kept + lane * c.largest)
    c.is_kept[lane] = True
