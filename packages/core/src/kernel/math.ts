// Transcendental functions of float32 as short lists of simple instructions, for backends without a vector math library.
// Error bounds stand at each function and are checked in math.test.ts.
import type { Dtype } from '../dtype.ts';
import type { BinaryOp, ElementwiseOp, UnaryOp } from '../graph/elementwise.ts';
import type { Instruction, Value } from './ir.ts';

/** What expansions are made of: simple kernel instructions and two more. */
export type MathInstruction =
  | Extract<Instruction, { op: 'constant' | 'elementwise' | 'where' | 'cast' | 'bitcast' }>
  /** inputs[0] · inputs[1] + inputs[2]; a backend rounds once everywhere, or twice everywhere. */
  | { readonly op: 'multiplyAdd'; readonly inputs: readonly [Value, Value, Value]; readonly dtype: Dtype }
  /** `fast`, but the function evaluated in float64 wherever `mask` holds (rare arguments). */
  | { readonly op: 'exact'; readonly name: ElementwiseOp; readonly inputs: readonly Value[]; readonly mask: Value; readonly fast: Value; readonly dtype: Dtype };

/** Appends an instruction to a kernel and tells its value. */
export type EmitMath = (instruction: MathInstruction) => Value;

/**
 * Emits `name(...inputs)` in simple instructions and returns the result's value; undefined where there is no
 * expansion, which is the case for simple operations and for every dtype but float32.
 */
export function expandMath(name: ElementwiseOp, dtype: Dtype, inputs: readonly Value[], emit: EmitMath): Value | undefined {
  if (dtype !== 'float32' || !Object.hasOwn(expansions, name)) return undefined;
  const expansion = expansions[name as keyof typeof expansions];
  return expansion(new MathEmitter(emit), inputs[0] ?? 0, inputs[1] ?? 0);
}

class MathEmitter {
  readonly emit: EmitMath;

  constructor(emit: EmitMath) {
    this.emit = emit;
  }

  float(value: number): Value {
    return this.emit({ op: 'constant', value: Math.fround(value), dtype: 'float32' });
  }

  integer(value: number): Value {
    return this.emit({ op: 'constant', value, dtype: 'int32' });
  }

  double(value: number): Value {
    return this.emit({ op: 'constant', value, dtype: 'float64' });
  }

  unary(name: UnaryOp, x: Value, dtype: Dtype = 'float32'): Value {
    return this.emit({ op: 'elementwise', name, inputs: [x], dtype });
  }

  binary(name: BinaryOp, x: Value, y: Value, dtype: Dtype = 'float32'): Value {
    return this.emit({ op: 'elementwise', name, inputs: [x, y], dtype });
  }

  compare(name: 'lt' | 'le' | 'eq' | 'ne', x: Value, y: Value): Value {
    return this.emit({ op: 'elementwise', name, inputs: [x, y], dtype: 'bool' });
  }

  both(x: Value, y: Value): Value {
    return this.binary('and', x, y, 'bool');
  }

  not(x: Value): Value {
    return this.unary('not', x, 'bool');
  }

  where(condition: Value, x: Value, y: Value): Value {
    return this.emit({ op: 'where', inputs: [condition, x, y], dtype: 'float32' });
  }

  multiplyAdd(x: Value, y: Value, z: Value, dtype: Dtype = 'float32'): Value {
    return this.emit({ op: 'multiplyAdd', inputs: [x, y, z], dtype });
  }

  bits(x: Value): Value {
    return this.emit({ op: 'bitcast', inputs: [x], dtype: 'int32' });
  }

  fromBits(x: Value): Value {
    return this.emit({ op: 'bitcast', inputs: [x], dtype: 'float32' });
  }

  cast(x: Value, dtype: Dtype): Value {
    return this.emit({ op: 'cast', inputs: [x], dtype });
  }

  /** Coefficients from the highest power down, by Horner's rule. */
  polynomial(x: Value, coefficients: readonly number[], dtype: 'float32' | 'float64' = 'float32'): Value {
    const constant = (value: number) => (dtype === 'float32' ? this.float(value) : this.double(value));
    const [first = 0, second = 0, ...rest] = coefficients;
    const start = first === 1 ? this.binary('add', x, constant(second), dtype) : this.multiplyAdd(constant(first), x, constant(second), dtype);
    return rest.reduce((sum, coefficient) => this.multiplyAdd(sum, x, constant(coefficient), dtype), start);
  }

