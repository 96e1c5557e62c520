/* Transforms of minimal filtering (Winograd 1980; for convolutions: Lavin & Gray 2016). Included after seconds.h for the same
   LANES. Position SIZE · i + j of a transformed tile lies `step` elements behind the one before. */

#define V N(f32)

/* F(4 × 4, 3 × 3) for LANES tiles of 6 × 6 inputs and 4 × 4 outputs, filtered at 0, ±A, ±B and ∞: points whose product is
   one keep numbers near each other, which gives 2.2 times the rounding error of F(2 × 2, 3 × 3), where the usual 0, ±1, ±2
   give five times. */
#define POINT_A (2.0 / 3)
#define POINT_B (3.0 / 2)
#define SQUARE_A (POINT_A * POINT_A)
#define SQUARE_B (POINT_B * POINT_B)
/* The product of the distances from ±A (±B) to the other points. */
#define FACTOR_A (2 * SQUARE_A * (SQUARE_A - SQUARE_B))
#define FACTOR_B (2 * SQUARE_B * (SQUARE_B - SQUARE_A))
/* x + constant · y. */
#define PLUS(x, constant, y) N(fma_f32)(N(splat_f32)((float)(constant)), y, x)
#define TIMES(constant, x) (N(splat_f32)((float)(constant)) * (x))

/* Bᵀ d. */
INLINE void N(winograd_input_line)(const V *d, V *to) {
  const V a = PLUS(d[4], -SQUARE_B, d[2]), aa = PLUS(d[3], -SQUARE_B, d[1]);
  const V b = PLUS(d[4], -SQUARE_A, d[2]), bb = PLUS(d[3], -SQUARE_A, d[1]);
  to[0] = PLUS(d[0] + d[4], -(SQUARE_A + SQUARE_B), d[2]);
  to[1] = PLUS(a, POINT_A, aa), to[2] = PLUS(a, -POINT_A, aa);
  to[3] = PLUS(b, POINT_B, bb), to[4] = PLUS(b, -POINT_B, bb);
  to[5] = PLUS(d[1] + d[5], -(SQUARE_A + SQUARE_B), d[3]);
}

/* G g. */
INLINE void N(winograd_weight_line)(const V *g, V *to) {
  const V a = PLUS(TIMES(1 / FACTOR_A, g[0]), SQUARE_A / FACTOR_A, g[2]), b = PLUS(TIMES(1 / FACTOR_B, g[0]), SQUARE_B / FACTOR_B, g[2]);
  to[0] = g[0];
  to[1] = PLUS(a, POINT_A / FACTOR_A, g[1]), to[2] = PLUS(a, -POINT_A / FACTOR_A, g[1]);
  to[3] = PLUS(b, POINT_B / FACTOR_B, g[1]), to[4] = PLUS(b, -POINT_B / FACTOR_B, g[1]);
  to[5] = g[2];
}

/* Aᵀ m. */
INLINE void N(winograd_output_line)(const V *m, V *to) {
  const V a = m[1] + m[2], aa = m[1] - m[2], b = m[3] + m[4], bb = m[3] - m[4];
  to[0] = (m[0] + a) + b;
  to[1] = PLUS(TIMES(POINT_A, aa), POINT_B, bb);
  to[2] = PLUS(TIMES(SQUARE_A, a), SQUARE_B, b);
  to[3] = PLUS(PLUS(m[5], SQUARE_A * POINT_A, aa), SQUARE_B * POINT_B, bb);
}

/* Tiles lie in pieces of PIECE neighbours. A vector has those of PIECES pieces: tile i of piece 4 · h + j is its lane
   4 · (PIECE · h + i) + j, so that four vectors, each of pieces j and 4 + j, become vectors of one element of each tile by
   turning squares of four lanes around. */
#if LANES == 4
#define PIECE 1
#else
#define PIECE 2
#endif
#define PIECES (LANES / PIECE)

#if LANES == 16 && HAS_MASKS && FITS(64)
struct half { float x[8]; };
INLINE V N(load_pieces)(const float *low, const float *high) {
  V x;
  __asm__("vmovups %1, %t0" : "=v"(x) : "m"(*(const struct half *)low));
  __asm__("vinsertf64x4 $1, %1, %0, %0" : "+v"(x) : "m"(*(const struct half *)high));
  return x;
}
INLINE void N(store_pieces)(float *low, float *high, V x) {
  __asm__("vmovups %t1, %0" : "=m"(*(struct half *)low) : "v"(x));
  __asm__("vextractf64x4 $1, %1, %0" : "=m"(*(struct half *)high) : "v"(x));
}
#elif LANES == 16
INLINE V N(load_pieces)(const float *low, const float *high) { V r; EACH_LANE r[lane] = lane < 8 ? low[lane] : high[lane - 8]; return r; }
INLINE void N(store_pieces)(float *low, float *high, V x) { EACH_LANE *(lane < 8 ? low + lane : high + lane - 8) = x[lane]; }
#else
INLINE V N(load_pieces)(const float *low, const float *high) { return N(load_f32)(low); }
INLINE void N(store_pieces)(float *low, float *high, V x) { N(store_f32)(low, x); }
#endif

