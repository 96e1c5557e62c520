/* What all generated kernels share: how wide vectors are, and which instructions the processor has. */
#ifndef ATHANOR_TYPES_H
#define ATHANOR_TYPES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline, unused))
#define OUTLINE static __attribute__((noinline, unused))
#define JOIN_(name, lanes) name##_##lanes
#define JOIN(name, lanes) JOIN_(name, lanes)
/** The name of a type or function for the current number of lanes. */
#define N(name) JOIN(name, LANES)

#define EACH_LANE for (int lane = 0; lane < LANES; lane++)

/** Bits of a kernel's flags. */
enum { GATHER_OUT_OF_RANGE = 1, SCATTER_OUT_OF_RANGE = 2 };

/** Logical lanes of a reduction along a vector loop. */
#define LOGICAL_LANES 32

/* Where the processor has fused multiply-add, every multiplyAdd is one; elsewhere none is. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FUSED 1
#else
#define FUSED 0
#endif

#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512BW__)
#define HAS_MASKS 1
#else
#define HAS_MASKS 0
#endif

/** Whether a vector of so many bytes fits one register. */
#define FITS(bytes) ((bytes) <= VECTOR_BYTES && (bytes) >= 16)

/** Streamed stores before it are visible to whoever meets at a barrier afterwards. */
INLINE void stream_end(void) {
#if defined(__x86_64__)
  __asm__ volatile("sfence" ::: "memory");
#endif
}

/** ⌈x / y⌉ for y > 0. */
INLINE int64_t ceil_divide(int64_t x, int64_t y) { return x >= 0 ? (x + y - 1) / y : -(-x / y); }

/** Word 0 of Threefry-2x32 with 20 rounds, on any unsigned type. */
#define THREEFRY_ROUND(x, y, distance) x += y, y = ((y << distance) | (y >> (32 - distance))) ^ x
#define THREEFRY_GROUP(x, y, a, b, c, d) \
  THREEFRY_ROUND(x, y, a), THREEFRY_ROUND(x, y, b), THREEFRY_ROUND(x, y, c), THREEFRY_ROUND(x, y, d)
#define THREEFRY(key0, key1, key2, x, y) \
  (x += key0, y += key1, \
   THREEFRY_GROUP(x, y, 13, 15, 26, 6), x += key1, y += key2 + 1, \
   THREEFRY_GROUP(x, y, 17, 29, 16, 24), x += key2, y += key0 + 2, \
   THREEFRY_GROUP(x, y, 13, 15, 26, 6), x += key0, y += key1 + 3, \
   THREEFRY_GROUP(x, y, 17, 29, 16, 24), x += key1, y += key2 + 4, \
   THREEFRY_GROUP(x, y, 13, 15, 26, 6), x += key2, y += key0 + 5, x)

#endif
