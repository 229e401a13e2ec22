/** A reference case: a safetensors file of inputs and wanted results, made in float64 elsewhere. */
import { z } from 'zod';
import type { Pair } from '../../autograd/ops/pair.js';
import { DataError } from '../../errors.js';
import { decodeSafetensors, type NamedTensor } from '../store/safetensors.js';
import { shown } from '../store/shownText.js';
import { parseJson } from '../store/strictJson.js';

/** Outputs that a case may have tolerances for. */
const MOST_OUTPUTS = 1000;
/** Numbers that a list in a case's config may hold. */
const MOST_NUMBERS = 1_000_000;

const toleranceSchema = z
  .custom<object>(
    (value) => typeof value === 'object' && value !== null && Object.keys(value).length <= MOST_OUTPUTS,
  )
  .pipe(z.record(z.string(), z.object({ rel: z.number().min(0), abs: z.number().min(0) })));
const configSchema = z.record(z.string(), z.unknown());

export interface ReferenceCase {
  readonly name: string;
  readonly kind: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tolerance: Readonly<Record<string, { readonly rel: number; readonly abs: number }>>;
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

/** What a replay gives: each output's numbers by its name in the file, without the `out.`. */
export type Outputs = Readonly<Record<string, ArrayLike<number>>>;

/** The error of one output of a reference case. */
export interface Measured {
  /** Name of the output, without the file's `out.`. */
  readonly output: string;
  /** ‖got − want‖₂. */
  readonly error: number;
  /** rel · ‖want‖₂ + abs. */
  readonly allowed: number;
}

function parseMetadata<T>(text: string | undefined, schema: z.ZodType<T>, what: string, fileName: string): T {
  try {
    return schema.parse(parseJson(text ?? ''));
  } catch (cause) {
    throw new DataError(
      `${fileName}: its metadata has no readable '${what}'; the file is no reference case.`,
      { cause },
    );
  }
}

/** @throws DataError when the file is no reference case of the known format. */
export function parseCase(bytes: Uint8Array, fileName: string): ReferenceCase {
  const { tensors, metadata } = decodeSafetensors(bytes, fileName);
  if (metadata.format !== 'golden-1') {
    throw new DataError(
      `${fileName}: its format is '${shown(metadata.format ?? 'not given')}', but reference cases are 'golden-1'; give other files.`,
    );
  }
  return {
    name: fileName
      .split('/')
      .at(-1)!
      .replace(/\.safetensors$/, ''),
    kind: metadata.kind ?? '',
    config: parseMetadata(metadata.config, configSchema, 'config', fileName),
    tolerance: parseMetadata(metadata.tol, toleranceSchema, 'tol', fileName),
    tensors,
  };
}

/** A tensor of the case; its absence means that the file does not hold what its kind needs. */
export function tensorOf(reference: ReferenceCase, name: string): NamedTensor {
  const tensor = reference.tensors.get(name);
  if (tensor === undefined) throw new DataError(`${reference.name}: the tensor '${name}' is missing.`);
  return tensor;
}

export function floatsOf(reference: ReferenceCase, name: string): Float32Array {
  const { data } = tensorOf(reference, name);
  if (!(data instanceof Float32Array))
    throw new DataError(`${reference.name}: the tensor '${name}' is not F32.`);
  return data;
}

export function integersOf(reference: ReferenceCase, name: string): Int32Array {
  const { data } = tensorOf(reference, name);
  if (!(data instanceof Int32Array))
    throw new DataError(`${reference.name}: the tensor '${name}' is not I32.`);
  return data;
}

/** A number of the case's config, or `standard` where the config leaves it out and there is one. */
export function numberOf(reference: ReferenceCase, key: string, standard?: number): number {
  const value = reference.config[key] ?? standard;
  if (typeof value !== 'number') throw new DataError(`${reference.name}: config '${key}' is no number.`);
  return value;
}

/**
 * A number of the case's config that counts something, and by which memory or time is taken.
 *
 * @throws DataError unless it is whole and lies between 1 and `most`.
 */
export function countOf(reference: ReferenceCase, key: string, most: number): number {
  const value = numberOf(reference, key);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new DataError(
      `${reference.name}: config '${key}' is ${value}, but must be a whole number from 1 to ${most}.`,
    );
  }
  return value;
}

/** A setting that may differ by direction: a number, or [vertical, horizontal]. */
export function pairOf(reference: ReferenceCase, key: string, standard?: Pair): Pair {
  const value = reference.config[key] ?? standard;
  if (typeof value === 'number') return value;
  if (Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === 'number')) {
    return [value[0], value[1]];
  }
  throw new DataError(`${reference.name}: config '${key}' is neither a number nor two of them.`);
}

/** Whole numbers of the case's config; undefined where it has none. */
export function wholeNumbersOf(reference: ReferenceCase, key: string): Int32Array | undefined {
  const value = reference.config[key];
  if (value === undefined) return undefined;
  const fits =
    Array.isArray(value) &&
    value.length <= MOST_NUMBERS &&
    value.every((each) => Number.isInteger(each) && Math.abs(each) < 2 ** 31);
  if (fits) return Int32Array.from(value as number[]);
  throw new DataError(`${reference.name}: config '${key}' is no list of whole numbers.`);
}

/** A yes or no of the case's config, or `standard` where the config leaves it out. */
export function flagOf(reference: ReferenceCase, key: string, standard: boolean): boolean {
  const value = reference.config[key] ?? standard;
  if (typeof value !== 'boolean') {
    throw new DataError(`${reference.name}: config '${key}' is neither true nor false.`);
  }
  return value;
}

/** The batches `idx.batch0`, `idx.batch1`, … of a case, in order. */
export function batchesOf(reference: ReferenceCase): Int32Array[] {
  const batches: Int32Array[] = [];
  while (reference.tensors.has(`idx.batch${batches.length}`)) {
    batches.push(integersOf(reference, `idx.batch${batches.length}`));
  }
  return batches;
}

/** Compares every wanted output. An output that was not computed, or holds NaN, has an infinite error. */
export function measure(reference: ReferenceCase, outputs: Outputs): Measured[] {
  const names = [...reference.tensors.keys()].filter((name) => name.startsWith('out.'));
  return names.map((name) => {
    const output = name.slice('out.'.length);
    const want = Float64Array.from(tensorOf(reference, name).data);
    // Names are the file's: none may find what every object has.
    const got = Object.hasOwn(outputs, output) ? outputs[output] : undefined;
    const { rel, abs } = (Object.hasOwn(reference.tolerance, output) && reference.tolerance[output]) || {
      rel: 0,
      abs: 0,
    };
    const norm = Math.sqrt(want.reduce((total, value) => total + value * value, 0));
    let error = Number.POSITIVE_INFINITY;
    if (got !== undefined && got.length === want.length) {
      const distance = Math.sqrt(want.reduce((total, value, i) => total + (got[i]! - value) ** 2, 0));
      if (!Number.isNaN(distance)) error = distance;
    }
    return { output, error, allowed: rel * norm + abs };
  });
}
