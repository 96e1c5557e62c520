/* Vectors of LANES values and their functions. Included once for each number of lanes (4, 8 or 16) that kernels use.
   Types: f32, f64, i32 (also what 8-bit integers become once loaded) and b, a mask of 0 or -1. */
#include "scalar.h"

#define F32 N(f32)
#define F64 N(f64)
#define I32 N(i32)
#define I64 N(i64)
#define B N(b)

typedef float F32 __attribute__((vector_size(4 * LANES)));
typedef double F64 __attribute__((vector_size(8 * LANES)));
typedef int32_t I32 __attribute__((vector_size(4 * LANES)));
typedef int64_t I64 __attribute__((vector_size(8 * LANES)));
typedef uint32_t N(u32) __attribute__((vector_size(4 * LANES)));
typedef int16_t N(i16) __attribute__((vector_size(2 * LANES)));
typedef uint16_t N(u16) __attribute__((vector_size(2 * LANES)));
typedef int8_t N(i8) __attribute__((vector_size(LANES)));
typedef uint8_t N(u8) __attribute__((vector_size(LANES)));
typedef I32 B;

/* The same in memory: aligned to an element only. */
typedef float N(f32_memory) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef double N(f64_memory) __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
typedef int32_t N(i32_memory) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int8_t N(i8_memory) __attribute__((vector_size(LANES), aligned(1), may_alias));
typedef uint8_t N(u8_memory) __attribute__((vector_size(LANES), aligned(1), may_alias));

/* ---- Making values ---- */

/* x − 0 is x, also where x is −0 or NaN. */
INLINE F32 N(splat_f32)(float x) { return x - (F32){0}; }
INLINE F64 N(splat_f64)(double x) { return x - (F64){0}; }
INLINE I32 N(splat_i32)(int32_t x) { return x - (I32){0}; }
INLINE B N(splat_b)(int32_t x) { return N(splat_i32)(x); }
/** start, start + step, … */
INLINE I32 N(ramp)(int32_t start, int32_t step) {
#if LANES == 16
  const I32 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif LANES == 8
  const I32 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
#else
  const I32 lanes = {0, 1, 2, 3};
#endif
  return lanes * step + start;
}
/** The first `count` lanes. */
INLINE B N(first)(int64_t count) { return N(ramp)(0, 1) < (int32_t)(count < LANES ? count : LANES); }
/** Lanes whose index start + lane · step lies in [0, size). */
INLINE B N(inside)(int64_t start, int32_t step, int32_t size) { return (B)((N(u32))N(ramp)((int32_t)start, step) < (uint32_t)size); }

/* ---- Masks ---- */

INLINE I64 N(wide)(B mask) { return __builtin_convertvector(mask, I64); }
INLINE B N(narrow)(I64 mask) { return __builtin_convertvector(mask, B); }
INLINE F32 N(select_f32)(B mask, F32 x, F32 y) { return (F32)((mask & (I32)x) | (~mask & (I32)y)); }
INLINE I32 N(select_i32)(B mask, I32 x, I32 y) { return (mask & x) | (~mask & y); }
INLINE B N(select_b)(B mask, B x, B y) { return (mask & x) | (~mask & y); }
INLINE F64 N(select_f64)(B mask, F64 x, F64 y) { I64 m = N(wide)(mask); return (F64)((m & (I64)x) | (~m & (I64)y)); }
#if HAS_MASKS && FITS(4 * LANES)
/* One bit per lane. */
INLINE uint16_t N(bits)(B mask) { uint16_t k; __asm__("vpmovd2m %1, %0" : "=Yk"(k) : "v"(mask)); return k; }
INLINE int N(any)(B mask) { return N(bits)(mask) != 0; }
#else
INLINE int N(any)(B mask) {
  int64_t words[LANES / 2];
  memcpy(words, &mask, sizeof words);
  int64_t all = 0;
  for (int i = 0; i < LANES / 2; i++) all |= words[i];
  return all != 0;
}
#endif
INLINE B N(not_b)(B x) { return ~x; }

/* ---- Memory ---- */

