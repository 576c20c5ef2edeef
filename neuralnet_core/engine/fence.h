/* What stands between the buffers of an arena: nothing; or where the address sanitizer watches, registers that nobody
 * may touch. To it an arena is one piece of memory, in which one buffer could otherwise run into the next. */
#ifndef NEURALNET_FENCE_H
#define NEURALNET_FENCE_H

#include "lanes.h"

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif

#ifdef WATCHED
#include <sanitizer/asan_interface.h>

enum { FENCE = 16 };

/* While a layout is only counted, addresses start at 0: memory that anybody has lies far above. */
INLINE void put_fence(vec *place)
{
    if ((uintptr_t)place >> 40) __asan_poison_memory_region(place, FENCE * sizeof(vec));
}
#else
enum { FENCE = 0 };
INLINE void put_fence(vec *place) { (void)place; }
#endif

#endif
