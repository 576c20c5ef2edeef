/* The most multiply-adds a core does: independent sums in the widest registers, nothing loaded or stored. */

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif

/* At least latency x ports sums hide the latency of the multiply-add; they must fit into the registers. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define SUMS 24
#else
#define SUMS 12
#endif

#define PEAK(name, type)                                                                                               \
    type name(long rounds, type factor, type term)                                                                     \
    {                                                                                                                  \
        typedef type vector __attribute__((vector_size(BYTES)));                                                       \
        vector sums[SUMS], a = factor - (vector){0}, b = term - (vector){0}, total = {0};                              \
        for (int i = 0; i < SUMS; i++)                                                                                 \
            sums[i] = b + (type)i;                                                                                     \
        for (long round = 0; round < rounds; round++) {                                                                \
            _Pragma("GCC unroll 24") for (int i = 0; i < SUMS; i++) sums[i] = sums[i] * a + b;                         \
        }                                                                                                              \
        for (int i = 0; i < SUMS; i++)                                                                                 \
            total += sums[i];                                                                                          \
        type result = 0;                                                                                               \
        for (unsigned lane = 0; lane < BYTES / sizeof(type); lane++)                                                   \
            result += total[lane];                                                                                     \
        return result;                                                                                                 \
    }

PEAK(peak_float32, float)
PEAK(peak_float64, double)

long flops_per_round(long size) { return 2 * SUMS * (BYTES / size); }
int register_bits(void) { return 8 * BYTES; }
