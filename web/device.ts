/** What the worker tells of the device: `hypergrad doctor`'s facts, and what kernels reach here. */

/** A kernel's part of one hypergradient. */
export interface KernelRate {
  readonly kernel: string;
  readonly operation: string;
  readonly shape: string;
  readonly count: number;
  /** Milliseconds, all dispatches together. */
  readonly time: number;
  /** Operations a second. */
  readonly arithmeticRate: number;
  /** Bytes a second. */
  readonly memoryRate: number;
}

export interface DeviceReport {
  readonly name: string;
  readonly kind: 'hardware' | 'software';
  /** The limits that decide what fits, by their names, with their values in words. */
  readonly limits: readonly (readonly [name: string, value: string])[];
  readonly features: readonly string[];
  /** Operations a second of the sample, which came out as the processor computes it; else there is no report. */
  readonly sampleRate: number;
  /** The most that was seen: operations and bytes a second. */
  readonly arithmeticRate: number;
  readonly memoryRate: number;
  /** How single dispatches were timed. */
  readonly method: string;
  readonly kernels: readonly KernelRate[];
}