/* 8-bit values change width in two steps: compilers know single steps as instructions. */
INLINE I32 N(of_u8)(N(u8) x) { return __builtin_convertvector(__builtin_convertvector(x, N(u16)), I32); }
INLINE I32 N(of_i8)(N(i8) x) { return __builtin_convertvector(__builtin_convertvector(x, N(i16)), I32); }
INLINE N(u8) N(to_u8)(I32 x) { return __builtin_convertvector(__builtin_convertvector(x, N(u16)), N(u8)); }

INLINE F32 N(load_f32)(const float *p) { return *(const N(f32_memory) *)p; }
INLINE F64 N(load_f64)(const double *p) { return *(const N(f64_memory) *)p; }
INLINE I32 N(load_i32)(const int32_t *p) { return *(const N(i32_memory) *)p; }
INLINE I32 N(load_u8)(const uint8_t *p) { return N(of_u8)(*(const N(u8_memory) *)p); }
INLINE I32 N(load_i8)(const int8_t *p) { return N(of_i8)(*(const N(i8_memory) *)p); }
INLINE B N(load_b)(const uint8_t *p) { return -N(of_u8)(*(const N(u8_memory) *)p); }
INLINE void N(store_f32)(float *p, F32 x) { *(N(f32_memory) *)p = x; }
INLINE void N(store_f64)(double *p, F64 x) { *(N(f64_memory) *)p = x; }
INLINE void N(store_i32)(int32_t *p, I32 x) { *(N(i32_memory) *)p = x; }
INLINE void N(store_u8)(uint8_t *p, I32 x) { *(N(u8_memory) *)p = N(to_u8)(x); }
INLINE void N(store_i8)(int8_t *p, I32 x) { *(N(u8_memory) *)p = N(to_u8)(x); }
INLINE void N(store_b)(uint8_t *p, B x) { *(N(u8_memory) *)p = N(to_u8)(x & 1); }

/* Stores that go past the caches where the address allows it, for results that are too big for them; `stream_end` makes
   them visible to others. */
