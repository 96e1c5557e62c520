// Instructions of WebAssembly by their names in the text format, for the part of the set that code generation uses.

/** Instructions without immediates, one byte. */
const plain = {
  unreachable: 0x00, nop: 0x01, return: 0x0f, drop: 0x1a, select: 0x1b,
  'i32.eqz': 0x45, 'i32.eq': 0x46, 'i32.ne': 0x47, 'i32.lt_s': 0x48, 'i32.lt_u': 0x49, 'i32.gt_s': 0x4a, 'i32.gt_u': 0x4b,
  'i32.le_s': 0x4c, 'i32.le_u': 0x4d, 'i32.ge_s': 0x4e, 'i32.ge_u': 0x4f,
  'i32.clz': 0x67, 'i32.ctz': 0x68, 'i32.popcnt': 0x69, 'i32.add': 0x6a, 'i32.sub': 0x6b, 'i32.mul': 0x6c, 'i32.div_s': 0x6d,
  'i32.div_u': 0x6e, 'i32.rem_s': 0x6f, 'i32.rem_u': 0x70, 'i32.and': 0x71, 'i32.or': 0x72, 'i32.xor': 0x73, 'i32.shl': 0x74,
  'i32.shr_s': 0x75, 'i32.shr_u': 0x76,
  'f32.add': 0x92, 'f64.add': 0xa0, 'f64.mul': 0xa2, 'f32.demote_f64': 0xb6, 'f64.promote_f32': 0xbb,
} as const;

/** Vector instructions without immediates, prefixed by 0xfd. */
const vector = {
  'i8x16.swizzle': 14, 'i8x16.splat': 15, 'i32x4.splat': 17, 'i64x2.splat': 18, 'f32x4.splat': 19, 'f64x2.splat': 20,
  'i32x4.eq': 55, 'i32x4.ne': 56, 'i32x4.lt_s': 57, 'i32x4.lt_u': 58, 'i32x4.gt_s': 59, 'i32x4.le_s': 61, 'i32x4.ge_s': 63,
  'f32x4.eq': 65, 'f32x4.ne': 66, 'f32x4.lt': 67, 'f32x4.gt': 68, 'f32x4.le': 69, 'f32x4.ge': 70,
  'f64x2.eq': 71, 'f64x2.ne': 72, 'f64x2.lt': 73, 'f64x2.gt': 74, 'f64x2.le': 75, 'f64x2.ge': 76,
  'v128.not': 77, 'v128.and': 78, 'v128.andnot': 79, 'v128.or': 80, 'v128.xor': 81, 'v128.bitselect': 82, 'v128.any_true': 83,
  'f32x4.demote_f64x2_zero': 94, 'f64x2.promote_low_f32x4': 95, 'i8x16.popcnt': 98, 'i32x4.all_true': 163, 'i32x4.bitmask': 164,
  'f32x4.ceil': 103, 'f32x4.floor': 104, 'f32x4.trunc': 105, 'f32x4.nearest': 106,
  'f64x2.ceil': 116, 'f64x2.floor': 117, 'f64x2.trunc': 122, 'f64x2.nearest': 148,
  'i16x8.extadd_pairwise_i8x16_s': 124, 'i16x8.extadd_pairwise_i8x16_u': 125, 'i32x4.extadd_pairwise_i16x8_s': 126, 'i32x4.extadd_pairwise_i16x8_u': 127,
  'i16x8.extend_low_i8x16_s': 135, 'i16x8.extend_high_i8x16_s': 136, 'i16x8.extend_low_i8x16_u': 137,
  'i32x4.abs': 160, 'i32x4.neg': 161, 'i32x4.extend_low_i16x8_s': 167, 'i32x4.extend_high_i16x8_s': 168, 'i32x4.extend_low_i16x8_u': 169,
  'i32x4.shl': 171, 'i32x4.shr_s': 172, 'i32x4.shr_u': 173, 'i32x4.add': 174, 'i32x4.sub': 177, 'i32x4.mul': 181,
  'i32x4.min_s': 182, 'i32x4.max_s': 184, 'i32x4.dot_i16x8_s': 186,
  'i64x2.extend_low_i32x4_s': 199, 'i64x2.extend_high_i32x4_s': 200, 'i64x2.extend_low_i32x4_u': 201, 'i64x2.shl': 203, 'i64x2.shr_u': 205,
  'i64x2.add': 206, 'i64x2.sub': 209,
  'f32x4.abs': 224, 'f32x4.neg': 225, 'f32x4.sqrt': 227, 'f32x4.add': 228, 'f32x4.sub': 229, 'f32x4.mul': 230, 'f32x4.div': 231,
  'f32x4.min': 232, 'f32x4.max': 233, 'f32x4.pmin': 234, 'f32x4.pmax': 235,
  'f64x2.abs': 236, 'f64x2.neg': 237, 'f64x2.sqrt': 239, 'f64x2.add': 240, 'f64x2.sub': 241, 'f64x2.mul': 242, 'f64x2.div': 243,
  'f64x2.min': 244, 'f64x2.max': 245, 'f64x2.pmin': 246, 'f64x2.pmax': 247,
  'i32x4.trunc_sat_f32x4_s': 248, 'f32x4.convert_i32x4_s': 250, 'i32x4.trunc_sat_f64x2_s_zero': 252, 'f64x2.convert_low_i32x4_s': 254,
  'f32x4.relaxed_madd': 261, 'f64x2.relaxed_madd': 263,
} as const;

