/* Transforms of Winograd's minimal filtering (Lavin & Gray 2015). Included after seconds.h for the same LANES. Position
   4 · i + j of a transformed tile lies `step` elements behind the one before. First F(2 × 2, 3 × 3), for LANES neighbouring
   tiles: 4 × 4 inputs, 2 × 2 outputs. */

#define V N(f32)

/* Bᵀ d of four values. */
#define WINOGRAD_INPUT(d0, d1, d2, d3) const V r0 = d0 - d2, r1 = d1 + d2, r2 = d2 - d1, r3 = d1 - d3
/* Aᵀ m of four values. */
#define WINOGRAD_OUTPUT(m0, m1, m2, m3) const V s0 = (m0 + m1) + m2, s1 = (m1 - m2) - m3

/* d B of one row of inputs. */
INLINE void N(winograd_row)(const float *row, V *to) {
  const V x0 = N(load_f32)(row), x1 = N(load_f32)(row + LANES), x2 = N(load_f32)(row + 2), x3 = N(load_f32)(row + LANES + 2);
  const V d0 = N(even_f32)(x0, x1), d1 = N(odd_f32)(x0, x1), d2 = N(even_f32)(x2, x3), d3 = N(odd_f32)(x2, x3);
  WINOGRAD_INPUT(d0, d1, d2, d3);
  to[0] = r0, to[1] = r1, to[2] = r2, to[3] = r3;
}

/** Bᵀ d B of `count` rows of tiles below each other, of which the input has `left` rows; results of a row of tiles go to
    `to`, those of the next one `next` behind it. `ahead` is memory that will be needed soon. */
OUTLINE void N(winograd_input)(const float *from, int64_t row, int64_t left, int64_t count, float *to, int64_t next, int64_t step, const float *ahead) {
  V d[4][4];
  N(winograd_row)(from, d[0]);
  N(winograd_row)(from + row, d[1]);
  for (int64_t y = 2; y < 2 * count + 2; y += 2, to += next) {
    for (int i = 0; i < 2; i++)
      for (int line = 0; line < 2 * LANES + 2; line += 16) __builtin_prefetch(ahead + (y + i) * row + line);
    N(winograd_row)(from + y * row, d[2]);
    N(winograd_row)(from + (y + 1 < left ? y + 1 : left - 1) * row, d[3]);
    _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++) {
      WINOGRAD_INPUT(d[0][j], d[1][j], d[2][j], d[3][j]);
      N(store_f32)(to + j * step, r0);
      N(store_f32)(to + (4 + j) * step, r1);
      N(store_f32)(to + (8 + j) * step, r2);
      N(store_f32)(to + (12 + j) * step, r3);
    }
    _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++) d[0][j] = d[2][j], d[1][j] = d[3][j];
  }
}

/** Aᵀ m A: two rows of 2 · LANES outputs each, `pitch` apart. */
OUTLINE void N(winograd_output)(const float *from, int64_t step, float *to, int64_t pitch) {
  V s[2][4];
  _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++) {
    const V m0 = N(load_f32)(from + j * step), m1 = N(load_f32)(from + (4 + j) * step);
    const V m2 = N(load_f32)(from + (8 + j) * step), m3 = N(load_f32)(from + (12 + j) * step);
    WINOGRAD_OUTPUT(m0, m1, m2, m3);
    s[0][j] = s0, s[1][j] = s1;
  }
  _Pragma("GCC unroll 2") for (int i = 0; i < 2; i++) {
    WINOGRAD_OUTPUT(s[i][0], s[i][1], s[i][2], s[i][3]);
    N(store_f32)(to + i * pitch, N(zip_low_f32)(s0, s1));
    N(store_f32)(to + i * pitch + LANES, N(zip_high_f32)(s0, s1));
  }
}

