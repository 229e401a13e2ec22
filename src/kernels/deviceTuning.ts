/**
 * The block sizes that a device computes with: its class's table, and over it what was measured to be better on that
 * very device (`hypergrad tune`).
 */
import type { Device } from '../gpu/device.js';
import { type DeviceClass, type Tuning, tuningFor } from './catalogue.js';

/** Part of a value: of its fields any, of a list all or nothing. */
export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Field in keyof T]?: DeepPartial<T[Field]> }
    : T;

/** Block sizes that take the place of the class's table; what is left out stays. */
export type TuningOverrides = DeepPartial<Tuning>;

/** More is no block size: buffers and launches end far below. */
const LARGEST = 2 ** 30;
/** A list of blocks to choose from is short. */
const LONGEST = 16;

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function overlay(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isFields(base) || !isFields(over)) return over;
  // Only names that the table has are looked at, so nothing else, such as a prototype, can come in.
  return Object.fromEntries(
    Object.entries(base).map(([name, value]) => [
      name,
      Object.hasOwn(over, name) ? overlay(value, over[name]) : value,
    ]),
  );
}

/** A table with some block sizes in place of its own. Neither argument changes. */
export function mergeTuning(base: Tuning, overrides: TuningOverrides): Tuning {
  return overlay(base, overrides) as Tuning;
}

function join(first: unknown, second: unknown): unknown {
  if (!isFields(first) || !isFields(second)) return second;
  const names = new Set([...Object.keys(first), ...Object.keys(second)]);
  return Object.fromEntries(
    [...names].map((name) => {
      if (!Object.hasOwn(second, name)) return [name, first[name]];
      return [name, Object.hasOwn(first, name) ? join(first[name], second[name]) : second[name]];
    }),
  );
}

/** Both overrides together; where they speak of the same block size, the second counts. */
export function joinOverrides(first: TuningOverrides, second: TuningOverrides): TuningOverrides {
  return join(first, second) as TuningOverrides;
}

/**
 * Why a value from outside is no part of a table, or null where it is one: unknown names, other types, numbers that
 * cannot be a block size.
 */
export function overridesFault(base: unknown, overrides: unknown, path = 'overrides'): string | null {
  if (Array.isArray(base)) {
    if (!Array.isArray(overrides) || overrides.length < 1 || overrides.length > LONGEST) {
      return `${path} is no list of 1 to ${LONGEST} entries`;
    }
    return firstFault(
      overrides.map((entry, k) => () => {
        const missing = isFields(entry) && isFields(base[0]) && missingFrom(entry, base[0]);
        return missing ? `${path}[${k}] lacks ${missing}` : overridesFault(base[0], entry, `${path}[${k}]`);
      }),
    );
  }
  if (isFields(base)) {
    if (!isFields(overrides)) return `${path} is no object`;
    return firstFault(
      Object.keys(overrides).map(
        (name) => () =>
          Object.hasOwn(base, name)
            ? overridesFault(base[name], overrides[name], `${path}.${name}`)
            : `${path} has an unknown field ${JSON.stringify(name)}`,
      ),
    );
  }
  if (typeof base === 'number') {
    const isSize = Number.isInteger(overrides) && (overrides as number) >= Math.min(1, base);
    return isSize && (overrides as number) <= LARGEST ? null : `${path} is no whole number of a block's size`;
  }
  return typeof overrides === typeof base && (base !== null || overrides === null)
    ? null
    : `${path} is of another type`;
}

const missingFrom = (
  entry: Readonly<Record<string, unknown>>,
  pattern: Readonly<Record<string, unknown>>,
): string | undefined => Object.keys(pattern).find((name) => !Object.hasOwn(entry, name));

function firstFault(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const fault = check();
    if (fault !== null) return fault;
  }
  return null;
}

/** Lanes from which on a software device has a compiler that keeps values in registers (LLVM's, in llvmpipe). */
const WIDE = 8;

/** Which table of block sizes is the device's. */
export function classOf({ adapter, lanes }: Pick<Device, 'adapter' | 'lanes'>): DeviceClass {
  if (adapter.kind === 'hardware') return 'hardware';
  return lanes >= WIDE ? 'wideSoftware' : 'software';
}

/** The table of the device's class. */
export const tableOf = (device: Device): Tuning => tuningFor(classOf(device));

const registered = new WeakMap<Device, { readonly overrides: TuningOverrides; readonly tuning: Tuning }>();

/**
 * Makes a device compute with other block sizes than its class's; null takes them away again. What is compiled already
 * stays as it is.
 */
export function useTuning(device: Device, overrides: TuningOverrides | null): void {
  if (overrides === null || Object.keys(overrides).length === 0) registered.delete(device);
  else registered.set(device, { overrides, tuning: mergeTuning(tableOf(device), overrides) });
}

/** The block sizes that a device computes with. */
export const tuningOf = (device: Device): Tuning => registered.get(device)?.tuning ?? tableOf(device);

/** What `useTuning` gave the device; null where its class's table counts alone. */
export const overridesOf = (device: Device): TuningOverrides | null =>
  registered.get(device)?.overrides ?? null;
