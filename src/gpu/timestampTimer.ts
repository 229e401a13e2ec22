/** Dispatches measured by the device's own clock: a pass for each, with a timestamp before and after. */
import { encodePass, type PreparedDispatch } from './dispatch.js';
import type { HostClock } from './hostClock.js';
import type { DispatchSpan, DispatchTimer, DispatchWork, ProfiledDevice } from './profiler.js';

/** Queries of one set; WebGPU allows no more. */
const QUERIES = 4096;
const QUERY_BYTES = 8;
const NANOSECONDS_A_MILLISECOND = 1e6;
/** Empty passes by which the device's clock is set against the host's. */
const CALIBRATIONS = 3;

/** What a pair of timestamps belongs to: a dispatch, or an empty pass whose end the host saw between two times. */
type Measured = { readonly work: DispatchWork } | { readonly after: number; readonly before: number };

interface Block {
  readonly querySet: GPUQuerySet;
  readonly measured: Measured[];
}

interface Pair {
  readonly measured: Measured;
  readonly begin: bigint;
  readonly end: bigint;
}

export class TimestampTimer implements DispatchTimer {
  readonly method = 'timestamps';
  readonly #device: ProfiledDevice;
  readonly #clock: HostClock;
  readonly #blocks: Block[] = [];

  private constructor(device: ProfiledDevice, clock: HostClock) {
    this.#device = device;
    this.#clock = clock;
  }

  /** Sets the device's clock against the host's; the device must be idle. */
  static async start(device: ProfiledDevice, clock: HostClock): Promise<TimestampTimer> {
    const timer = new TimestampTimer(device, clock);
    const { gpu, waitFor } = device;
    for (let k = 0; k < CALIBRATIONS; k++) {
      const after = clock.now();
      const encoder = gpu.createCommandEncoder();
      const window = { after, before: Number.POSITIVE_INFINITY };
      encodePass(encoder, [], timer.#timestamps(window));
      gpu.queue.submit([encoder.finish()]);
      await waitFor(gpu.queue.onSubmittedWorkDone());
      window.before = clock.now();
    }
    return timer;
  }

  inOrder(action: () => void): void {
    action();
  }

  requireEncoder(): void {}

  submit(encode: (encoder: GPUCommandEncoder) => void): void {
    const { gpu } = this.#device;
    const commands = this.#clock.measure('encode', () => {
      const encoder = gpu.createCommandEncoder();
      encode(encoder);
      return encoder.finish();
    });
    this.#clock.measure('submit', () => gpu.queue.submit([commands]));
  }

  encode(
    encoder: GPUCommandEncoder,
    dispatches: readonly PreparedDispatch[],
    works: readonly DispatchWork[],
  ): void {
    dispatches.forEach((dispatch, k) => {
      encodePass(encoder, [dispatch], this.#timestamps({ work: works[k]! }));
    });
  }

  async finish(): Promise<{ spans: DispatchSpan[]; timestampStep: number | null }> {
    const pairs: Pair[] = [];
    for (const block of this.#blocks) pairs.push(...(await this.#read(block)));
    // Whoever encoded into an encoder of their own may not have submitted it: such queries stay zero.
    const written = pairs.filter(({ end }) => end > 0n);
    // A number holds the nanoseconds of a run exactly, but not those since the epoch, where some drivers begin.
    const epoch = written.reduce(
      (first, { begin }) => (begin < first ? begin : first),
      written[0]?.begin ?? 0n,
    );
    const offset = hostOffset(written, epoch);
    const spans = written.flatMap(({ measured, begin, end }) => {
      if (!('work' in measured)) return [];
      const duration = end > begin ? milliseconds(end - begin) : 0;
      return [{ work: measured.work, start: milliseconds(begin - epoch) + offset, duration }];
    });
    return { spans, timestampStep: stepOf(written) };
  }

  release(): void {
    for (const { querySet } of this.#blocks) querySet.destroy();
  }

  /** Two queries for a pass. */
  #timestamps(measured: Measured): GPUComputePassTimestampWrites {
    let block = this.#blocks.at(-1);
    if (block === undefined || 2 * block.measured.length === QUERIES) {
      const querySet = this.#device.gpu.createQuerySet({ type: 'timestamp', count: QUERIES });
      block = { querySet, measured: [] };
      this.#blocks.push(block);
    }
    const first = 2 * block.measured.length;
    block.measured.push(measured);
    return {
      querySet: block.querySet,
      beginningOfPassWriteIndex: first,
      endOfPassWriteIndex: first + 1,
    };
  }

  async #read({ querySet, measured }: Block): Promise<Pair[]> {
    const { gpu, read } = this.#device;
    const count = 2 * measured.length;
    const resolved = gpu.createBuffer({
      label: 'timestamps',
      size: count * QUERY_BYTES,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    try {
      const encoder = gpu.createCommandEncoder();
      encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
      gpu.queue.submit([encoder.finish()]);
      const times = new BigUint64Array(await read(resolved, 0, count * QUERY_BYTES));
      return measured.map((each, k) => ({ measured: each, begin: times[2 * k]!, end: times[2 * k + 1]! }));
    } finally {
      resolved.destroy();
    }
  }
}

const milliseconds = (nanoseconds: bigint): number => Number(nanoseconds) / NANOSECONDS_A_MILLISECOND;

/** The host's milliseconds at the device's `epoch`, from the empty pass that the host saw within the shortest time. */
function hostOffset(pairs: readonly Pair[], epoch: bigint): number {
  let shortest = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (const { measured, end } of pairs) {
    if ('work' in measured || measured.before - measured.after >= shortest) continue;
    shortest = measured.before - measured.after;
    offset = (measured.before + measured.after) / 2 - milliseconds(end - epoch);
  }
  return offset;
}

/** The greatest step of which all timestamps are multiples, in nanoseconds: drivers and browsers coarsen them. */
function stepOf(pairs: readonly Pair[]): number | null {
  let step = 0n;
  for (const { begin, end } of pairs) for (const time of [begin, end]) step = greatestDivisor(step, time);
  return step === 0n ? null : Number(step);
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
