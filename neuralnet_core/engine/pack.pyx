"""Train a pack of like networks as one computation, a lane of every register per network.

Compiled once per instruction set and float width (see meson.build); dispatch.py chooses. `Pack` takes a
`PackPlan` (plans.py), advances it epoch by epoch without Python, and gives back parameters and history.
"""

import threading

import numpy as np

from neuralnet_core.random import raw_draws

from libc.math cimport NAN, isnan
from libc.stdint cimport int64_t
from libc.stdlib cimport free
from libc.string cimport memcpy

from neuralnet_core.engine.course cimport draw_order, history_at, train_epoch, validate
from neuralnet_core.engine.gather cimport gather_inputs, pieces, stand_at
from neuralnet_core.engine.minibatch cimport accumulate, lay_out_inputs
from neuralnet_core.engine.plan cimport check_count, read_plan
from neuralnet_core.engine.polling cimport poll
from neuralnet_core.engine.stages cimport forward
from neuralnet_core.engine.structs cimport *
from neuralnet_core.engine.tensors cimport own_size, put_back, take_out

lanes = LANES


cdef class Pack:
    """A pack in training: everything it needs is allocated here, nothing afterwards."""

    cdef PackState p
    cdef Course c
    cdef object plan            # keeps the arrays alive
    cdef object dtype
    cdef object history

    def __cinit__(self, plan):
        cdef double[:, :, ::1] history
        self.plan, self.dtype = plan, plan.features.dtype
        self.p.main_thread = threading.current_thread() is threading.main_thread()
        read_plan(&self.p, &self.c, plan, raw_draws)
        history = self.history = np.empty((self.c.used, self.c.metrics, self.c.epochs))
        self.c.history = &history[0, 0, 0]
        if plan.states is not None:
            self._go_on(plan.states)

    def __dealloc__(self):
        free(self.p.stages)
        free(self.p.tensors)
        free(self.p.lane_units)
        free(self.p.arena)
        free(self.c.kept)

    def train(self, int64_t epochs):
        """Advance by at most `epochs` epochs; return whether a lane is still training.

        Raises
        ------
        InterruptedError
            If the cancel flag was set.
        """
        cdef int64_t last = min(self.c.epochs, self.c.epoch + epochs)
        cdef control_word found
        cdef bint training = True
        with nogil:
            found = enter_contract()
            try:
                while training and self.c.epoch < last:
                    training = train_epoch(&self.p, &self.c)
            finally:
                leave_contract(found)
        return training

    def polls(self):
        """Return how often the kernels looked for the cancel flag so far."""
        return self.p.polls

    # --- from one pack to another -----------------------------------------------------------------------------------

    def training(self):
        """Return the lanes that are still training."""
        return [lane for lane in range(self.c.used) if not self.c.ended[lane]]

    def state(self, int lane):
        """Return the numbers of a lane that its training goes on from in another pack, as in lanes.LaneState."""
        cdef PackState *p = &self.p
        cdef Course *c = &self.c
        return (
            c.epoch,
            p.updates,
            self._column(p.parameters, lane),
            self._column(p.first_state, lane) if p.optimizer > GRADIENT_DESCENT else None,
            self._column(p.second_state, lane) if p.optimizer >= ADAM else None,
            (p.beta_power[lane], p.beta_power[LANES + lane]),
            c.best[lane],
            c.best_epoch[lane],
            self._parameters(lane) if c.is_kept[lane] else None,
            self._history(lane, c.epoch),
        )

    cdef _go_on(self, list states):
        """Take over lanes from other packs, all at the end of the same epoch; the idle ones are as the first."""
        cdef PackState *p = &self.p
        cdef Course *c = &self.c
        cdef const real[::1] flat
        cdef int lane
        cdef int64_t size
        for lane in range(LANES):
            (c.epoch, p.updates, _, first, second, powers, best, best_epoch, kept, history) = states[
                lane if lane < c.used else 0
            ]
            size = own_size(p, lane)
            p.beta_power[lane], p.beta_power[LANES + lane] = powers
            if first is not None:
                flat = first
                check_count("first states", flat.shape[0], size)
                put_back(p, p.first_state, lane, &flat[0])
            if second is not None:
                flat = second
                check_count("second states", flat.shape[0], size)
                put_back(p, p.second_state, lane, &flat[0])
            if lane < c.used:
                c.best[lane], c.best_epoch[lane], c.is_kept[lane] = best, best_epoch, kept is not None
                self.history[lane, :, : c.epoch] = history
                if kept is not None:
                    flat = kept
                    check_count("parameters put by", flat.shape[0], size)
                    memcpy(c.kept + lane * c.largest, &flat[0], flat.shape[0] * sizeof(real))

    # --- results ----------------------------------------------------------------------------------------------------

    def ended(self):
        """Return the lanes that are at their end, and what came of each, as in rounds.Trained."""
        return [(lane, self._trained(lane)) for lane in range(self.c.used) if self.c.ended[lane]]

    cdef _trained(self, int lane):
        """What came of a lane.

        One NaN stands for all: in which of its many bit patterns a diverging sum ends is no promise.
        """
        cdef Course *c = &self.c
        cdef int metric
        cdef int64_t epoch, place
        cdef double *values
        cdef real[::1] numbers
        for metric in range(c.metrics):
            values = history_at(c, lane, metric)
            for epoch in range(c.ended[lane]):
                if isnan(values[epoch]):
                    values[epoch] = NAN
        restored = c.is_kept[lane] and c.stopping[lane].restores_best and not c.diverged[lane]
        epoch = c.best_epoch[lane] if restored else c.ended[lane]
        flat = self._parameters(lane)
        if c.diverged[lane]:
            numbers = flat
            for place in range(numbers.shape[0]):
                if isnan(numbers[place]):
                    numbers[place] = NAN
        return flat, self._history(lane, c.ended[lane]), bool(c.diverged[lane]), epoch

    cdef _history(self, int lane, int64_t epochs):
        """The history of a lane so far: a copy, as the pack's own is as long as training may be, of all lanes."""
        return self.history[lane, :, :epochs].copy()

    cdef _parameters(self, int lane):
        """The parameters of a lane that were put by, or the present ones."""
        cdef real[::1] out
        if not self.c.is_kept[lane]:
            return self._column(self.p.parameters, lane)
        out = flat = np.empty(own_size(&self.p, lane), self.dtype)
        memcpy(&out[0], self.c.kept + lane * self.c.largest, out.shape[0] * sizeof(real))
        return flat

    cdef _column(self, const vec *registers, int lane):
        cdef real[::1] out
        out = flat = np.empty(own_size(&self.p, lane), self.dtype)
        take_out(&self.p, registers, lane, &out[0])
        return flat

    # --- without training -------------------------------------------------------------------------------------------

    def evaluate(self):
        """Return the loss and score of every lane on the validation data, an array (2, lanes)."""
        cdef control_word found
        with nogil:
            found = enter_contract()
            try:
                validate(&self.p, &self.c)
            finally:
                leave_contract(found)
        return self.history[:, 1:, 0].T

    def gradients(self):
        """Return the loss and the flat data gradient of every lane, all rows taken as one minibatch."""
        cdef control_word found
        cdef Minibatch batch
        batch.data, batch.rows, batch.training, batch.updating = &self.c.data, &self.c.order, True, False
        batch.samples = &self.p.passing
        batch.first, batch.count = 0, self.c.rows.count
        with nogil:
            found = enter_contract()
            try:
                draw_order(&self.p, &self.c)
                accumulate(&self.p, &batch)
            finally:
                leave_contract(found)
        losses = [lane_of(self.p.loss_sum[0], lane) for lane in range(self.c.used)]
        return losses, [self._column(self.p.gradients, lane) + 0 for lane in range(self.c.used)]  # + 0 ends the sums

    def outputs(self):
        """Return the raw outputs for the rows of every lane, (rows, outputs, lanes)."""
        cdef int64_t chunk, first, count, sample
        cdef Stage *last = &self.p.stages[self.p.depth - 1]
        result = np.empty((self.c.rows.count, self.p.outputs, LANES), self.dtype)
        cdef real[:, :, ::1] out = result
        cdef control_word found
        with nogil:
            found = enter_contract()
            try:
                lay_out_inputs(&self.p, self.c.rows.shared)
                for chunk in range(pieces(self.c.rows.count, self.p.chunk)):
                    first = chunk * self.p.chunk
                    count = min(self.p.chunk, self.c.rows.count - first)
                    stand_at(&self.p, &self.p.passing, 0)
                    gather_inputs(&self.p, &self.c.data, &self.c.rows, first, count)
                    forward(&self.p, count, 0, False)
                    for sample in range(count):
                        memcpy(&out[first + sample, 0, 0], last.output + sample * last.stride,
                               self.p.outputs * sizeof(vec))
                    poll(&self.p)
            finally:
                leave_contract(found)
        return result