/* F(3 × 3, 2 × 2), for one tile of LANES channels at a time: 4 × 4 inputs, 2 × 2 incoming gradients, 3 × 3 taps. Transformed
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

/** Bᵀ d B of a row of tiles. */
OUTLINE void N(winograd_columns)(const float *line0, const float *line1, const float *line2, const float *line3, int64_t tiles, float *to, int64_t pitch, int64_t step) {
  V d[4][4];
#define COLUMN(j, at) { \
    const V d0 = N(load_f32)(line0 + (at)), d1 = N(load_f32)(line1 + (at)), d2 = N(load_f32)(line2 + (at)), d3 = N(load_f32)(line3 + (at)); \
    WINOGRAD_INPUT(d0, d1, d2, d3); \
    d[0][j] = r0, d[1][j] = r1, d[2][j] = r2, d[3][j] = r3; }
  COLUMN(0, 0)
  COLUMN(1, LANES)
  for (int64_t tile = 0; tile < tiles; tile++, to += pitch) {
    COLUMN(2, (2 * tile + 2) * LANES)
    COLUMN(3, (2 * tile + 3) * LANES)
    _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++) {
      WINOGRAD_INPUT(d[i][0], d[i][1], d[i][2], d[i][3]);
      N(store_f32)(to + (4 * i) * step, r0);
      N(store_f32)(to + (4 * i + 1) * step, r1);
      N(store_f32)(to + (4 * i + 2) * step, r2);
      N(store_f32)(to + (4 * i + 3) * step, r3);
      d[i][0] = d[i][2], d[i][1] = d[i][3];
    }
  }
#undef COLUMN
}

/** G g Gᵀ of a row of tiles, without the factors ½ of the middle rows of G. */
OUTLINE void N(winograd_gradient)(const float *line0, const float *line1, int64_t tiles, float *to, int64_t pitch, int64_t step) {
  for (int64_t tile = 0; tile < tiles; tile++, to += pitch, line0 += 2 * LANES, line1 += 2 * LANES) {
    const V g0 = N(load_f32)(line0), g1 = N(load_f32)(line0 + LANES), h0 = N(load_f32)(line1), h1 = N(load_f32)(line1 + LANES);
    const V left[4] = {g0, g0 + h0, g0 - h0, h0}, right[4] = {g1, g1 + h1, g1 - h1, h1};
    _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++) {
      N(store_f32)(to + (4 * i) * step, left[i]);
      N(store_f32)(to + (4 * i + 1) * step, left[i] + right[i]);
      N(store_f32)(to + (4 * i + 2) * step, left[i] - right[i]);
      N(store_f32)(to + (4 * i + 3) * step, right[i]);
    }
  }
}

/** Aᵀ m A of LANES channels, where m is the sum of `parts`, with the factors ½: nine neighbouring taps for each channel. */
OUTLINE void N(winograd_taps)(const float *from, int64_t part, int64_t parts, int64_t step, float *to) {
  V m[4][4];
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      V sum = N(load_f32)(from + (4 * i + j) * step);
      for (int64_t other = 1; other < parts; other++) sum += N(load_f32)(from + other * part + (4 * i + j) * step);
      m[i][j] = sum * (((i == 1) | (i == 2) ? 0.5f : 1.0f) * ((j == 1) | (j == 2) ? 0.5f : 1.0f));
    }
  for (int i = 0; i < 4; i++) {
    const V sum = m[i][1] + m[i][2], difference = m[i][1] - m[i][2];
    m[i][0] = m[i][0] + sum, m[i][1] = difference, m[i][2] = sum - m[i][3];
  }
  for (int j = 0; j < 3; j++) {
    const V sum = m[1][j] + m[2][j], tap0 = m[0][j] + sum, tap1 = m[1][j] - m[2][j], tap2 = sum - m[3][j];
    EACH_LANE to[lane * 9 + j] = tap0[lane], to[lane * 9 + 3 + j] = tap1[lane], to[lane * 9 + 6 + j] = tap2[lane];
  }
}

#undef WINOGRAD_INPUT
#undef WINOGRAD_OUTPUT
#undef V

#ifndef ATHANOR_WINOGRAD_H
#define ATHANOR_WINOGRAD_H
/** G g Gᵀ of one kernel: position p goes to `to[p · step]`. */
INLINE void winograd_weight(const float *g, int64_t row, int64_t column, float *to, int64_t step) {
  float t[4][3];
  for (int j = 0; j < 3; j++) {
    const float g0 = g[j * column], g1 = g[row + j * column], g2 = g[2 * row + j * column];
    t[0][j] = g0;
    t[1][j] = ((g0 + g2) + g1) * 0.5f;
    t[2][j] = ((g0 + g2) - g1) * 0.5f;
    t[3][j] = g2;
  }
  for (int i = 0; i < 4; i++) {
    to[4 * i * step] = t[i][0];
    to[(4 * i + 1) * step] = ((t[i][0] + t[i][2]) + t[i][1]) * 0.5f;
    to[(4 * i + 2) * step] = ((t[i][0] + t[i][2]) - t[i][1]) * 0.5f;
    to[(4 * i + 3) * step] = t[i][2];
  }
}
#endif
