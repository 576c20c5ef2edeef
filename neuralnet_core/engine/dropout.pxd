"""Dropout: which units a chunk keeps, and what is left of their values; the delta takes the same slopes."""

from neuralnet_core.engine.structs cimport *


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


cdef inline void solo_dropout_forward(
    PackState *p, Stage *stage, Block source, int64_t count, int64_t position, bint training
) noexcept nogil:
    """The same for one network whose units are the lanes."""
    cdef int64_t sample, unit, stride = stage.stride * LANES
    cdef uint64_t key = dropout_key(p.seeds[0], <uint64_t> stage.layer, <uint64_t> p.updates)
    cdef uint32_t low = <uint32_t> key, high = <uint32_t> (key >> 32), counter
    cdef uint32_t threshold = p.dropout_threshold[stage.dropout * LANES]
    cdef real scale = lane_of(p.dropout_scale[stage.dropout], 0)
    cdef const real *x
    cdef real *slope
    cdef real *out
    for sample in range(count):
        x = (<const real *> source.data) + sample * source.stride
        out = (<real *> stage.output) + sample * stride
        slope = (<real *> stage.slope) + sample * stride
        counter = <uint32_t> ((position + sample) * stage.units)
        for unit in range(stage.units):
            if not training:
                out[unit] = x[unit]
                continue
            slope[unit] = scale if dropout_word(low, high, counter + <uint32_t> unit) >= threshold else 0
            out[unit] = x[unit] * slope[unit] if slope[unit] > 0 else 0
