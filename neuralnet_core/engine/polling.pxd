"""Ending early: the kernels look for the cancel flag, and in the main thread for the user's Ctrl-C."""

from cpython.exc cimport PyErr_CheckSignals

from neuralnet_core.engine.structs cimport *

cdef enum:
    LONG = 1 << 19              # multiply-adds of registers, or the like: a part of a millisecond
    DRAWN_AT_ONCE = 1 << 14     # places of an order: about a millisecond


cdef inline int poll(PackState *p) except -1 nogil:
    """Obey the cancel flag at once, and in the main thread the user's Ctrl-C within milliseconds."""
    p.polls += 1
    if p.cancel[0]:
        with gil:
            raise InterruptedError("training was cancelled")
    p.work += p.size * p.chunk
    if p.main_thread and p.work > 5_000_000:
        p.work = 0
        with gil:
            PyErr_CheckSignals()
    return 0


cdef inline int poll_after(PackState *p, int64_t work) except -1 nogil:
    """The same, where so much work was long."""
    return poll(p) if work > LONG else 0