  /** low ≤ x ≤ high; NaN stays. */
  clamp(x: Value, low: number, high: number): Value {
    const [bottom, top] = [this.float(low), this.float(high)];
    const raised = this.where(this.compare('lt', x, bottom), bottom, x);
    return this.where(this.compare('lt', top, raised), top, raised);
  }

  /** `size` with the sign bit of `sign`; size ≥ 0. */
  copySign(size: Value, sign: Value): Value {
    const bit = this.binary('and', this.bits(sign), this.integer(-0x80000000), 'int32');
    return this.fromBits(this.binary('or', this.bits(size), bit, 'int32'));
  }

  /** An integer's low nine bits where a float32 has sign and exponent. */
  toExponent(word: Value): Value {
    return this.binary('shl', word, this.integer(23), 'int32');
  }

  /** (1 + fraction) · 2^(n − 254), n in [2, 508] being the low ten bits of `word`: in two steps, so that results reach the denormal numbers. */
  scale(fraction: Value, word: Value): Value {
    const half = this.toExponent(this.binary('ushr', word, this.integer(1), 'int32'));
    const rest = this.binary('sub', this.toExponent(word), half, 'int32');
    const power = this.fromBits(half);
    return this.binary('mul', this.multiplyAdd(fraction, power, power), this.fromBits(rest));
  }
}

/** 1.5 · 2²³: adding it rounds to an integer, which then stands in the low 22 bits. */
const roundingMagic = 12582912;
const log2e = 1.4426950408889634;
/** ln 2 in two parts; the first has 15 bits. */
const ln2 = [0.693145751953125, 1.4286068203094173e-6] as const;
/** (e^r − 1 − r) / r² on |r| ≤ ln2 / 2: minimax, so that e^r has a relative error of 2^-28. */
const expCoefficients = [0.00138208945, 0.00836867094, 0.0416682623, 0.166665211, 0.49999994];

/** x = n · ln 2 + r: e^r − 1, and a word whose low bits are n + bias. */
function splitExponent(e: MathEmitter, x: Value, bias: number): { word: Value; fraction: Value } {
  const magic = e.float(roundingMagic + bias);
  const shifted = e.multiplyAdd(x, e.float(log2e), magic);
  const rounded = e.binary('sub', shifted, magic);
  const r = e.multiplyAdd(rounded, e.float(-ln2[1]), e.multiplyAdd(rounded, e.float(-ln2[0]), x));
  return { word: e.bits(shifted), fraction: expm1Small(e, r) };
}

/** e^r − 1 for |r| ≤ ln2 / 2. */
function expm1Small(e: MathEmitter, r: Value): Value {
  return e.multiplyAdd(e.polynomial(r, expCoefficients), e.binary('mul', r, r), r);
}

/** 1.1 ulp. */
function exp(e: MathEmitter, x: Value): Value {
  const { word, fraction } = splitExponent(e, e.clamp(x, -104, 89), 254);
  return e.scale(fraction, word);
}

/** 2 ulp. 2^n·(e^r − 1) + (2^n − 1), at half size so that 2^128 does not overflow early. */
function expm1(e: MathEmitter, x: Value): Value {
  const { word, fraction } = splitExponent(e, e.clamp(x, -25, 89), 126);
  const half = e.fromBits(e.toExponent(word));
  const sum = e.multiplyAdd(half, fraction, e.binary('sub', half, e.float(0.5)));
  return e.binary('add', sum, sum);
}

/** x = 2^exponent · (1 + fraction), fraction in [√½ − 1, √2 − 1), for positive finite x. */
function splitMantissa(e: MathEmitter, x: Value): { exponent: Value; mantissa: Value } {
  const tiny = e.compare('lt', x, e.float(2 ** -126));
  const normal = e.where(tiny, e.binary('mul', x, e.float(2 ** 23)), x);
  const bits = e.bits(normal);
  const power = e.binary('shr', e.binary('sub', bits, e.integer(0x3f3504f3), 'int32'), e.integer(23), 'int32');
  const mantissa = e.fromBits(e.binary('sub', bits, e.binary('shl', power, e.integer(23), 'int32'), 'int32'));
  const exponent = e.binary('sub', e.cast(power, 'float32'), e.where(tiny, e.float(23), e.float(0)));
  return { exponent, mantissa };
}

