/* The functions of lanes.h for single values. Values of bool are masks here too: 0 or -1. */
#ifndef ATHANOR_SCALAR_H
#define ATHANOR_SCALAR_H

#include "types.h"

typedef float f32_1;
typedef double f64_1;
typedef int32_t i32_1;
typedef int32_t b_1;

INLINE f32_1 load_f32_1(const float *p) { return *p; }
INLINE f64_1 load_f64_1(const double *p) { return *p; }
INLINE i32_1 load_i32_1(const int32_t *p) { return *p; }
INLINE i32_1 load_u8_1(const uint8_t *p) { return *p; }
INLINE i32_1 load_i8_1(const int8_t *p) { return *p; }
INLINE b_1 load_b_1(const uint8_t *p) { return -(*p != 0); }
INLINE void store_f32_1(float *p, f32_1 x) { *p = x; }
INLINE void store_f64_1(double *p, f64_1 x) { *p = x; }
INLINE void store_i32_1(int32_t *p, i32_1 x) { *p = x; }
INLINE void store_u8_1(uint8_t *p, i32_1 x) { *p = (uint8_t)x; }
INLINE void store_i8_1(int8_t *p, i32_1 x) { *p = (int8_t)x; }
INLINE void store_b_1(uint8_t *p, b_1 x) { *p = (uint8_t)(x & 1); }

INLINE f32_1 select_f32_1(b_1 mask, f32_1 x, f32_1 y) { return mask ? x : y; }
INLINE f64_1 select_f64_1(b_1 mask, f64_1 x, f64_1 y) { return mask ? x : y; }
INLINE i32_1 select_i32_1(b_1 mask, i32_1 x, i32_1 y) { return mask ? x : y; }
INLINE b_1 select_b_1(b_1 mask, b_1 x, b_1 y) { return mask ? x : y; }

INLINE i32_1 wrap_u8_1(i32_1 x) { return x & 255; }
INLINE i32_1 wrap_i8_1(i32_1 x) { return (int8_t)x; }

INLINE i32_1 bits_f32_1(f32_1 x) { int32_t y; memcpy(&y, &x, 4); return y; }
INLINE f32_1 float_of_bits_1(i32_1 x) { float y; memcpy(&y, &x, 4); return y; }

#define COMPARE_1(T) \
  INLINE b_1 lt_##T##_1(T##_1 x, T##_1 y) { return -(x < y); } \
  INLINE b_1 le_##T##_1(T##_1 x, T##_1 y) { return -(x <= y); } \
  INLINE b_1 eq_##T##_1(T##_1 x, T##_1 y) { return -(x == y); } \
  INLINE b_1 ne_##T##_1(T##_1 x, T##_1 y) { return -(x != y); }
COMPARE_1(f32)
COMPARE_1(f64)
COMPARE_1(i32)

#define FLOAT_1(T, suffix) \
  INLINE T##_1 sqrt_##T##_1(T##_1 x) { return __builtin_sqrt##suffix(x); } \
  INLINE T##_1 floor_##T##_1(T##_1 x) { return __builtin_floor##suffix(x); } \
  INLINE T##_1 ceil_##T##_1(T##_1 x) { return __builtin_ceil##suffix(x); } \
  INLINE T##_1 trunc_##T##_1(T##_1 x) { return __builtin_trunc##suffix(x); } \
  INLINE T##_1 round_##T##_1(T##_1 x) { return __builtin_rint##suffix(x); } \
  INLINE T##_1 abs_##T##_1(T##_1 x) { return __builtin_fabs##suffix(x); } \
  INLINE T##_1 fma_##T##_1(T##_1 x, T##_1 y, T##_1 z) { return FUSED ? __builtin_fma##suffix(x, y, z) : x * y + z; } \
  INLINE T##_1 sign_##T##_1(T##_1 x) { return x > 0 ? 1 : x < 0 ? -1 : x; } \
  INLINE T##_1 pmax_##T##_1(T##_1 x, T##_1 y) { return x < y ? y : x; } \
  INLINE T##_1 pmin_##T##_1(T##_1 x, T##_1 y) { return y < x ? y : x; } \
  INLINE T##_1 relu_##T##_1(T##_1 x) { return x <= 0 ? 0 : x; } \
  INLINE T##_1 max_##T##_1(T##_1 x, T##_1 y) { return x < y || y != y ? y : x == y && __builtin_signbit(x) ? y : x; } \
  INLINE T##_1 min_##T##_1(T##_1 x, T##_1 y) { return y < x || y != y ? y : x == y && __builtin_signbit(y) ? y : x; }
