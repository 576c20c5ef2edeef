"""Counter-based random numbers for Python: the same C functions that the kernels use (philox.h, scalars.h)."""

import numpy as np

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from "scalars.h" nogil:
    const int PURPOSE_WEIGHT
    const int PURPOSE_SEED
    void philox(const uint64_t *counter, uint64_t key, uint64_t *words)
    void shuffle_order(
        uint64_t seed, uint64_t epoch, int64_t n, int64_t first, int64_t last, int64_t *order, int64_t stride)
    uint64_t dropout_key(uint64_t seed, uint64_t layer, uint64_t update)
    uint32_t dropout_word(uint32_t key_low, uint32_t key_high, uint32_t counter)
    double uniform_from(uint64_t word)
    double normal_from(uint64_t first, uint64_t second)
    double log_scalar(double x)
    double cos_turns(double turns)
    double learning_rate(const double *schedule, int64_t stride, int64_t t)


def words(uint64_t key, counter):
    """Return the four raw words of a counter of four words."""
    cdef uint64_t[::1] at = np.array(counter, np.uint64)
    result = np.empty(4, np.uint64)
    cdef uint64_t[::1] out = result
    philox(&at[0], key, &out[0])
    return result


def draws(uint64_t seed, uint64_t layer, uint64_t parameter, int64_t inputs, int64_t outputs, bint normal):
    """Return (inputs, outputs) standard normal or uniform [-1, 1) draws, a counter for each."""
    cdef uint64_t counter[4]
    cdef uint64_t word[4]
    cdef int64_t i, o
    result = np.empty((inputs, outputs))
    cdef double[:, ::1] out = result
    counter[2], counter[3] = layer * 65536 + parameter, PURPOSE_WEIGHT
    with nogil:
        for i in range(inputs):
            for o in range(outputs):
                counter[0], counter[1] = <uint64_t> o, <uint64_t> i
                philox(counter, seed, word)
                out[i, o] = normal_from(word[0], word[1]) if normal else 2.0 * uniform_from(word[0]) - 1.0
    return result


def permutation(uint64_t seed, uint64_t epoch, int64_t n):
    """Return the order of n rows in an epoch."""
    result = np.empty(n, np.int64)
    cdef int64_t[::1] out = result
    if n:
        shuffle_order(seed, epoch, n, 0, n, &out[0], 1)
    return result


def dropout_words(uint64_t seed, uint64_t layer, uint64_t update, int64_t samples, int64_t units):
    """Return (samples, units) 24-bit words; a unit is kept where its word is not below rate * 2^24."""
    cdef uint64_t key = dropout_key(seed, layer, update)
    cdef int64_t sample, unit
    result = np.empty((samples, units), np.uint32)
    cdef uint32_t[:, ::1] out = result
    for sample in range(samples):
        for unit in range(units):
            out[sample, unit] = dropout_word(<uint32_t> key, <uint32_t> (key >> 32), <uint32_t> (sample * units + unit))
    return result


def derived_seed(uint64_t root, uint64_t repeat, uint64_t fold):
    """Return 63 random bits for a (root seed, repeat, fold)."""
    cdef uint64_t counter[4]
    cdef uint64_t word[4]
    counter[0], counter[1], counter[2], counter[3] = repeat, fold, 0, PURPOSE_SEED
    philox(counter, root, word)
    return word[0] >> 1


def logarithm(double x):
    """log(x), as the draws use it."""
    return log_scalar(x)


def cosine(double turns):
    """cos(2 pi turns), as draws and schedules use it."""
    return cos_turns(turns)


def rate_at(const double[::1] schedule, int64_t t):
    """Return the learning rate of update t, as the engine computes it from a row of packing.py."""
    return learning_rate(&schedule[0], 1, t)