/* Of each four lanes: those of x and y in turn, from lane `first` on; and two of x, then two of y. */
#if defined(__clang__)
INLINE V N(mixed)(V x, V y, int first) { V r; EACH_LANE { const int from = (lane & ~3) + first + (lane & 3) / 2; r[lane] = lane & 1 ? y[from] : x[from]; } return r; }
INLINE V N(paired)(V x, V y, int first) { V r; EACH_LANE { const int from = (lane & ~3) + first + (lane & 1); r[lane] = lane & 2 ? y[from] : x[from]; } return r; }
#else
#define BLOCK_LANES (N(ramp)(0, 1) & ~3) + first
INLINE V N(mixed)(V x, V y, int first) { return __builtin_shuffle(x, y, BLOCK_LANES + ((N(ramp)(0, 1) & 3) >> 1) + (N(ramp)(0, 1) & 1) * LANES); }
INLINE V N(paired)(V x, V y, int first) { return __builtin_shuffle(x, y, BLOCK_LANES + (N(ramp)(0, 1) & 1) + ((N(ramp)(0, 1) & 3) >> 1) * LANES); }
#undef BLOCK_LANES
#endif

/** Bᵀ d B of the tiles of PIECES pieces, which begin at `places`. Of lines behind those at `ends`, which are in outputs that
    do not exist, those are taken again. Columns from `right` on do not exist where `inside` is 0; there they are zero, for
    what they hold would leave rounding behind in others; but for the very last one, which is in the last output alone.
    `ahead` is memory that will be needed soon. */
OUTLINE void N(winograd_input)(const float *from, const int64_t *places, const int64_t *ends, int64_t row, int right, const int32_t *inside, float *to, int64_t step, const float *ahead) {
  for (int y = 1; y < 5; y++)
    _Pragma("GCC unroll 8") for (int j = 0; j < PIECES; j++) __builtin_prefetch(ahead + places[j] + y * row);
  V lines[6][6];
  _Pragma("GCC unroll 6") for (int y = 0; y < 6; y++) {
    V near[4], far[4], d[6];
    _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++) {
      const int64_t last = PIECES - 4 + j;
      const float *const low = from + places[j] + (y < 3 || y * row < ends[j] ? y * row : ends[j]);
      const float *const high = from + places[last] + (y < 3 || y * row < ends[last] ? y * row : ends[last]);
      near[j] = N(load_pieces)(low, high), far[j] = N(load_pieces)(low + 4, high + 4);
    }
    const V x0 = N(mixed)(near[0], near[1], 0), y0 = N(mixed)(near[2], near[3], 0);
    const V x2 = N(mixed)(near[0], near[1], 2), y2 = N(mixed)(near[2], near[3], 2);
    const V x4 = N(mixed)(far[0], far[1], 0), y4 = N(mixed)(far[2], far[3], 0);
    d[0] = N(paired)(x0, y0, 0), d[1] = N(paired)(x0, y0, 2);
    d[2] = N(paired)(x2, y2, 0), d[3] = N(paired)(x2, y2, 2);
    d[4] = N(paired)(x4, y4, 0), d[5] = N(paired)(x4, y4, 2);
    if (right <= 3) d[3] = (V)((N(i32))d[3] & N(load_i32)(inside));
    if (right <= 4) d[4] = (V)((N(i32))d[4] & N(load_i32)(inside));
    N(winograd_input_line)(d, lines[y]);
  }
  _Pragma("GCC unroll 6") for (int x = 0; x < 6; x++) {
    V d[6], r[6];
    _Pragma("GCC unroll 6") for (int y = 0; y < 6; y++) d[y] = lines[y][x];
    N(winograd_input_line)(d, r);
    _Pragma("GCC unroll 6") for (int y = 0; y < 6; y++) N(store_f32)(to + (6 * y + x) * step, r[y]);
  }
}