#if defined(__AVX__)
#define STREAM(T, V, S, bytes) \
  INLINE void N(stream_##T)(S *p, V x) { \
    if (FITS(bytes) && ((uintptr_t)p & ((bytes) - 1)) == 0) __asm__ volatile("vmovntps %1, %0" : "=m"(*(V *)p) : "v"(x)); \
    else N(store_##T)(p, x); }
#else
#define STREAM(T, V, S, bytes) INLINE void N(stream_##T)(S *p, V x) { N(store_##T)(p, x); }
#endif
STREAM(f32, F32, float, 4 * LANES)
STREAM(i32, I32, int32_t, 4 * LANES)
#undef STREAM

/* In steps: element lane · step. Masked: memory where the mask is off is not touched, and loads give `fill`. */
#define MEMORY(T, V, S, element) \
  INLINE V N(load_reversed_##T)(const S *p) { V x = N(load_##T)(p - (LANES - 1)), r; EACH_LANE r[lane] = x[LANES - 1 - lane]; return r; } \
  INLINE V N(load_strided_##T)(const S *p, int64_t step) { V r; EACH_LANE r[lane] = load_##T##_1(p + lane * step); return r; } \
  INLINE void N(store_strided_##T)(S *p, int64_t step, V x) { EACH_LANE store_##T##_1(p + lane * step, x[lane]); } \
  OUTLINE V N(masked_strided_##T)(const S *p, int64_t step, B mask, V fill) { \
    V r = fill; EACH_LANE if (mask[lane]) r[lane] = load_##T##_1(p + lane * step); return r; } \
  OUTLINE void N(store_masked_strided_##T)(S *p, int64_t step, V x, B mask) { \
    EACH_LANE if (mask[lane]) store_##T##_1(p + lane * step, x[lane]); } \
  OUTLINE V N(gather_##T)(const S *p, int64_t step, I32 at, int64_t stride, B mask, V fill) { \
    V r = fill; EACH_LANE if (mask[lane]) r[lane] = load_##T##_1(p + lane * step + at[lane] * stride); return r; }
MEMORY(f32, F32, float, 4)
MEMORY(f64, F64, double, 8)
MEMORY(i32, I32, int32_t, 4)
MEMORY(u8, I32, uint8_t, 1)
MEMORY(i8, I32, int8_t, 1)
MEMORY(b, B, uint8_t, 1)
#undef MEMORY

#define MASKED_BY_LANE(T, V, S) \
  INLINE V N(masked_##T)(const S *p, B mask, V fill) { return N(masked_strided_##T)(p, 1, mask, fill); } \
  INLINE void N(store_masked_##T)(S *p, V x, B mask) { N(store_masked_strided_##T)(p, 1, x, mask); }

#if HAS_MASKS && FITS(4 * LANES)
#define MASKED(T, V, S, instruction) \
  INLINE V N(masked_##T)(const S *p, B mask, V fill) { \
    __asm__(instruction " %2, %0%{%1%}" : "+v"(fill) : "Yk"(N(bits)(mask)), "m"(*(const struct { S x[LANES]; } *)p)); return fill; } \
  INLINE void N(store_masked_##T)(S *p, V x, B mask) { \
    __asm__(instruction " %1, %0%{%2%}" : "+m"(*(struct { S x[LANES]; } *)p) : "v"(x), "Yk"(N(bits)(mask))); }
MASKED(f32, F32, float, "vmovups")
MASKED(i32, I32, int32_t, "vmovdqu32")
#undef MASKED
#elif defined(__AVX2__) && FITS(4 * LANES)
#define MASKED(T, V, S) \
  INLINE V N(masked_##T)(const S *p, B mask, V fill) { \
    V r; __asm__("vmaskmovps %2, %1, %0" : "=x"(r) : "x"(mask), "m"(*(const struct { S x[LANES]; } *)p)); return N(select_##T)(mask, r, fill); } \
  INLINE void N(store_masked_##T)(S *p, V x, B mask) { \
    __asm__("vmaskmovps %1, %2, %0" : "+m"(*(struct { S x[LANES]; } *)p) : "x"(x), "x"(mask)); }
MASKED(f32, F32, float)
MASKED(i32, I32, int32_t)
#undef MASKED
#else
MASKED_BY_LANE(f32, F32, float)
MASKED_BY_LANE(i32, I32, int32_t)
#endif
MASKED_BY_LANE(f64, F64, double)
MASKED_BY_LANE(u8, I32, uint8_t)
MASKED_BY_LANE(i8, I32, int8_t)
MASKED_BY_LANE(b, B, uint8_t)
#undef MASKED_BY_LANE

/* ---- Comparisons ---- */

#define COMPARE(T, V, wrap) \
  INLINE B N(lt_##T)(V x, V y) { return wrap(x < y); } \
  INLINE B N(le_##T)(V x, V y) { return wrap(x <= y); } \
  INLINE B N(eq_##T)(V x, V y) { return wrap(x == y); } \
  INLINE B N(ne_##T)(V x, V y) { return wrap(x != y); }
COMPARE(f32, F32, )
COMPARE(i32, I32, )
COMPARE(f64, F64, N(narrow))
#undef COMPARE

/* ---- Floats ---- */

/* One instruction where a vector fits a register, lane by lane elsewhere: the same bits. */
#define BY_LANE(T, V, name) INLINE V N(name##_##T)(V x) { V r; EACH_LANE r[lane] = name##_##T##_1(x[lane]); return r; }
#define FLOATS_BY_LANE(T, V) \
  INLINE V N(fma_##T)(V x, V y, V z) { V r; EACH_LANE r[lane] = fma_##T##_1(x[lane], y[lane], z[lane]); return r; } \
  BY_LANE(T, V, sqrt) BY_LANE(T, V, floor) BY_LANE(T, V, ceil) BY_LANE(T, V, trunc) BY_LANE(T, V, round)
#define PICK_BY_SELECT(T, V) \
  INLINE V N(pmax_##T)(V x, V y) { return N(select_##T)(N(lt_##T)(x, y), y, x); } \
  INLINE V N(pmin_##T)(V x, V y) { return N(select_##T)(N(lt_##T)(y, x), y, x); }

#if FUSED && defined(__x86_64__)
#if HAS_MASKS
#define ROUNDING "vrndscale"
#else
#define ROUNDING "vround"
#endif
#define UNARY(T, V, name, text) INLINE V N(name##_##T)(V x) { V r; __asm__(text " %1, %0" : "=v"(r) : "v"(x)); return r; }
#define PICK(T, V, name, text) INLINE V N(name##_##T)(V x, V y) { V r; __asm__(text " %1, %2, %0" : "=v"(r) : "v"(x), "v"(y)); return r; }
#define FLOATS(T, V, s) \
  INLINE V N(fma_##T)(V x, V y, V z) { __asm__("vfmadd231p" s " %2, %1, %0" : "+v"(z) : "v"(x), "v"(y)); return z; } \
  UNARY(T, V, sqrt, "vsqrtp" s) UNARY(T, V, floor, ROUNDING "p" s " $9,") UNARY(T, V, ceil, ROUNDING "p" s " $10,") \
  UNARY(T, V, trunc, ROUNDING "p" s " $11,") UNARY(T, V, round, ROUNDING "p" s " $8,") \
  PICK(T, V, pmax, "vmaxp" s) PICK(T, V, pmin, "vminp" s)
#if FITS(4 * LANES)
FLOATS(f32, F32, "s")
#else
FLOATS_BY_LANE(f32, F32)
PICK_BY_SELECT(f32, F32)
#endif
#if FITS(8 * LANES)
FLOATS(f64, F64, "d")
#else
FLOATS_BY_LANE(f64, F64)
PICK_BY_SELECT(f64, F64)
#endif
#undef UNARY
#undef PICK
#undef FLOATS
#undef ROUNDING
#elif defined(__aarch64__) && LANES == 4
#define UNARY(name, text) INLINE F32 N(name##_f32)(F32 x) { F32 r; __asm__(text " %0.4s, %1.4s" : "=w"(r) : "w"(x)); return r; }
INLINE F32 N(fma_f32)(F32 x, F32 y, F32 z) { __asm__("fmla %0.4s, %1.4s, %2.4s" : "+w"(z) : "w"(x), "w"(y)); return z; }
UNARY(sqrt, "fsqrt") UNARY(floor, "frintm") UNARY(ceil, "frintp") UNARY(trunc, "frintz") UNARY(round, "frintn")
#undef UNARY
PICK_BY_SELECT(f32, F32)
FLOATS_BY_LANE(f64, F64)
PICK_BY_SELECT(f64, F64)
#else
FLOATS_BY_LANE(f32, F32)
PICK_BY_SELECT(f32, F32)
FLOATS_BY_LANE(f64, F64)
PICK_BY_SELECT(f64, F64)
#endif

/* max and min: NaN wins, +0 is larger than −0. relu: max(x, +0), NaN kept. */
#define FLOAT_LOGIC(T, V, W) \
  INLINE V N(abs_##T)(V x) { return (V)((W)x & ~(W)(-(V){0})); } \
  INLINE V N(sign_##T)(V x) { \
    V one = N(splat_##T)(1), zero = {0}; \
    return N(select_##T)(N(lt_##T)(zero, x), one, N(select_##T)(N(lt_##T)(x, zero), -one, x)); } \
  INLINE V N(relu_##T)(V x) { V zero = {0}; return N(select_##T)(N(le_##T)(x, zero), zero, x); } \
  INLINE V N(max_##T)(V x, V y) { \
    V larger = N(select_##T)(N(ne_##T)(y, y), y, N(pmax_##T)(x, y)); \
    return N(select_##T)(N(eq_##T)(x, y), (V)((W)x & (W)y), larger); } \
  INLINE V N(min_##T)(V x, V y) { \
    V smaller = N(select_##T)(N(ne_##T)(y, y), y, N(pmin_##T)(x, y)); \
    return N(select_##T)(N(eq_##T)(x, y), (V)((W)x | (W)y), smaller); }
FLOAT_LOGIC(f32, F32, I32)
FLOAT_LOGIC(f64, F64, I64)
#undef FLOAT_LOGIC

#define LIBRARY(name) OUTLINE F64 N(name##_f64)(F64 x) { EACH_LANE x[lane] = name(x[lane]); return x; }
LIBRARY(exp) LIBRARY(expm1) LIBRARY(log) LIBRARY(log1p) LIBRARY(sin) LIBRARY(cos) LIBRARY(atan) LIBRARY(tanh) LIBRARY(erf)
#undef LIBRARY
OUTLINE F64 N(pow_f64)(F64 x, F64 y) { EACH_LANE x[lane] = power(x[lane], y[lane]); return x; }

/* `fast`, but the library's function in float64 where the mask holds (rare arguments). */
#define EXACT(name) \
  OUTLINE F32 N(slow_##name)(B mask, F32 fast, F32 x) { EACH_LANE if (mask[lane]) fast[lane] = (float)name(x[lane]); return fast; } \
  INLINE F32 N(exact_##name##_f32)(B mask, F32 fast, F32 x) { return N(any)(mask) ? N(slow_##name)(mask, fast, x) : fast; }
EXACT(sin)
EXACT(cos)
#undef EXACT
OUTLINE F32 N(slow_pow)(B mask, F32 fast, F32 x, F32 y) { EACH_LANE if (mask[lane]) fast[lane] = (float)power(x[lane], y[lane]); return fast; }
INLINE F32 N(exact_pow_f32)(B mask, F32 fast, F32 x, F32 y) { return N(any)(mask) ? N(slow_pow)(mask, fast, x, y) : fast; }

/* ---- Integers ---- */

INLINE I32 N(wrap_u8)(I32 x) { return x & 255; }
INLINE I32 N(wrap_i8)(I32 x) { return (x << 24) >> 24; }
INLINE I32 N(max_i32)(I32 x, I32 y) { return N(select_i32)(x < y, y, x); }
INLINE I32 N(min_i32)(I32 x, I32 y) { return N(select_i32)(y < x, y, x); }
INLINE I32 N(abs_i32)(I32 x) { I32 sign = x >> 31; return (x ^ sign) - sign; }
INLINE I32 N(sign_i32)(I32 x) { I32 zero = {0}; return (x < zero) - (x > zero); }
INLINE I32 N(shl_i32)(I32 x, I32 y) { return (I32)((N(u32))x << (N(u32))(y & 31)); }
INLINE I32 N(shr_i32)(I32 x, I32 y) { return x >> (y & 31); }
INLINE I32 N(ushr_i32)(I32 x, I32 y) { return (I32)((N(u32))x >> (N(u32))(y & 31)); }
INLINE I32 N(popcount_i32)(I32 x) {
#if defined(__AVX512VPOPCNTDQ__) && HAS_MASKS && FITS(4 * LANES)
  __asm__("vpopcntd %1, %0" : "=v"(x) : "v"(x));
  return x;
#endif
  N(u32) bits = (N(u32))x;
  bits = bits - ((bits >> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >> 2) & 0x33333333);
  return (I32)((((bits + (bits >> 4)) & 0x0f0f0f0f) * 0x01010101) >> 24);
}
OUTLINE I32 N(floorDivide_i32)(I32 x, I32 y) { EACH_LANE x[lane] = floorDivide_i32_1(x[lane], y[lane]); return x; }
OUTLINE I32 N(mod_i32)(I32 x, I32 y) { EACH_LANE x[lane] = mod_i32_1(x[lane], y[lane]); return x; }

INLINE I32 N(threefry)(I32 key0, I32 key1, I32 block0, I32 block1) {
  N(u32) a = (N(u32))key0, b = (N(u32))key1, c = 0x1bd11bda ^ a ^ b, x = (N(u32))block0, y = (N(u32))block1;
  return (I32)THREEFRY(a, b, c, x, y);
}

/* ---- Conversions ---- */

INLINE I32 N(bits_f32)(F32 x) { return (I32)x; }
INLINE F32 N(float_of_bits)(I32 x) { return (F32)x; }
INLINE F32 N(f32_of_f64)(F64 x) { return __builtin_convertvector(x, F32); }
INLINE F64 N(f64_of_f32)(F32 x) { return __builtin_convertvector(x, F64); }
INLINE F32 N(f32_of_i32)(I32 x) { return __builtin_convertvector(x, F32); }
INLINE F64 N(f64_of_i32)(I32 x) { return __builtin_convertvector(x, F64); }
INLINE I32 N(clamp_i32)(I32 x, int32_t low, int32_t high) { return N(max_i32)(N(min_i32)(x, N(splat_i32)(high)), N(splat_i32)(low)); }
/* To int32: truncates, saturates, sends NaN to 0. */
INLINE I32 N(i32_of_f32)(F32 x) {
  F32 limit = N(splat_f32)(2147483648.0f);
  F32 inside = N(select_f32)(x >= -limit, x, -limit);
  I32 whole = __builtin_convertvector(N(select_f32)(inside < limit, inside, (F32){0}), I32);
  return (x == x) & N(select_i32)(inside < limit, whole, N(splat_i32)(INT32_MAX));
}
INLINE I32 N(i32_of_f64)(F64 x) {
  F64 low = N(splat_f64)(-2147483648.0), high = N(splat_f64)(2147483647.0);
  F64 inside = N(pmin_f64)(N(pmax_f64)(x, low), high);
  return N(select_i32)(N(eq_f64)(x, x), __builtin_convertvector(N(select_f64)(N(eq_f64)(x, x), inside, (F64){0}), I32), (I32){0});
}

/* ---- Reductions ---- */

/* Combines the logical lanes, lane i with lane i + 16, then i + 8, … i + 1. `vectors` holds lanes 0 … 31 in order. */
#define TREE(name, T, V, S, COMBINE, COMBINE_1) \
  OUTLINE S N(tree_##name##_##T)(V *vectors) { \
    for (int half = LOGICAL_LANES / LANES / 2; half >= 1; half /= 2) \
      for (int i = 0; i < half; i++) vectors[i] = COMBINE(vectors[i], vectors[i + half]); \
    S lanes[LANES]; \
    memcpy(lanes, vectors, sizeof lanes); \
    for (int half = LANES / 2; half >= 1; half /= 2) \
      for (int i = 0; i < half; i++) lanes[i] = COMBINE_1(lanes[i], lanes[i + half]); \
    return lanes[0]; }
#define ADD(x, y) (x) + (y)
#define MULTIPLY(x, y) (x) * (y)
#define TREES(T, V, S) \
  TREE(sum, T, V, S, ADD, ADD) TREE(prod, T, V, S, MULTIPLY, MULTIPLY) \
  TREE(max, T, V, S, N(max_##T), max_##T##_1) TREE(min, T, V, S, N(min_##T), min_##T##_1)
TREES(f32, F32, float)
TREES(f64, F64, double)
TREES(i32, I32, int32_t)
#undef TREES
#undef TREE
#undef ADD
#undef MULTIPLY

/* ---- Transposition ---- */

/* Exchanges the odd half of x with the even half of y, in blocks of `step` lanes: `low` is the new x, `high` the new y. */
#if defined(__clang__)
#define EXCHANGE(T, V, W) \
  INLINE V N(low_##T)(V x, V y, int step) { V r; EACH_LANE r[lane] = lane & step ? y[lane ^ step] : x[lane]; return r; } \
  INLINE V N(high_##T)(V x, V y, int step) { V r; EACH_LANE r[lane] = lane & step ? y[lane] : x[lane ^ step]; return r; }
#else
#define EXCHANGE(T, V, W) \
  INLINE V N(low_##T)(V x, V y, int step) { \
    const W lanes = __builtin_convertvector(N(ramp)(0, 1), W), odd = (lanes & step) != 0; \
    return __builtin_shuffle(x, y, (odd & ((lanes ^ step) + LANES)) | (~odd & lanes)); } \
  INLINE V N(high_##T)(V x, V y, int step) { \
    const W lanes = __builtin_convertvector(N(ramp)(0, 1), W), odd = (lanes & step) != 0; \
    return __builtin_shuffle(x, y, (odd & (lanes + LANES)) | (~odd & (lanes ^ step))); }
#endif
/* Turns LANES vectors around, in place. */
#define TRANSPOSE(T, V, W) \
  EXCHANGE(T, V, W) \
  INLINE void N(transpose_##T)(V *rows) { \
    _Pragma("GCC unroll 4") for (int step = 1; step < LANES; step *= 2) \
      _Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) { \
        if (i & step) continue; \
        const V x = rows[i], y = rows[i + step]; \
        rows[i] = N(low_##T)(x, y, step); \
        rows[i + step] = N(high_##T)(x, y, step); } }
TRANSPOSE(f32, F32, I32)
TRANSPOSE(i32, I32, I32)
TRANSPOSE(f64, F64, I64)
#undef TRANSPOSE
#undef EXCHANGE

#undef BY_LANE
#undef FLOATS_BY_LANE
#undef PICK_BY_SELECT
#undef F32
#undef F64
#undef I32
#undef I64
#undef B
