/**
 * Looks on while a device works: how long each dispatch takes there, and what the host spends on encoding, submitting,
 * writing and waiting. The same commands run in the same order as without it, so results have the same bits.
 */
import { DeviceError } from '../errors.js';
import { encodePass, type PreparedDispatch } from './dispatch.js';
import { HostClock, type HostSpan } from './hostClock.js';
import { TimestampTimer } from './timestampTimer.js';
import { WaitingTimer } from './waitingTimer.js';

/**
 * How the time of a dispatch is measured. `timestamps`: the device notes the time before and after it. `waiting`: the
 * dispatch is submitted alone and waited for, so that its time holds the way to the device and back.
 */
export type TimingMethod = 'timestamps' | 'waiting';

/** What to measure, and how. */
export interface ProfileOptions {
  /** Default: `timestamps` where the device has the feature `timestamp-query`, else `waiting`. */
  readonly method?: TimingMethod;
  /**
   * Once so many dispatches are measured, the rest runs unmeasured and is only counted; a plan's replay is measured as a
   * whole or not at all. Default: 100 000.
   */
  readonly maximumDispatches?: number;
}

/** What one dispatch does, as whoever encodes it knows. */
export interface DispatchWork {
  /** Name of the kernel. */
  readonly kernel: string;
  /** Name of the operation that it works for. */
  readonly operation: string;
  /** Type and shape of that operation's result, such as `f32[20,64]`. */
  readonly shape: string;
  /** Names of the operations computed on the way. */
  readonly fused: readonly string[];
  /** Bytes of the tensors that it reads, each counted once. */
  readonly bytesRead: number;
  /** Bytes of the tensors that it writes. */
  readonly bytesWritten: number;
  /** Multiplications, additions and the like. */
  readonly floatingPointOperations: number;
}

/** One dispatch as it ran; milliseconds, the start since the recording's. */
export interface DispatchSpan {
  readonly work: DispatchWork;
  readonly start: number;
  readonly duration: number;
}

/** What a profiler saw. Times are milliseconds. */
export interface Recording {
  readonly method: TimingMethod;
  /** The start, by `performance.now()`. */
  readonly start: number;
  /** From the start until all work was done. */
  readonly duration: number;
  /** Step of the device's timestamps in nanoseconds; null where there were none. */
  readonly timestampStep: number | null;
  readonly dispatches: readonly DispatchSpan[];
  readonly host: readonly HostSpan[];
  /** Dispatches that ran unmeasured. */
  readonly unmeasured: number;
}

/** What a profiler needs of the device that it looks on at. */
export interface ProfiledDevice {
  readonly gpu: GPUDevice;
  /** Waits as this host does. */
  waitFor<T>(work: Promise<T>): Promise<T>;
  /** Reads a buffer back, past the profiler. */
  read(buffer: GPUBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer>;
  /** Tells the device that the profiler has finished. */
  detach(): void;
}

/** One way of measuring dispatches. */
export interface DispatchTimer {
  readonly method: TimingMethod;
  /** Runs `action` when everything submitted before it has been handed to the queue. */
  inOrder(action: () => void): void;
  submit(encode: (encoder: GPUCommandEncoder) => void): void;
  encode(
    encoder: GPUCommandEncoder,
    dispatches: readonly PreparedDispatch[],
    works: readonly DispatchWork[],
  ): void;
  /** Refuses an encoder that this timer cannot keep in order with the rest. */
  requireEncoder(encoder: GPUCommandEncoder): void;
  /** Called once, when the device has done all work. */
  finish(): Promise<{ spans: DispatchSpan[]; timestampStep: number | null }>;
  /** Gives back what it holds on the device; called last, also where `finish` fails or is not reached. */
  release(): void;
}

const MAXIMUM_DISPATCHES = 100_000;

/** Made by `Device.startProfiling`; the device calls it for all that it does until `finish`. */
export class Profiler {
  readonly #device: ProfiledDevice;
  readonly #clock: HostClock;
  readonly #timer: DispatchTimer;
  readonly #maximum: number;
  #measured = 0;
  #unmeasured = 0;

  private constructor(device: ProfiledDevice, clock: HostClock, timer: DispatchTimer, maximum: number) {
    this.#device = device;
    this.#clock = clock;
    this.#timer = timer;
    this.#maximum = maximum;
  }

  /** @throws DeviceError where timestamps are asked for that the device does not have. */
  static async start(device: ProfiledDevice, options: ProfileOptions): Promise<Profiler> {
    const hasTimestamps = device.gpu.features.has('timestamp-query');
    const { method = hasTimestamps ? 'timestamps' : 'waiting', maximumDispatches = MAXIMUM_DISPATCHES } =
      options;
    if (method === 'timestamps' && !hasTimestamps) {
      throw new DeviceError(
        "profile: the method 'timestamps' needs the feature timestamp-query, which this device lacks. Leave the method out.",
      );
    }
    await device.waitFor(device.gpu.queue.onSubmittedWorkDone());
    const clock = new HostClock();
    const timer =
      method === 'timestamps' ? await TimestampTimer.start(device, clock) : new WaitingTimer(device, clock);
    return new Profiler(device, clock, timer, maximumDispatches);
  }

  /** Submits what `encode` appends. */
  submit(encode: (encoder: GPUCommandEncoder) => void): void {
    this.#timer.submit(encode);
  }

  /** Appends a plan's dispatches, each measured by itself unless enough were. */
  encode(
    encoder: GPUCommandEncoder,
    dispatches: readonly PreparedDispatch[],
    works: readonly DispatchWork[],
  ): void {
    this.#timer.requireEncoder(encoder);
    if (this.#measured >= this.#maximum) {
      this.#unmeasured += dispatches.length;
      encodePass(encoder, dispatches);
      return;
    }
    this.#measured += dispatches.length;
    this.#timer.encode(encoder, dispatches, works);
  }

  /** Writes in order with submitted work. `write` is given the data, or a copy where it happens later. */
  write<T extends Float32Array | Int32Array | Uint32Array>(data: T, write: (data: T) => void): void {
    const kept = this.#timer.method === 'waiting' ? (data.slice() as T) : data;
    this.#timer.inOrder(() => this.#clock.measure('write', () => write(kept)));
  }

  /** Runs `action` in order with submitted work. */
  inOrder(action: () => void): void {
    this.#timer.inOrder(action);
  }

  /** Begins `work`, which submits and waits, in order with submitted work. */
  async wait<T>(work: () => Promise<T>): Promise<T> {
    return await this.#clock.measureWait(
      'wait',
      () =>
        new Promise<T>((resolve, reject) => {
          this.#timer.inOrder(() => {
            work().then(resolve, reject);
          });
        }),
    );
  }

  /** Waits for a kernel that is being compiled. */
  async compile<T>(work: () => Promise<T>): Promise<T> {
    return await this.#clock.measureWait('compile', work);
  }

  /** Waits for all work, takes the profiler off the device and tells what it saw. */
  async finish(): Promise<Recording> {
    const { gpu, waitFor, detach } = this.#device;
    try {
      try {
        await this.wait(() => waitFor(gpu.queue.onSubmittedWorkDone()));
      } finally {
        detach();
      }
      const duration = this.#clock.now();
      const { spans, timestampStep } = await this.#timer.finish();
      return {
        method: this.#timer.method,
        start: this.#clock.start,
        duration,
        timestampStep,
        dispatches: spans,
        host: this.#clock.spans,
        unmeasured: this.#unmeasured,
      };
    } finally {
      this.#timer.release();
    }
  }
}
