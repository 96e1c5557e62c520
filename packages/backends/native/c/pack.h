/* Copies panels of contraction operands to [depth][width], whatever their strides. Included after seconds.h for the same
   LANES. `offsets` has the element offset of every lane of whole vectors; depth position k lies `depths[k]`, or k · stride
   where there is no table, behind it. Positions start … end − 1 go to `to[(k − start) · width]`. */

#define DEPTH(k) (depths == NULL ? (k) * stride : depths[k])
#define TAIL const int64_t count = (width + LANES - 1) / LANES; const N(b) tail = N(first)(width - (count - 1) * LANES);
/* The last vector of a row must leave what lies behind it alone. */
#define STORE(register, at, x) do { if (vector < count - 1) N(store_##register)(at, x); else N(store_masked_##register)(at, x, tail); } while (0)

/* Lanes lie `step` apart in memory, in stretches: one load each, put together under masks. */
#define STRETCHES(name, step, way, suffix, S, register, R, V) \
  OUTLINE void N(pack_##name##_##suffix)(R *to, const S *from, const int64_t *offsets, int64_t width, int64_t start, int64_t end, int64_t stride, const int32_t *depths) { \
    TAIL \
    for (int64_t vector = 0; vector < count; vector++, offsets += LANES, to += LANES) { \
      const S *pieces[LANES]; \
      N(b) masks[LANES]; \
      int stretches = 0; \
      for (int lane = 0, begin = 0; lane < LANES; lane++) { \
        if (lane + 1 < LANES && offsets[lane + 1] == offsets[lane] + step) continue; \
        pieces[stretches] = from + offsets[begin] - begin * step; \
        masks[stretches++] = N(first)(lane + 1) & ~N(first)(begin); \
        begin = lane + 1; \
      } \
      R *row = to; \
      for (int64_t k = start; k < end; k++, row += width) { \
        const int64_t offset = DEPTH(k); \
        V x = step == 1 || stretches == 1 ? N(load_##way##suffix)(pieces[0] + offset) : N(masked_##way##suffix)(pieces[0] + offset, masks[0], (V){0}); \
        for (int piece = 1; piece < stretches; piece++) x = N(masked_##way##suffix)(pieces[piece] + offset, masks[piece], x); \
        STORE(register, row, x); \
      } \
    } \
  }

/* suffix: memory type S of the operand; register: type R of packed elements, vectors V of them. */
#define PACK(suffix, S, register, R, V) \
  STRETCHES(neighbours, 1, , suffix, S, register, R, V) \
  STRETCHES(seconds, 2, seconds_, suffix, S, register, R, V) \
  /* Neighbours lie along depth, `run` of them from each multiple of run on: squares are loaded and turned around. */ \
  OUTLINE void N(pack_squares_##suffix)(R *to, const S *from, const int64_t *offsets, int64_t width, int64_t start, int64_t end, int64_t stride, const int32_t *depths, int64_t run) { \
    TAIL \
    for (int64_t vector = 0; vector < count; vector++, offsets += LANES, to += LANES) { \
      R *row = to; \
      for (int64_t k = start; k < end;) { \
        const int64_t next = k - k % run + run, stop = next < end ? next : end; \
        for (; k < stop; k += LANES) { \
          const S *source = from + DEPTH(k); \
          V square[LANES]; \
          _Pragma("GCC unroll 16") for (int lane = 0; lane < LANES; lane++) square[lane] = N(load_##suffix)(source + offsets[lane]); \
          N(transpose_##register)(square); \
          const int64_t rows = stop - k < LANES ? stop - k : LANES; \
          for (int64_t i = 0; i < rows; i++, row += width) STORE(register, row, square[i]); \
        } \
        k = stop; \
      } \
    } \
  } \
  OUTLINE void N(pack_singles_##suffix)(R *to, const S *from, const int64_t *offsets, int64_t width, int64_t start, int64_t end, int64_t stride, const int32_t *depths) { \
    TAIL \
    for (int64_t vector = 0; vector < count; vector++, offsets += LANES, to += LANES) { \
      R *row = to; \
      for (int64_t k = start; k < end; k++, row += width) { \
        const S *source = from + DEPTH(k); \
        V x; \
        _Pragma("GCC unroll 16") EACH_LANE x[lane] = load_##suffix##_1(source + offsets[lane]); \
        STORE(register, row, x); \
      } \
    } \
  }
PACK(f32, float, f32, float, N(f32))
PACK(f64, double, f64, double, N(f64))
PACK(i32, int32_t, i32, int32_t, N(i32))
PACK(i8, int8_t, i32, int32_t, N(i32))
#undef PACK
#undef STRETCHES
#undef STORE
#undef TAIL
#undef DEPTH