/** Aᵀ m A: four rows of outputs of each piece, `pitch` apart, from its place on. */
OUTLINE void N(winograd_output)(const float *from, int64_t step, float *to, const int64_t *places, int64_t pitch) {
  V lines[4][6];
  _Pragma("GCC unroll 6") for (int x = 0; x < 6; x++) {
    V m[6], r[4];
    _Pragma("GCC unroll 6") for (int y = 0; y < 6; y++) m[y] = N(load_f32)(from + (6 * y + x) * step);
    N(winograd_output_line)(m, r);
    _Pragma("GCC unroll 4") for (int y = 0; y < 4; y++) lines[y][x] = r[y];
  }
  _Pragma("GCC unroll 4") for (int y = 0; y < 4; y++) {
    V r[4];
    N(winograd_output_line)(lines[y], r);
    const V x0 = N(mixed)(r[0], r[1], 0), y0 = N(mixed)(r[2], r[3], 0), x2 = N(mixed)(r[0], r[1], 2), y2 = N(mixed)(r[2], r[3], 2);
    const V turned[4] = {N(paired)(x0, y0, 0), N(paired)(x0, y0, 2), N(paired)(x2, y2, 0), N(paired)(x2, y2, 2)};
    _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++) N(store_pieces)(to + y * pitch + places[j], to + y * pitch + places[PIECES - 4 + j], turned[j]);
  }
}

/** G g Gᵀ of `count` kernels that begin at `places`, nine neighbouring taps each, the last one first if they are `flipped`:
    position p goes to `to[p · step]` and what follows, where `room` elements may be written. */
OUTLINE void N(winograd_weight)(const float *from, const int64_t *places, int64_t count, int flipped, float *to, int64_t room, int64_t step, const float *ahead) {
  for (int64_t first = 0; first < count; first += LANES) {
    V taps[(8 / LANES + 1) * LANES], columns[3][6], lines[6][6];
    _Pragma("GCC unroll 3") for (int tap = 0; tap < 9; tap += LANES) {
      if (tap == 0) _Pragma("GCC unroll 16") for (int lane = 0; lane < LANES; lane++) __builtin_prefetch(ahead + places[first + lane] + 8);
      _Pragma("GCC unroll 16") for (int lane = 0; lane < LANES; lane++) taps[tap + lane] = N(load_f32)(from + places[first + lane] + tap);
      N(transpose_f32)(taps + tap);
    }
    _Pragma("GCC unroll 3") for (int x = 0; x < 3; x++) {
      const V g[3] = {taps[flipped ? 8 - x : x], taps[flipped ? 5 - x : 3 + x], taps[flipped ? 2 - x : 6 + x]};
      N(winograd_weight_line)(g, columns[x]);
    }
    _Pragma("GCC unroll 6") for (int y = 0; y < 6; y++) {
      const V g[3] = {columns[0][y], columns[1][y], columns[2][y]};
      N(winograd_weight_line)(g, lines[y]);
    }
    const N(b) mask = N(first)(count - first);
    if (first + LANES <= room) _Pragma("GCC unroll 36") for (int i = 0; i < 36; i++) N(store_f32)(to + i * step + first, lines[i / 6][i % 6]);
    else for (int i = 0; i < 36; i++) N(store_masked_f32)(to + i * step + first, lines[i / 6][i % 6], mask);
  }
}

#undef PIECE
#undef PIECES

/* F(3 × 3, 4 × 4), for one tile of LANES channels at a time: 6 × 6 inputs, 4 × 4 incoming gradients, 3 × 3 taps. Transformed
   tiles lie `pitch` elements apart. */

/** Turns a row of LANES images around: LANES values for each of `width` positions, zeros up to `whole`. `ahead` is a row
    that will be needed soon: planes that lie a power of two apart share a few lines of the first-level cache, so that it
    must wait in the second one. */
OUTLINE void N(winograd_turn)(const float *from, const int64_t *places, int64_t width, int64_t whole, float *to, const float *ahead) {
  for (int64_t x = 0; x < width; x += LANES) {
    _Pragma("GCC unroll 16") for (int lane = 0; lane < LANES; lane++) __builtin_prefetch(ahead + places[lane] + x, 0, 2);
    V square[LANES];
    _Pragma("GCC unroll 16") for (int lane = 0; lane < LANES; lane++) square[lane] = N(load_f32)(from + places[lane] + x);
    N(transpose_f32)(square);
    if (width - x >= LANES) _Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) N(store_f32)(to + (x + i) * LANES, square[i]);
    else for (int64_t i = 0; i < width - x; i++) N(store_f32)(to + (x + i) * LANES, square[i]);
  }
  for (int64_t x = width; x < whole; x++) N(store_f32)(to + x * LANES, (V){0});
}

