/* Philox4x64-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): four random
 * words from a counter of four words and a key. The key is the trial's seed; the counter says what is drawn. */
#ifndef NEURALNET_PHILOX_H
#define NEURALNET_PHILOX_H

#include <stdint.h>

enum { PURPOSE_WEIGHT = 1, PURPOSE_ORDER = 2, PURPOSE_SEED = 3 };

static inline void philox(const uint64_t counter[4], uint64_t key, uint64_t words[4])
{
    uint64_t a = counter[0], b = counter[1], c = counter[2], d = counter[3], k0 = key, k1 = 0;
    for (int round = 0; round < 10; round++) {
        unsigned __int128 p = (unsigned __int128)0xD2E7470EE14C6C93u * a;
        unsigned __int128 q = (unsigned __int128)0xCA5A826395121157u * c;
        a = (uint64_t)(q >> 64) ^ b ^ k0;
        b = (uint64_t)q;
        c = (uint64_t)(p >> 64) ^ d ^ k1;
        d = (uint64_t)p;
        k0 += 0x9E3779B97F4A7C15u;
        k1 += 0xBB67AE8584CAA73Bu;
    }
    words[0] = a, words[1] = b, words[2] = c, words[3] = d;
}

/* Fisher-Yates, from the last place down, one word per place; a word is mapped to 0..bound-1 by its high product
 * (bias below bound / 2^64). A long order is drawn piece by piece: places first to last - 1, counted from the last
 * place down; `first` is a multiple of 4, and 0 in the first piece. Two draws of words overlap in the processor. */
static void shuffle_order(
    uint64_t seed, uint64_t epoch, int64_t n, int64_t first, int64_t last, int64_t *order, int64_t stride)
{
    uint64_t words[8], counter[4] = {0, 0, epoch, PURPOSE_ORDER};
    int64_t end = last < n - 1 ? last : n - 1;
    for (int64_t i = 0; first == 0 && i < n; i++) order[i * stride] = i;
    for (int64_t drawn = first; drawn < end; drawn += 8) {
        for (int half = 0; half < 2; half++) {
            counter[0] = (uint64_t)(drawn / 4 + half);
            philox(counter, seed, words + 4 * half);
        }
        for (int64_t k = 0; k < 8 && drawn + k < end; k++) {
            int64_t i = n - 1 - drawn - k;
            int64_t j = (int64_t)(((unsigned __int128)words[k] * (uint64_t)(i + 1)) >> 64);
            int64_t held = order[i * stride];
            order[i * stride] = order[j * stride];
            order[j * stride] = held;
        }
    }
}

/* A cheap counter hash decides which units dropout keeps: 24 bits from (layer, update, position, unit). The two keys
 * are drawn per layer and update from the seed by a 64-bit mixer (Steele, Lea, Flood, "SplitMix", 2014). */
static inline uint64_t mix64(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static inline uint64_t dropout_key(uint64_t seed, uint64_t layer, uint64_t update)
{
    return mix64(mix64(mix64(seed) + layer) + update);
}

static inline uint32_t dropout_word(uint32_t key_low, uint32_t key_high, uint32_t counter)
{
    uint32_t x = counter * 0x9E3779B1u + key_low;
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15) ^ key_high) * 0x846CA68Bu;
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    return (x ^ (x >> 15)) >> 8;
}

#endif