FLOAT_1(f32, f)
FLOAT_1(f64, )

/** C's pow, but for (−1)^±∞, which is NaN here. */
INLINE f64_1 power(f64_1 x, f64_1 y) { return x == -1 && isinf(y) ? NAN : pow(x, y); }
INLINE f64_1 pow_f64_1(f64_1 x, f64_1 y) { return power(x, y); }
#define LIBRARY_1(name) INLINE f64_1 name##_f64_1(f64_1 x) { return name(x); }
LIBRARY_1(exp) LIBRARY_1(expm1) LIBRARY_1(log) LIBRARY_1(log1p) LIBRARY_1(sin) LIBRARY_1(cos)
LIBRARY_1(atan) LIBRARY_1(tanh) LIBRARY_1(erf)

#define EXACT_1(name) INLINE f32_1 exact_##name##_f32_1(b_1 mask, f32_1 fast, f32_1 x) { return mask ? (float)name(x) : fast; }
EXACT_1(sin) EXACT_1(cos)
INLINE f32_1 exact_pow_f32_1(b_1 mask, f32_1 fast, f32_1 x, f32_1 y) { return mask ? (float)power(x, y) : fast; }

INLINE i32_1 abs_i32_1(i32_1 x) { return x < 0 ? -x : x; }
INLINE i32_1 sign_i32_1(i32_1 x) { return (x > 0) - (x < 0); }
INLINE i32_1 max_i32_1(i32_1 x, i32_1 y) { return x < y ? y : x; }
INLINE i32_1 min_i32_1(i32_1 x, i32_1 y) { return y < x ? y : x; }
INLINE i32_1 shl_i32_1(i32_1 x, i32_1 y) { return (int32_t)((uint32_t)x << (y & 31)); }
INLINE i32_1 shr_i32_1(i32_1 x, i32_1 y) { return x >> (y & 31); }
INLINE i32_1 ushr_i32_1(i32_1 x, i32_1 y) { return (int32_t)((uint32_t)x >> (y & 31)); }
INLINE i32_1 popcount_i32_1(i32_1 x) { return __builtin_popcount((uint32_t)x); }
/** Rounds towards −∞; by 0 it is 0. The lowest integer by −1 wraps. */
INLINE i32_1 floorDivide_i32_1(i32_1 x, i32_1 y) {
  if (y == 0) return 0;
  if (y == -1) return -x;
  int32_t quotient = x / y;
  return quotient - (quotient * y != x && (x ^ y) < 0);
}
INLINE i32_1 mod_i32_1(i32_1 x, i32_1 y) { return y == 0 ? 0 : x - floorDivide_i32_1(x, y) * y; }

INLINE b_1 not_b_1(b_1 x) { return ~x; }

INLINE f32_1 f32_of_f64_1(f64_1 x) { return (float)x; }
INLINE f64_1 f64_of_f32_1(f32_1 x) { return x; }
INLINE f32_1 f32_of_i32_1(i32_1 x) { return (float)x; }
INLINE f64_1 f64_of_i32_1(i32_1 x) { return x; }
INLINE i32_1 clamp_i32_1(i32_1 x, i32_1 low, i32_1 high) { return x < low ? low : x > high ? high : x; }
/** Truncates, saturates, sends NaN to 0. */
INLINE i32_1 i32_of_f64_1(f64_1 x) { return x != x ? 0 : x <= -2147483648.0 ? INT32_MIN : x >= 2147483647.0 ? INT32_MAX : (int32_t)x; }
INLINE i32_1 i32_of_f32_1(f32_1 x) { return i32_of_f64_1(x); }

INLINE i32_1 threefry_1(i32_1 key0, i32_1 key1, i32_1 block0, i32_1 block1) {
  uint32_t a = (uint32_t)key0, b = (uint32_t)key1, c = 0x1bd11bda ^ a ^ b, x = (uint32_t)block0, y = (uint32_t)block1;
  return (int32_t)THREEFRY(a, b, c, x, y);
}

#endif