/** Loads and stores: [opcode, natural alignment as a power of two]; vector ones are prefixed by 0xfd, atomic ones by 0xfe. */
const memory = {
  'i32.load': [0x28, 2], 'f32.load': [0x2a, 2], 'f64.load': [0x2b, 3], 'i32.load8_s': [0x2c, 0], 'i32.load8_u': [0x2d, 0],
  'i32.store': [0x36, 2], 'f32.store': [0x38, 2], 'f64.store': [0x39, 3], 'i32.store8': [0x3a, 0],
  'v128.load': [0xfd00, 4], 'i16x8.load8x8_s': [0xfd01, 3], 'i16x8.load8x8_u': [0xfd02, 3], 'v128.load8_splat': [0xfd07, 0],
  'v128.load32_splat': [0xfd09, 2], 'v128.load64_splat': [0xfd0a, 3], 'v128.store': [0xfd0b, 4], 'v128.load32_zero': [0xfd5c, 2],
  'v128.load64_zero': [0xfd5d, 3],
  'memory.atomic.notify': [0xfe00, 2], 'memory.atomic.wait32': [0xfe01, 2], 'i32.atomic.load': [0xfe10, 2], 'i32.atomic.store': [0xfe17, 2],
  'i32.atomic.rmw.add': [0xfe1e, 2], 'i32.atomic.rmw.sub': [0xfe25, 2], 'i32.atomic.rmw.cmpxchg': [0xfe48, 2],
} as const;

/** Loads and stores of one lane. */
const memoryLane = {
  'v128.load8_lane': [84, 0], 'v128.load32_lane': [86, 2], 'v128.load64_lane': [87, 3],
  'v128.store8_lane': [88, 0], 'v128.store32_lane': [90, 2], 'v128.store64_lane': [91, 3],
} as const;

const lane = {
  'i8x16.extract_lane_s': 21, 'i8x16.extract_lane_u': 22, 'i8x16.replace_lane': 23, 'i32x4.extract_lane': 27, 'i32x4.replace_lane': 28,
  'f32x4.extract_lane': 31, 'f32x4.replace_lane': 32, 'f64x2.extract_lane': 33, 'f64x2.replace_lane': 34,
} as const;

export const opcodes = { plain, vector, memory, memoryLane, lane };

export type PlainOp = keyof typeof plain;
export type VectorOp = keyof typeof vector;
export type MemoryOp = keyof typeof memory;
export type MemoryLaneOp = keyof typeof memoryLane;
export type LaneOp = keyof typeof lane;

export const valueTypes = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof valueTypes;
