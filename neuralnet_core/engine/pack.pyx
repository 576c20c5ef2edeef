"""Train a pack of like networks as one computation, a lane of every register per network.

Compiled once per instruction set and float width (see meson.build); dispatch.py chooses. `Pack` takes a
`PackPlan` (packing.py), advances it epoch by epoch without Python, and gives back parameters and history.
"""

import threading

import numpy as np

from libc.math cimport NAN, isfinite, isnan
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from neuralnet_core.engine.gather cimport gather_inputs, pieces, stand_at
from neuralnet_core.engine.losses cimport BINARY_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY
from neuralnet_core.engine.minibatch cimport accumulate, lay_out_inputs
from neuralnet_core.engine.polling cimport DRAWN_AT_ONCE, poll
from neuralnet_core.engine.stages cimport forward, mark_present
from neuralnet_core.engine.structs cimport *
from neuralnet_core.engine.tensors cimport finite_lanes, network_is_finite, own_size, put_back, put_in, take_out
from neuralnet_core.engine.updates cimport update
from neuralnet_core.engine.workspace cimport new_arena, room_to_stay

lanes = LANES


cdef class Pack:
    """A pack in training: everything it needs is allocated here, nothing afterwards."""

    cdef PackState p
    cdef Data data
    cdef Data validation_data
    cdef Rows rows
    cdef Rows validation_rows
    cdef Rows order
    cdef vec *arena
    cdef object plan            # keeps the arrays alive
    cdef object dtype
    cdef object kept_parameters
    cdef object history_array
    cdef double[:, :, ::1] history      # (lanes, metrics, epochs)
    cdef double[:, ::1] stopping        # (4, lanes): metric or -1, patience, min_delta, restore_best
    cdef real[:, ::1] kept              # (lanes, size): parameters put by when a lane ended, or at its best epoch
    cdef double best[64]
    cdef int64_t best_epoch[64]
    cdef int64_t ended[64]              # the epochs a lane trained for; 0: still training
    cdef bint diverged[64]
    cdef bint is_kept[64]
    cdef int used, metrics
    cdef int64_t epoch, epochs, batch_size
    cdef bint shuffle

    def __cinit__(self, plan):
        self.plan, self.dtype = plan, plan.features.dtype
        self.p.main_thread = threading.current_thread() is threading.main_thread()
        self._read_network(plan)
        self._read_lanes(plan)
        self._read_data(plan)
        self._read_training(plan)
        if plan.states is not None:
            self._go_on(plan.states)

    def __dealloc__(self):
        free(self.p.stages)
        free(self.p.tensors)
        free(self.arena)

    # --- reading the plan -------------------------------------------------------------------------------------------

    cdef _read_network(self, plan):
        cdef const int64_t[:, ::1] program = plan.program   # (layers, 5): kind, activation, inputs, units, has bias
        cdef const int64_t[:, ::1] lane_units = plan.lane_units
        cdef int64_t[:, ::1] spread
        cdef PackState *p = &self.p
        cdef Stage *stage
        cdef int64_t index, dropouts = 0
        p.depth, p.inputs, p.outputs, p.target_width = program.shape[0], plan.inputs, plan.outputs, plan.target_width
        p.loss, p.optimizer, p.clipping = plan.loss, plan.optimizer, plan.clipping
        p.solo, p.chunk = plan.solo, plan.chunk
        p.stages = <Stage *> calloc(p.depth, sizeof(Stage))
        p.tensors = <Tensor *> calloc(2 * p.depth, sizeof(Tensor))
        if p.stages == NULL or p.tensors == NULL:
            raise MemoryError
        for index in range(p.depth):
            stage = &p.stages[index]
            stage.kind, stage.activation, stage.layer = <int> program[index, 0], <int> program[index, 1], index
            stage.inputs, stage.units = program[index, 2], program[index, 3]
            stage.columns = pieces(stage.units, LANES) if p.solo else stage.units
            stage.stride = stage.columns | 1  # odd: rows spread over the cache's sets
            stage.lane_units, stage.narrowest = &lane_units[index, 0], min(plan.lane_units[index])
            stage.weight = stage.bias = -1
            if stage.kind == STAGE_DROPOUT:
                stage.dropout = dropouts
                dropouts += 1
                continue
            stage.weight = self._add_tensor(index, stage.inputs, True)
            if program[index, 4]:
                stage.bias = self._add_tensor(index, 1, False)
        p.passing.room = p.chunk
        if plan.spread is not None:
            spread = plan.spread
            p.spread.index = &spread[0, 0]
        if plan.trains and not 0 < plan.batch_size < plan.rows.shape[0]:
            p.staying.room = room_to_stay(p, plan.rows.shape[0], plan.shared_rows)
        self.arena = new_arena(p, plan.shared_rows, max(1, dropouts), plan.trains)
        if self.arena == NULL:
            raise MemoryError(f"a pack of {LANES} networks with {p.size} parameters each does not fit into memory")
        for index in range(p.depth):
            mark_present(&p.stages[index])

    cdef int64_t _add_tensor(self, int64_t index, int64_t inputs, bint is_weight) noexcept:
        """Give a parameter its place behind those before it, and return that."""
        cdef Tensor *tensor = &self.p.tensors[self.p.tensors_count]
        cdef Stage *stage = &self.p.stages[index]
        tensor.stage, tensor.start, tensor.is_weight = index, self.p.size, is_weight
        tensor.inputs, tensor.units, tensor.columns, tensor.stride = inputs, stage.units, stage.columns, stage.stride
        self.p.tensors_count += 1
        self.p.size += inputs * stage.stride
        return tensor.start

    cdef _read_lanes(self, plan):
        cdef const double[:, ::1] hyper = plan.hyper
        cdef const double[:, ::1] schedules = plan.schedules
        cdef const double[:, ::1] dropout = plan.dropout    # (2, dropout layers, lanes) flattened: thresholds, scales
        cdef const uint64_t[::1] seeds = plan.seeds
        cdef const real[::1] flat
        cdef PackState *p = &self.p
        cdef int64_t row, layers = dropout.shape[0] // 2
        cdef int lane
        memcpy(p.hyper_exact, &hyper[0, 0], HYPER_ROWS * LANES * sizeof(double))
        memcpy(p.schedules, &schedules[0, 0], SCHEDULE_FIELDS * LANES * sizeof(double))
        for lane in range(LANES):
            p.seeds[lane] = seeds[lane]
            p.beta_power[lane] = p.beta_power[LANES + lane] = 1.0
            for row in range(HYPER_ROWS):
                set_lane(&p.hyper[row], lane, <real> hyper[row, lane])
            for row in range(layers):
                p.dropout_threshold[row * LANES + lane] = <uint32_t> dropout[row, lane]
                set_lane(&p.dropout_scale[row], lane, <real> dropout[layers + row, lane])
            flat = plan.initial[lane]
            put_in(p, p.parameters, lane, &flat[0])
        self._read_step()

    cdef void _read_step(self) noexcept:
        """What every update has in common."""
        cdef PackState *p = &self.p
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

    cdef _read_data(self, plan):
        cdef const real[:, ::1] features = plan.features
        cdef const real[:, ::1] targets = plan.targets
        cdef const double[::1] weights
        cdef int64_t[:, ::1] rows = plan.rows
        cdef int64_t[:, ::1] order = plan.order
        self.data.features, self.data.targets = &features[0, 0], &targets[0, 0]
        if plan.weights is not None:
            weights = plan.weights
            self.data.weights = &weights[0]
        self.rows.index, self.rows.count, self.rows.shared = &rows[0, 0], rows.shape[0], plan.shared_rows
        self.order = self.rows
        self.order.index = &order[0, 0]
        memcpy(&order[0, 0], &rows[0, 0], rows.shape[0] * rows.shape[1] * sizeof(int64_t))
        if plan.validation_rows is not None:
            features, targets, rows = plan.validation_features, plan.validation_targets, plan.validation_rows
            self.validation_data.features, self.validation_data.targets = &features[0, 0], &targets[0, 0]
            self.validation_rows = self.rows
            self.validation_rows.index, self.validation_rows.count = &rows[0, 0], rows.shape[0]

    cdef _read_training(self, plan):
        cdef const int[::1] cancel = plan.cancel
        self.p.cancel = &cancel[0]
        self.used, self.epochs, self.shuffle = plan.used, plan.epochs, plan.shuffle
        self.batch_size = min(plan.batch_size, self.rows.count) if plan.batch_size else self.rows.count
        self.metrics = 3 if plan.validation_rows is not None else 1
        self.history_array = np.full((self.used, self.metrics, self.epochs), np.nan)
        self.history = self.history_array
        self.stopping = plan.stopping
        largest = max(own_size(&self.p, lane) for lane in range(self.used))
        self.kept_parameters = np.empty((self.used, largest), self.dtype)
        self.kept = self.kept_parameters
        for lane in range(LANES):
            self.ended[lane] = 0 if lane < self.used else -1

    # --- training ---------------------------------------------------------------------------------------------------

    def train(self, int64_t epochs):
        """Advance by at most `epochs` epochs; return whether a lane is still training.

        Raises
        ------
        InterruptedError
            If the cancel flag was set.
        """
        cdef int64_t last = min(self.epochs, self.epoch + epochs)
        cdef control_word found
        cdef bint training = True
        with nogil:
            found = enter_contract()
            try:
                while training and self.epoch < last:
                    training = self._train_epoch()
            finally:
                leave_contract(found)
        return training

    cdef bint _train_epoch(self) except -1 nogil:
        cdef double losses[64]
        cdef double weights[64]
        cdef Minibatch batch
        cdef int64_t number
        cdef int lane
        batch.data, batch.rows, batch.training, batch.updating = &self.data, &self.order, True, True
        memset(losses, 0, sizeof(losses))
        memset(weights, 0, sizeof(weights))
        batch.stays = self.p.staying.room > 0
        self._draw_order()
        for number in range(pieces(self.rows.count, self.batch_size)):
            batch.first = number * self.batch_size
            batch.count = min(self.batch_size, self.rows.count - batch.first)
            if accumulate(&self.p, &batch):
                update(&self.p)
                for lane in range(self.used):
                    losses[lane] += <double> lane_of(self.p.loss_sum[0], lane) * self.p.totals[lane]
                    weights[lane] += self.p.totals[lane]
        for lane in range(self.used):
            self.history[lane, 0, self.epoch] = losses[lane] / weights[lane]
        if self.metrics > 1:
            self._validate()
        self.epoch += 1
        return self._end_epoch()

    cdef int _draw_order(self) except -1 nogil:
        """The order of this epoch: a new permutation of the rows, of each lane's own seed unless all share it."""
        cdef int64_t i, lane, piece, width = 1 if self.rows.shared else LANES, n = self.rows.count
        if not self.shuffle or self.batch_size >= n:
            return 0
        for lane in range(width):
            for piece in range(pieces(n, DRAWN_AT_ONCE)):
                shuffle_order(self.p.seeds[lane], <uint64_t> self.epoch, n, piece * DRAWN_AT_ONCE,
                              (piece + 1) * DRAWN_AT_ONCE, self.order.index + lane, width)
                poll(&self.p)
            for i in range(n):
                self.order.index[i * width + lane] = self.rows.index[self.order.index[i * width + lane] * width + lane]
        return 0

    cdef int _validate(self) except -1 nogil:
        cdef Minibatch batch
        cdef int lane
        batch.data, batch.rows = &self.validation_data, &self.validation_rows
        batch.training = batch.updating = batch.stays = False
        batch.first, batch.count = 0, self.validation_rows.count
        self.p.hits[0] = splat(0)
        accumulate(&self.p, &batch)
        for lane in range(self.used):
            self.history[lane, 1, self.epoch] = <double> lane_of(self.p.loss_sum[0], lane)
            self.history[lane, 2, self.epoch] = self._score(lane)
            poll(&self.p)
        return 0

    cdef double _score(self, int lane) noexcept nogil:
        """Accuracy, or R2 averaged over outputs (an output that does not vary scores 1 if met exactly, else 0)."""
        cdef double total = 0.0, squares, residual
        cdef int64_t k
        if self.p.loss == SOFTMAX_CROSS_ENTROPY or self.p.loss == BINARY_CROSS_ENTROPY:
            return <double> lane_of(self.p.hits[0], lane) / <double> self.validation_rows.count
        for k in range(self.p.outputs):
            residual = <double> lane_of(self.p.squares[k], lane)
            squares = self._total_squares(k, lane)
            if squares > 0.0:
                total += 1.0 - residual / squares
            elif residual == 0.0:
                total += 1.0
        return total / <double> self.p.outputs

    cdef double _total_squares(self, int64_t k, int lane) noexcept nogil:
        """Sum of squared distances of the validation targets from their mean, in double."""
        cdef int64_t i, stride = 1 if self.validation_rows.shared else LANES, n = self.validation_rows.count
        cdef const int64_t *rows = self.validation_rows.index + (0 if self.validation_rows.shared else lane)
        cdef const real *targets = self.validation_data.targets + k
        cdef double mean = 0.0, total = 0.0, distance
        for i in range(n):
            mean += targets[rows[i * stride] * self.p.target_width]
        mean = mean / <double> n
        for i in range(n):
            distance = targets[rows[i * stride] * self.p.target_width] - mean
            total += distance * distance
        return total

    # --- the end of an epoch ----------------------------------------------------------------------------------------

    cdef bint _end_epoch(self) except -1 nogil:
        """Drop the lanes that diverged, let early stopping end others; return whether a lane goes on."""
        cdef int lane
        cdef bint training = False
        cdef vec finite = splat(0) if self.p.solo else finite_lanes(&self.p)
        if self.p.solo and not network_is_finite(&self.p):
            finite = splat(<real> NAN)
        for lane in range(self.used):
            if self.ended[lane]:
                continue
            if not self._is_finite(lane, lane_of(finite, lane) == 0):
                self.diverged[lane] = True
                self._keep(lane)
                self.ended[lane] = self.epoch
            else:
                self._judge(lane)
                if self.epoch == self.epochs and not self.ended[lane]:
                    self.ended[lane] = self.epoch
            training = training or not self.ended[lane]
            poll(&self.p)
        return training

    cdef bint _is_finite(self, int lane, bint parameters) noexcept nogil:
        cdef int metric
        for metric in range(min(self.metrics, 2)):
            if not isfinite(self.history[lane, metric, self.epoch - 1]):
                return False
        return parameters

    cdef void _judge(self, int lane) noexcept nogil:
        """Early stopping: put the best parameters by, end the lane when its patience is over."""
        cdef int metric = <int> self.stopping[0, lane]
        cdef double value
        if metric < 0:
            return
        value = self.history[lane, metric, self.epoch - 1]
        if metric == 2:
            value = -value
        if self.best_epoch[lane] == 0 or value < self.best[lane] - self.stopping[2, lane]:
            self.best[lane], self.best_epoch[lane] = value, self.epoch
            if self.stopping[3, lane]:
                self._keep(lane)
        elif self.epoch - self.best_epoch[lane] >= <int64_t> self.stopping[1, lane]:
            self.ended[lane] = self.epoch
            if not self.stopping[3, lane]:
                self._keep(lane)

    cdef void _keep(self, int lane) noexcept nogil:
        take_out(&self.p, self.p.parameters, lane, &self.kept[lane, 0])
        self.is_kept[lane] = True

    # --- from one pack to another -----------------------------------------------------------------------------------

    def polls(self):
        """Return how often the kernels looked for the cancel flag so far."""
        return self.p.polls

    def training(self):
        """Return the lanes that are still training."""
        return [lane for lane in range(self.used) if not self.ended[lane]]

    def state(self, int lane):
        """Return the numbers of a lane that its training goes on from in another pack, as in plans.LaneState."""
        cdef PackState *p = &self.p
        return (
            self.epoch,
            p.updates,
            self._column(p.parameters, lane),
            self._column(p.first_state, lane) if p.optimizer > GRADIENT_DESCENT else None,
            self._column(p.second_state, lane) if p.optimizer >= ADAM else None,
            (p.beta_power[lane], p.beta_power[LANES + lane]),
            self.best[lane],
            self.best_epoch[lane],
            self.parameters(lane) if self.is_kept[lane] else None,
            self.history_array[lane, :, : self.epoch].copy(),
        )

    cdef _go_on(self, states):
        """Take over lanes from other packs, all at the end of the same epoch; the idle ones are as the first."""
        cdef PackState *p = &self.p
        cdef const real[::1] flat
        cdef int lane
        for lane in range(LANES):
            (self.epoch, p.updates, _, first, second, powers, best, best_epoch, kept, history) = states[lane]
            p.beta_power[lane], p.beta_power[LANES + lane] = powers
            if first is not None:
                flat = first
                put_back(p, p.first_state, lane, &flat[0])
            if second is not None:
                flat = second
                put_back(p, p.second_state, lane, &flat[0])
            if lane < self.used:
                self.best[lane], self.best_epoch[lane], self.is_kept[lane] = best, best_epoch, kept is not None
                self.history_array[lane, :, : self.epoch] = history
                if kept is not None:
                    self.kept_parameters[lane, : len(kept)] = kept

    # --- results ----------------------------------------------------------------------------------------------------

    def parameters(self, int lane):
        """Return the parameters of a lane: flat, in layout order."""
        if self.is_kept[lane]:
            return self.kept_parameters[lane, : own_size(&self.p, lane)].copy()
        return self._column(self.p.parameters, lane)

    cdef _column(self, const vec *registers, int lane):
        column = np.empty(own_size(&self.p, lane), self.dtype)
        cdef real[::1] out = column
        take_out(&self.p, registers, lane, &out[0])
        return column

    def history_of(self, int lane):
        """Return (metrics, epochs trained): train loss and, with validation, its loss and score.

        One NaN stands for all: in which of its many bit patterns a diverging sum ends is no promise.
        """
        cdef int64_t metric, epoch
        for metric in range(self.metrics):
            for epoch in range(self.ended[lane]):
                if isnan(self.history[lane, metric, epoch]):
                    self.history[lane, metric, epoch] = NAN
        return self.history_array[lane, :, : self.ended[lane]]

    def outcome(self, int lane):
        """Return (diverged, the epoch whose parameters the lane has, counted from 1)."""
        restored = self.is_kept[lane] and self.stopping[3, lane] and not self.diverged[lane]
        return self.diverged[lane], self.best_epoch[lane] if restored else self.ended[lane]

    def evaluate(self):
        """Return the loss and score of every lane on the validation data, an array (2, lanes)."""
        cdef control_word found
        with nogil:
            found = enter_contract()
            try:
                self._validate()
            finally:
                leave_contract(found)
        return self.history_array[:, 1:, 0].T

    def gradients(self):
        """Return the loss and the flat data gradient of every lane, all rows taken as one minibatch."""
        cdef control_word found
        cdef Minibatch batch
        batch.data, batch.rows, batch.training, batch.updating = &self.data, &self.order, True, False
        batch.stays = False
        batch.first, batch.count = 0, self.rows.count
        with nogil:
            found = enter_contract()
            try:
                self._draw_order()
                accumulate(&self.p, &batch)
            finally:
                leave_contract(found)
        losses = [lane_of(self.p.loss_sum[0], lane) for lane in range(self.used)]
        return losses, [self._column(self.p.gradients, lane) + 0 for lane in range(self.used)]  # + 0 ends the sums

    def outputs(self):
        """Return the raw outputs for the rows of every lane, (rows, outputs, lanes)."""
        cdef int64_t chunk, first, count, sample
        cdef Stage *last = &self.p.stages[self.p.depth - 1]
        result = np.empty((self.rows.count, self.p.outputs, LANES), self.dtype)
        cdef real[:, :, ::1] out = result
        cdef control_word found
        with nogil:
            found = enter_contract()
            try:
                lay_out_inputs(&self.p, self.rows.shared)
                for chunk in range(pieces(self.rows.count, self.p.chunk)):
                    first = chunk * self.p.chunk
                    count = min(self.p.chunk, self.rows.count - first)
                    stand_at(&self.p, &self.p.passing, 0)
                    gather_inputs(&self.p, &self.data, &self.rows, first, count)
                    forward(&self.p, count, 0, False)
                    for sample in range(count):
                        memcpy(&out[first + sample, 0, 0], last.output + sample * last.stride,
                               self.p.outputs * sizeof(vec))
                    poll(&self.p)
            finally:
                leave_contract(found)
        return result