const logCoefficients = [
  7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1,
  3.3333331174e-1,
];

/** 1.5 ulp (Cephes). */
function log(e: MathEmitter, x: Value): Value {
  const { exponent, mantissa } = splitMantissa(e, x);
  const f = e.binary('sub', mantissa, e.float(1));
  const square = e.binary('mul', f, f);
  const cubic = e.binary('mul', e.binary('mul', e.polynomial(f, logCoefficients), square), f);
  const low = e.multiplyAdd(square, e.float(-0.5), e.multiplyAdd(exponent, e.float(-2.12194440e-4), cubic));
  const result = e.multiplyAdd(exponent, e.float(0.693359375), e.binary('add', f, low));
  const ordinary = e.both(e.compare('lt', e.float(0), x), e.compare('lt', x, e.float(Infinity)));
  const nonPositive = e.where(e.compare('eq', x, e.float(0)), e.float(-Infinity), e.float(NaN));
  return e.where(ordinary, result, e.where(e.compare('eq', x, e.float(Infinity)), x, nonPositive));
}

/** 2.5 ulp: log u + (x − (u − 1)) / u with u = 1 + x rounded. */
function log1p(e: MathEmitter, x: Value): Value {
  const one = e.float(1);
  const u = e.binary('add', x, one);
  const lost = e.binary('sub', x, e.binary('sub', u, one));
  const ordinary = e.both(e.compare('lt', e.float(0), u), e.compare('lt', u, e.float(Infinity)));
  const main = log(e, u);
  const corrected = e.where(ordinary, e.binary('add', main, e.binary('div', lost, u)), main);
  return e.where(e.compare('eq', u, one), x, corrected);
}

/** π/2 in three parts; the first two have 8 and 11 bits. */
const halfPi = [1.5703125, 4.837512969970703125e-4, 7.549789954891882e-8] as const;

/** 1.5 ulp of the larger of the result and 2^-24·|x| for |x| ≤ 8192, by Cody and Waite's reduction; exact beyond. */
function sine(e: MathEmitter, name: 'sin' | 'cos', x: Value): Value {
  const shifted = e.multiplyAdd(x, e.float(2 / Math.PI), e.float(roundingMagic));
  const rounded = e.binary('sub', shifted, e.float(roundingMagic));
  let r = x;
  for (const part of halfPi) r = e.multiplyAdd(rounded, e.float(-part), r);
  const square = e.binary('mul', r, r);
  const cubic = e.binary('mul', square, r);
  const sin = e.multiplyAdd(e.polynomial(square, [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]), cubic, r);
  const tail = e.polynomial(square, [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]);
  const cos = e.multiplyAdd(tail, e.binary('mul', square, square), e.multiplyAdd(square, e.float(-0.5), e.float(1)));
  const bits = e.bits(shifted);
  const quadrant = name === 'sin' ? bits : e.binary('add', bits, e.integer(1), 'int32');
  const odd = e.compare('ne', e.binary('and', quadrant, e.integer(1), 'int32'), e.integer(0));
  const sign = e.binary('shl', e.binary('and', quadrant, e.integer(2), 'int32'), e.integer(30), 'int32');
  const fast = e.fromBits(e.binary('xor', e.bits(e.where(odd, cos, sin)), sign, 'int32'));
  const mask = e.not(e.compare('le', e.unary('abs', x), e.float(8192)));
  return e.emit({ op: 'exact', name, inputs: [x], mask, fast, dtype: 'float32' });
}

/** 2.5 ulp (Cephes): arguments above tan(3π/8) and tan(π/8) are reduced by one division. */
function atan(e: MathEmitter, x: Value): Value {
  const size = e.unary('abs', x);
  const one = e.float(1);
  const large = e.compare('lt', e.float(2.414213562373095), size);
  const middle = e.compare('lt', e.float(0.4142135623730950), size);
  const top = e.where(large, e.float(-1), e.where(middle, e.binary('sub', size, one), size));
  const bottom = e.where(large, size, e.where(middle, e.binary('add', size, one), one));
  const t = e.binary('div', top, bottom);
  const start = e.where(large, e.float(Math.PI / 2), e.where(middle, e.float(Math.PI / 4), e.float(0)));
  const square = e.binary('mul', t, t);
  const series = e.polynomial(square, [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1]);
  const result = e.binary('add', start, e.multiplyAdd(e.binary('mul', series, square), t, t));
  return e.copySign(result, x);
}

