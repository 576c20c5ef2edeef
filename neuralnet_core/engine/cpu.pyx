"""What the processor can do and what compiled the engine."""

cdef extern from "control.h":
    ctypedef unsigned long control_word
    control_word enter_contract()
    void leave_contract(control_word found)

cdef extern from *:
    """
    #if defined(__x86_64__)
    #define HAS_V3 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    #define HAS_V4 (HAS_V3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") \\
        && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") \\
        && __builtin_cpu_supports("avx512vl"))
    #define HAS_FMA __builtin_cpu_supports("fma")
    #else
    #define HAS_V3 0
    #define HAS_V4 0
    #define HAS_FMA 1
    #endif
    #ifndef WIDE_LANES
    #define WIDE_LANES 0
    #endif
    """
    int HAS_V3
    int HAS_V4
    int HAS_FMA
    int WIDE_LANES
    const char *COMPILER "__VERSION__"


def supported():
    """Return the instruction sets that this build has and this processor runs, the best last."""
    names = ["baseline"]
    if HAS_V3 and WIDE_LANES:
        names.append("v3wide")
    if HAS_V3:
        names.append("v3")
    if HAS_V4:
        names += ["v4narrow", "v4"]
    return names


def has_fma():
    """Whether the processor has a fused multiply-add; the C library's is right but slow."""
    return bool(HAS_FMA)


def compiler():
    """Return the version of the compiler that built the engine."""
    return COMPILER.decode()


cdef class StrictFloats:
    """A `with` block in which this thread rounds to nearest and keeps subnormals, as the kernels do."""

    cdef control_word found

    def __enter__(self):
        self.found = enter_contract()

    def __exit__(self, *error):
        leave_contract(self.found)
