/* Every second element of memory. Included after lanes.h for the same LANES. Masked: memory where the mask is off is not
   touched, and loads give `fill`. */

/* even, odd: elements 0, 2, … and 1, 3, … of x followed by y. even_odd: the even ones
   of x, then the odd ones of y. zip_low, zip_high: x0, y0, x1, y1, … in two halves. */
#if defined(__clang__)
#define SHUFFLES(T, V) \
  INLINE V N(even_##T)(V x, V y) { V r; EACH_LANE r[lane] = lane < LANES / 2 ? x[2 * lane] : y[2 * lane - LANES]; return r; } \
  INLINE V N(odd_##T)(V x, V y) { V r; EACH_LANE r[lane] = lane < LANES / 2 ? x[2 * lane + 1] : y[2 * lane + 1 - LANES]; return r; } \
  INLINE V N(even_odd_##T)(V x, V y) { V r; EACH_LANE r[lane] = lane < LANES / 2 ? x[2 * lane] : y[2 * lane + 1 - LANES]; return r; } \
  INLINE V N(zip_low_##T)(V x, V y) { V r; EACH_LANE r[lane] = lane & 1 ? y[lane / 2] : x[lane / 2]; return r; } \
  INLINE V N(zip_high_##T)(V x, V y) { V r; EACH_LANE r[lane] = lane & 1 ? y[LANES / 2 + lane / 2] : x[LANES / 2 + lane / 2]; return r; }
#else
#define SHUFFLES(T, V) \
  INLINE V N(even_##T)(V x, V y) { return __builtin_shuffle(x, y, N(ramp)(0, 2)); } \
  INLINE V N(odd_##T)(V x, V y) { return __builtin_shuffle(x, y, N(ramp)(1, 2)); } \
  INLINE V N(even_odd_##T)(V x, V y) { return __builtin_shuffle(x, y, N(ramp)(0, 2) - (N(ramp)(0, 1) >= LANES / 2)); } \
  INLINE V N(zip_low_##T)(V x, V y) { return __builtin_shuffle(x, y, (N(ramp)(0, 1) >> 1) + (N(ramp)(0, 1) & 1) * LANES); } \
  INLINE V N(zip_high_##T)(V x, V y) { return __builtin_shuffle(x, y, LANES / 2 + (N(ramp)(0, 1) >> 1) + (N(ramp)(0, 1) & 1) * LANES); }
#endif
SHUFFLES(f32, N(f32))
SHUFFLES(i32, N(i32))
#undef SHUFFLES

#define MASKED_BY_LANE(T, V, S) \
  INLINE V N(masked_seconds_##T)(const S *p, N(b) mask, V fill) { return N(masked_strided_##T)(p, 2, mask, fill); } \
  INLINE void N(store_masked_seconds_##T)(S *p, V x, N(b) mask) { N(store_masked_strided_##T)(p, 2, x, mask); }
#define BY_LANE(T, V, S) \
  INLINE V N(load_seconds_##T)(const S *p) { return N(load_strided_##T)(p, 2); } \
  INLINE void N(store_seconds_##T)(S *p, V x) { N(store_strided_##T)(p, 2, x); } \
  MASKED_BY_LANE(T, V, S)

#if FITS(4 * LANES)
/* The second half begins one element early, so that nothing behind the last one is read. */
#define LOAD(T, V, S) \
  INLINE V N(load_seconds_##T)(const S *p) { return N(even_odd_##T)(N(load_##T)(p), N(load_##T)(p + LANES - 1)); }
#if HAS_MASKS
#define SECONDS(T, V, S) \
  LOAD(T, V, S) \
  INLINE V N(masked_seconds_##T)(const S *p, N(b) mask, V fill) { \
    const V low = N(masked_##T)(p, N(zip_low_i32)(mask, (N(b)){0}), (V){0}), high = N(masked_##T)(p + LANES, N(zip_high_i32)(mask, (N(b)){0}), (V){0}); \
    return N(select_##T)(mask, N(even_##T)(low, high), fill); } \
  INLINE void N(store_masked_seconds_##T)(S *p, V x, N(b) mask) { \
    N(store_masked_##T)(p, N(zip_low_##T)(x, x), N(zip_low_i32)(mask, (N(b)){0})); \
    N(store_masked_##T)(p + LANES, N(zip_high_##T)(x, x), N(zip_high_i32)(mask, (N(b)){0})); } \
  INLINE void N(store_seconds_##T)(S *p, V x) { N(store_masked_seconds_##T)(p, x, N(splat_b)(-1)); }
#else
#define SECONDS(T, V, S) \
  LOAD(T, V, S) \
  INLINE void N(store_seconds_##T)(S *p, V x) { N(store_strided_##T)(p, 2, x); } \
  MASKED_BY_LANE(T, V, S)
#endif
SECONDS(f32, N(f32), float)
SECONDS(i32, N(i32), int32_t)
#undef SECONDS
#undef LOAD
#else
BY_LANE(f32, N(f32), float)
BY_LANE(i32, N(i32), int32_t)
#endif
BY_LANE(f64, N(f64), double)
BY_LANE(u8, N(i32), uint8_t)
BY_LANE(i8, N(i32), int8_t)
BY_LANE(b, N(b), uint8_t)
#undef BY_LANE
#undef MASKED_BY_LANE