/** 5 ulp, and 6.1 in rare cases where multiply-adds round twice: odd rational function of degrees 9 and 8, minimax on |x| ≤ 8.6. */
function tanh(e: MathEmitter, x: Value): Value {
  const t = e.clamp(x, -8.6, 8.6);
  const square = e.binary('mul', t, t);
  const top = e.polynomial(square, [0.0174490865, 26.1718063, 4369.38965, 166117.625, 1239047.38]);
  const bottom = e.polynomial(square, [1, 413.381439, 32207.7148, 579133.312, 1239047.38]);
  return e.binary('div', e.binary('mul', t, top), bottom);
}

/** 2 ulp: x + x·P(x²) near 0, 1 − e^Q(|x|) beyond. */
function erf(e: MathEmitter, x: Value): Value {
  const size = e.unary('abs', x);
  const square = e.binary('mul', x, x);
  const near = e.multiplyAdd(
    e.polynomial(square, [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1]),
    x,
    x,
  );
  // Beyond 4 the result is 1 to the last bit.
  const t = e.where(e.compare('lt', e.float(4), size), e.float(4), size);
  const tail = e.polynomial(t, [-1.72853470e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1, -1.28717512e-1]);
  const far = e.copySign(e.binary('sub', e.float(1), exp(e, e.binary('sub', e.binary('mul', tail, t), t))), x);
  return e.where(e.compare('lt', e.float(0.927734375), size), far, near);
}

/**
 * 1.5 ulp: 2^(y · log2|x|) with the logarithm in float64; the sign comes from y's parity. Zeros, infinities and NaN
 * take the exact path.
 */
function pow(e: MathEmitter, x: Value, y: Value): Value {
  const size = e.unary('abs', x);
  const { exponent, mantissa } = splitMantissa(e, size);
  const m = e.cast(mantissa, 'float64');
  const one = e.double(1);
  // log2 m = 2/ln2 · atanh((m − 1) / (m + 1)).
  const f = e.binary('div', e.binary('sub', m, one, 'float64'), e.binary('add', m, one, 'float64'), 'float64');
  const series = e.polynomial(
    e.binary('mul', f, f, 'float64'),
    [11, 9, 7, 5, 3, 1].map((n) => 2 / Math.LN2 / n),
    'float64',
  );
  const logarithm = e.multiplyAdd(series, f, e.cast(exponent, 'float64'), 'float64');
  const product = e.binary('mul', logarithm, e.cast(y, 'float64'), 'float64');
  const whole = e.unary('round', product, 'float64');
  const rest = e.cast(e.binary('sub', product, whole, 'float64'), 'float32');
  const fraction = expm1Small(e, e.binary('mul', rest, e.float(Math.LN2)));
  const power = e.cast(e.clamp(e.cast(whole, 'float32'), -200, 200), 'int32');
  const value = e.scale(fraction, e.binary('add', power, e.integer(254), 'int32'));
  const half = e.binary('mul', y, e.float(0.5));
  const odd = e.compare('ne', e.unary('trunc', half), half);
  const negative = e.where(e.compare('eq', e.unary('trunc', y), y), e.where(odd, e.unary('neg', value), value), e.float(NaN));
  const fast = e.where(e.compare('lt', x, e.float(0)), negative, value);
  const finite = e.compare('lt', e.unary('abs', y), e.float(Infinity));
  const ordinary = e.both(finite, e.both(e.compare('lt', e.float(0), size), e.compare('lt', size, e.float(Infinity))));
  return e.emit({ op: 'exact', name: 'pow', inputs: [x, y], mask: e.not(ordinary), fast, dtype: 'float32' });
}

const expansions = {
  exp,
  expm1,
  log,
  log1p,
  sin: (e: MathEmitter, x: Value) => sine(e, 'sin', x),
  cos: (e: MathEmitter, x: Value) => sine(e, 'cos', x),
  atan,
  tanh,
  erf,
  pow,
} as const satisfies Partial<Record<ElementwiseOp, (e: MathEmitter, x: Value, y: Value) => Value>>;
