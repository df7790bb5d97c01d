/**
 * As much of WebAssembly's binary format (https://webassembly.github.io/spec/core/binary/) as the scanner is written
 * in. An expression is the bytes of its operands and then its own, so that nested calls read as the formula they are.
 * The engine checks types when it compiles.
 */
export type Code = readonly number[];

const SIMD = 0xfd;

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof I64 | typeof V128;

const op =
  (...code: number[]) =>
  (...operands: Code[]): Code => [...operands.flat(), ...code];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: op(0x6a),
  and: op(0x71),
  right: (value: Code, bits: number) => op(0x76)(value, i32.const(bits)),
  greater: op(0x4b),
  isZero: op(0x45),
  /** How many bits are clear below the lowest that is set. */
  trailingZeros: op(0x68),
};

export const i64 = {
  const: (value: number): Code => [0x42, ...signed(value)],
  from: op(0xad),
  store: (address: Code, value: Code): Code => [...address, ...value, 0x37, 3, 0],
  and: op(0x83),
  or: op(0x84),
  not: (value: Code) => op(0x85)(value, i64.const(-1)),
  left: (value: Code, bits: number) => op(0x86)(value, i64.const(bits)),
  right: (value: Code, bits: number) => op(0x88)(value, i64.const(bits)),
};

/** Sixteen bytes at once. */
export const bytes = {
  const: (value: number): Code => [SIMD, 0x0c, ...Array.from({ length: 16 }, () => value & 0xff)],
  load: (address: Code, offset: number): Code => [...address, SIMD, 0x00, 0, ...unsigned(offset)],
  and: op(SIMD, 0x4e),
  or: op(SIMD, 0x50),
  /** The first and not the second. */
  without: op(SIMD, 0x4f),
  add: op(SIMD, 0x6e),
  equal: op(SIMD, 0x23),
  less: op(SIMD, 0x25),
  greater: op(SIMD, 0x27),
  /** The highest bit of each. */
  highBits: op(SIMD, 0x64),
  /** Moves the bytes of each four towards the first. */
  next: (value: Code): Code => [...value, ...i32.const(8), SIMD, 0xad, 0x01],
};

export const get = (local: number): Code => [0x20, local];
export const set = (local: number, value: Code): Code => [...value, 0x21, local];
/** Runs at least once, and again while `condition` holds. */
export const repeat = (body: Code, condition: Code): Code => [
  0x03,
  0x40,
  ...body,
  ...condition,
  0x0d,
  0,
  0x0b,
];
/** Leaves the function with the value if the condition, an i32, is not zero. */
export const returnIf = (condition: Code, value: Code): Code => [
  ...condition,
  0x04,
  0x40,
  ...value,
  0x0f,
  0x0b,
];

export interface WasmFunction {
  name: string;
  /** The first locals; all are i32. */
  parameters: number;
  results: readonly ValueType[];
  /** The types of the locals after the parameters. */
  locals: readonly ValueType[];
  body: Code;
}

/** What is used of the engine's interface; the compiler's libraries know it only beside a browser's. */
declare const WebAssembly: {
  Module: new (code: Uint8Array<ArrayBuffer>) => object;
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  Instance: new (module: object, imports: { host: { memory: object } }) => { readonly exports: object };
};

const PAGE_BYTES = 64 * 1024;

/** Compiles functions that work on one memory; the answer makes such a memory and binds the functions to it. */
export function compile<Functions>(functions: readonly WasmFunction[]) {
  const module = new WebAssembly.Module(moduleOf(functions));
  return (memoryBytes: number): { buffer: ArrayBuffer; functions: Functions } => {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / PAGE_BYTES) });
    const { exports } = new WebAssembly.Instance(module, { host: { memory } });
    return { buffer: memory.buffer, functions: exports as Functions };
  };
}

const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

function moduleOf(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, results }) => [
    0x60,
    ...vector(Array.from({ length: parameters }, () => [I32])),
    ...vector(results.map((type) => [type])),
  ]);
  const bodies = functions.map(({ locals, body }) =>
    sized([...vector(locals.map((type) => [1, type])), ...body, 0x0b]),
  );
  return new Uint8Array([
    ...MAGIC_AND_VERSION,
    ...section(1, types),
    ...section(2, [[...name("host"), ...name("memory"), 0x02, 0x00, 1]]),
    ...section(
      3,
      functions.map((_, i) => [i]),
    ),
    ...section(
      7,
      functions.map((one, i) => [...name(one.name), 0x00, i]),
    ),
    ...section(10, bodies),
  ]);
}

function section(id: number, items: readonly Code[]): Code {
  return [id, ...sized(vector(items))];
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function sized(content: Code): Code {
  return [...unsigned(content.length), ...content];
}

function name(text: string): Code {
  return sized([...Buffer.from(text)]);
}

/** LEB128: seven bits to a byte, the lowest first; the highest bit of each says that more follow. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** The same, until what is left is nothing but the sign that the last byte shows. */
function signed(value: number): Code {
  const low = value & 0x7f;
  const rest = value >> 7;
  const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return done ? [low] : [low | 0x80, ...signed(rest)];
}