/** Bᵀ d B of a row of tiles, which share two of the six lines' columns with their neighbours. */
OUTLINE void N(winograd_columns)(const float *const *lines, int64_t tiles, float *to, int64_t pitch, int64_t step) {
  V d[6][6];
  for (int64_t tile = -1; tile < tiles; tile++) {
    _Pragma("GCC unroll 4") for (int x = 2; x < 6; x++) {
      V column[6], r[6];
      if (tile < 0 && x < 4) continue;
      _Pragma("GCC unroll 6") for (int y = 0; y < 6; y++) column[y] = N(load_f32)(lines[y] + (4 * tile + x) * LANES);
      N(winograd_input_line)(column, r);
      _Pragma("GCC unroll 6") for (int y = 0; y < 6; y++) d[y][x] = r[y];
    }
    _Pragma("GCC unroll 6") for (int y = 0; y < 6; y++) {
      if (tile >= 0) {
        V r[6];
        N(winograd_input_line)(d[y], r);
        _Pragma("GCC unroll 6") for (int x = 0; x < 6; x++) N(store_f32)(to + tile * pitch + (6 * y + x) * step, r[x]);
      }
      d[y][0] = d[y][4], d[y][1] = d[y][5];
    }
  }
}

/* G g without the factors of its rows. */
INLINE void N(winograd_gradient_line)(const V *g, V *to) {
  const V a = PLUS(g[0], SQUARE_A, g[2]), aa = PLUS(TIMES(POINT_A, g[1]), SQUARE_A * POINT_A, g[3]);
  const V b = PLUS(g[0], SQUARE_B, g[2]), bb = PLUS(TIMES(POINT_B, g[1]), SQUARE_B * POINT_B, g[3]);
  to[0] = g[0], to[1] = a + aa, to[2] = a - aa, to[3] = b + bb, to[4] = b - bb, to[5] = g[3];
}

/** G g Gᵀ of a row of tiles, without the factors of G. */
OUTLINE void N(winograd_gradient)(const float *const *lines, int64_t tiles, float *to, int64_t pitch, int64_t step) {
  for (int64_t tile = 0; tile < tiles; tile++, to += pitch) {
    V columns[6][4];
    _Pragma("GCC unroll 4") for (int x = 0; x < 4; x++) {
      V g[4], r[6];
      _Pragma("GCC unroll 4") for (int y = 0; y < 4; y++) g[y] = N(load_f32)(lines[y] + (4 * tile + x) * LANES);
      N(winograd_gradient_line)(g, r);
      _Pragma("GCC unroll 6") for (int y = 0; y < 6; y++) columns[y][x] = r[y];
    }
    _Pragma("GCC unroll 6") for (int y = 0; y < 6; y++) {
      V r[6];
      N(winograd_gradient_line)(columns[y], r);
      _Pragma("GCC unroll 6") for (int x = 0; x < 6; x++) N(store_f32)(to + (6 * y + x) * step, r[x]);
    }
  }
}

/* Aᵀ m. */
INLINE void N(winograd_taps_line)(const V *m, V *to) {
  const V a = m[1] + m[2], b = m[3] + m[4];
  to[0] = (m[0] + a) + b;
  to[1] = PLUS(TIMES(POINT_A, m[1] - m[2]), POINT_B, m[3] - m[4]);
  to[2] = PLUS(PLUS(m[5], SQUARE_A, a), SQUARE_B, b);
}

/** Aᵀ m A of LANES channels, where m is the sum of `parts`, with the factors of G: nine neighbouring taps for each channel. */
OUTLINE void N(winograd_taps)(const float *from, int64_t part, int64_t parts, int64_t step, float *to) {
  static const double factors[] = {1, 1 / FACTOR_A, 1 / FACTOR_A, 1 / FACTOR_B, 1 / FACTOR_B, 1};
  V lines[6][3];
  for (int y = 0; y < 6; y++) {
    V m[6];
    for (int x = 0; x < 6; x++) {
      V sum = N(load_f32)(from + (6 * y + x) * step);
      for (int64_t other = 1; other < parts; other++) sum += N(load_f32)(from + other * part + (6 * y + x) * step);
      m[x] = TIMES(factors[y] * factors[x], sum);
    }
    N(winograd_taps_line)(m, lines[y]);
  }
  for (int x = 0; x < 3; x++) {
    const V m[6] = {lines[0][x], lines[1][x], lines[2][x], lines[3][x], lines[4][x], lines[5][x]};
    V r[3];
    N(winograd_taps_line)(m, r);
    for (int y = 0; y < 3; y++) EACH_LANE to[lane * 9 + 3 * y + x] = r[y][lane];
  }
}

#undef POINT_A
#undef POINT_B
#undef SQUARE_A
#undef SQUARE_B
#undef FACTOR_A
#undef FACTOR_B
#undef PLUS
#undef TIMES
#undef V
