/**
 * Dispatches measured by the host, for devices without timestamps: each is submitted alone and waited for. Callers do not
 * wait, so everything that must keep its order – submissions, writes, the beginning of reads, releases – goes through one
 * queue.
 */
import { DeviceError } from '../errors.js';
import { encodePass, type PreparedDispatch } from './dispatch.js';
import type { HostClock } from './hostClock.js';
import type { DispatchSpan, DispatchTimer, DispatchWork, ProfiledDevice } from './profiler.js';

type Job =
  | { readonly action: () => void }
  | { readonly commands: GPUCommandBuffer; readonly work: DispatchWork | null };

export class WaitingTimer implements DispatchTimer {
  readonly method = 'waiting';
  readonly #device: ProfiledDevice;
  readonly #clock: HostClock;
  readonly #spans: DispatchSpan[] = [];
  #jobs: Job[] = [];
  #isRunning = false;
  /** Whether the queue may still hold work that no one has waited for. */
  #isBusy = false;
  #failure: unknown;
  /** The encoder of the submission that is being encoded; dispatches cut it in two. */
  #open: CutEncoder | null = null;

  constructor(device: ProfiledDevice, clock: HostClock) {
    this.#device = device;
    this.#clock = clock;
  }

  inOrder(action: () => void): void {
    this.#push({ action });
  }

  submit(encode: (encoder: GPUCommandEncoder) => void): void {
    const encoder = new CutEncoder(this.#device.gpu);
    this.#open = encoder;
    try {
      this.#clock.measure('encode', () => {
        encode(encoder.proxy);
        encoder.cut();
      });
    } finally {
      this.#open = null;
    }
    // Only now, so that nothing is submitted where `encode` throws.
    for (const job of encoder.jobs) this.#push(job);
  }

  requireEncoder(encoder: GPUCommandEncoder): void {
    if (encoder !== this.#open?.proxy) {
      throw new DeviceError(
        'A plan was encoded into a command encoder of its own while a profile waits for each dispatch, which must submit ' +
          'them one by one. Encode it in the function that is given to device.submit.',
      );
    }
  }

  encode(
    _encoder: GPUCommandEncoder,
    dispatches: readonly PreparedDispatch[],
    works: readonly DispatchWork[],
  ): void {
    const open = this.#open!;
    open.cut();
    dispatches.forEach((dispatch, k) => {
      encodePass(open.proxy, [dispatch]);
      open.cut(works[k]!);
    });
  }

  async finish(): Promise<{ spans: DispatchSpan[]; timestampStep: null }> {
    if (this.#failure !== undefined) throw this.#failure;
    return { spans: this.#spans, timestampStep: null };
  }

  release(): void {}

  #push(job: Job): void {
    this.#jobs.push(job);
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      const jobs = this.#jobs;
      this.#jobs = [];
      for (const job of jobs) {
        try {
          await this.#do(job);
        } catch (error) {
          this.#failure ??= error;
        }
      }
    }
    this.#isRunning = false;
  }

  async #do(job: Job): Promise<void> {
    if ('action' in job) {
      this.#isBusy = true;
      job.action();
      return;
    }
    const { gpu, waitFor } = this.#device;
    const { commands, work } = job;
    if (work !== null && this.#isBusy) await waitFor(gpu.queue.onSubmittedWorkDone());
    const start = this.#clock.now();
    this.#clock.measure('submit', () => gpu.queue.submit([commands]));
    this.#isBusy = work === null;
    if (work === null) return;
    await waitFor(gpu.queue.onSubmittedWorkDone());
    this.#spans.push({ work, start, duration: this.#clock.now() - start });
  }
}

/** A command encoder that can be ended and begun anew while its user goes on with it. */
class CutEncoder {
  /** What the user is given: every call goes to the encoder of the moment. */
  readonly proxy: GPUCommandEncoder;
  /** What was encoded so far, in pieces. */
  readonly jobs: Job[] = [];
  readonly #gpu: GPUDevice;
  #encoder: GPUCommandEncoder;

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
    this.#encoder = gpu.createCommandEncoder();
    this.proxy = new Proxy(this.#encoder, {
      get: (_, key) => {
        const value: unknown = Reflect.get(this.#encoder, key, this.#encoder);
        return typeof value === 'function' ? value.bind(this.#encoder) : value;
      },
    });
  }

  /** Ends a piece: a dispatch that is measured, or whatever lies between two of them. */
  cut(work: DispatchWork | null = null): void {
    this.jobs.push({ commands: this.#encoder.finish(), work });
    this.#encoder = this.#gpu.createCommandEncoder();
  }
}
