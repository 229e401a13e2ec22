import { DeviceError, DeviceLostError, DeviceTimeoutError, messageOf } from '../errors.js';
import { BufferPool } from './bufferPool.js';
import {
  type AdapterKind,
  adapterKind,
  adapterName,
  lanesOf,
  requestWithAllLimits,
} from './deviceRequest.js';
import { describeFault, describeLoss } from './faults.js';
import { formatBytes } from './formatBytes.js';
import { PipelineCache } from './pipelines.js';
import type { ProfiledDevice, Profiler } from './profiler.js';
import { Readback } from './readback.js';
import { openingWaits, type Remedies, type WaitFor, Waits, within } from './waits.js';

/** What was opened. */
export interface AdapterDescription {
  /** The device's name, with its driver's where that says more. */
  readonly name: string;
  /** Whether it computes on a GPU or on the processor. */
  readonly kind: AdapterKind;
  /** Whether it is the software Vulkan that comes with the package. */
  readonly bundled: boolean;
}

/** What the opener knows that the adapter does not say. */
export interface DeviceOrigin {
  /** Whether the adapter is the software Vulkan that comes with the package. */
  readonly bundled: boolean;
  /** How this host waits for the device; a plain `await` when left out. */
  readonly waitFor?: WaitFor;
  /** Seconds that the device may be silent while it is waited for; half an hour when left out. */
  readonly patience?: number;
  /** What this host's users can do about a device that does not answer; said in general when left out. */
  readonly remedies?: Remedies;
}

/** Submissions between two signs of life that the device is asked for while it works ahead of the host. */
const SUBMISSIONS_A_MARK = 4;

/** Milliseconds within which a device that fails work because it is lost reports its loss. */
const LOSS_IS_TOLD_WITHIN = 50;

/**
 * An open WebGPU device with its buffer pool, pipeline cache and readback.
 *
 * Errors that WebGPU reports late are kept, and thrown by the next `acquireBuffer`, `read` or `settle`: the
 * first of them, once. Loss of the device, or its silence for too long, ends every wait, and is thrown by every call from
 * then on.
 */
export class Device {
  /** The WebGPU device itself. */
  readonly gpu: GPUDevice;
  /** What was opened. */
  readonly adapter: AdapterDescription;
  /** The limits that it was opened with: all that its adapter offers. */
  readonly limits: GPUSupportedLimits;
  /** Bytes of the largest storage buffer, as a kernel can bind it. */
  readonly largestBuffer: number;
  /** Lanes of every subgroup; 1 where the device has no subgroups, or none of one size. */
  readonly lanes: number;
  readonly #waitFor: WaitFor;
  readonly #buffers: BufferPool;
  readonly #pipelines: PipelineCache;
  readonly #readback: Readback;
  readonly #waits: Waits;
  #fault: DeviceError | undefined;
  #submissions = 0;
  #closed = false;
  #profiler: Profiler | null = null;

  private constructor(gpu: GPUDevice, adapter: AdapterDescription, origin: DeviceOrigin) {
    this.gpu = gpu;
    this.adapter = adapter;
    this.limits = gpu.limits;
    this.largestBuffer = Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize);
    this.lanes = lanesOf(gpu);
    this.#waits = new Waits(`device '${adapter.name}'`, origin.patience, origin.remedies?.working);
    const { waitFor = (work) => work } = origin;
    // The host's way of waiting is outermost, so that it ends with the wait, whatever becomes of the device's promise.
    this.#waitFor = (work, during = 'it was waited for') => waitFor(this.#waits.bounded(work, during));
    this.#buffers = new BufferPool(gpu, {
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      largest: this.largestBuffer,
      keep: 2 ** 30,
    });
    this.#pipelines = new PipelineCache(gpu);
    this.#readback = new Readback(gpu, this.#waitFor);
    gpu.addEventListener('uncapturederror', (event) => {
      // It is thrown as an exception; the host need not print it as well.
      event.preventDefault();
      this.#fault ??= describeFault(event.error, this.#buffers.bytes);
      if (event.error instanceof GPUOutOfMemoryError) this.#buffers.distrust();
    });
    void gpu.lost.then((info) => {
      if (!this.#closed) this.#waits.fail(describeLoss(adapter.name, info));
    });
  }

  /**
   * Opens the adapter with all limits that it offers, and timestamps, subgroups and 16-bit floats where it
   * has them.
   * @throws DeviceError when the adapter gives no device.
   */
  static async fromAdapter(adapter: GPUAdapter, origin: DeviceOrigin): Promise<Device> {
    const name = adapterName(adapter.info);
    let gpu: GPUDevice;
    try {
      gpu = await openingWaits(`adapter '${name}'`, origin.remedies).bounded(
        requestWithAllLimits(adapter),
        'a device was opened',
      );
    } catch (cause) {
      if (cause instanceof DeviceTimeoutError) throw cause;
      throw new DeviceError(
        `The adapter '${name}' gives no device: ${messageOf(cause)} Choose another one.`,
        {
          cause,
        },
      );
    }
    const { bundled } = origin;
    return new Device(gpu, { name, kind: adapterKind(adapter.info), bundled }, origin);
  }

  /** One line: what was opened, a software device named as such. */
  describe(): string {
    const { name, kind, bundled } = this.adapter;
    const sort = bundled ? 'bundled software device' : `${kind} device`;
    return `${name}, ${sort}, buffers up to ${formatBytes(this.largestBuffer)}`;
  }

  /**
   * A storage buffer (also source and destination of copies) of at least `byteLength` bytes from the pool.
   * Its contents are undefined.
   *
   * @param isExact for large and lasting buffers: no byte is wasted on the pool's size classes, and nothing is reused
   * @throws DeviceError when it exceeds the device's limits, or an earlier command failed.
   */
  acquireBuffer(byteLength: number, label: string, isExact = false): GPUBuffer {
    this.#check();
    return this.#buffers.acquire(byteLength, label, isExact);
  }

  /** Bytes of all buffers that are allocated on the device now, lent or kept for the next who asks. */
  get allocatedBytes(): number {
    return this.#buffers.bytes + this.#readback.stagingBytes;
  }

  /** Gives a buffer back to the pool; after `close` there is nothing left to do. */
  releaseBuffer(buffer: GPUBuffer): void {
    if (this.#closed) return;
    if (this.#profiler === null) this.#buffers.release(buffer);
    else this.#profiler.inOrder(() => this.#buffers.release(buffer));
  }

  /**
   * The compute pipeline of a WGSL text: entry point `main`, automatic layout, compiled once per text.
   * @throws DeviceError with the kernel's label, the compiler's message and the source line; of a lost device, its loss.
   */
  async computePipeline(code: string, label: string): Promise<GPUComputePipeline> {
    this.#checkOpen();
    const compile = (): Promise<GPUComputePipeline> =>
      this.#waitFor(this.#pipelines.get(code, label), `it compiled the kernel '${label}'`);
    try {
      return await (this.#profiler === null ? compile() : this.#profiler.compile(compile));
    } catch (cause) {
      throw (await this.loss()) ?? cause;
    }
  }

  /** Writes `data` at `byteOffset` (a multiple of 4), in order with submitted work. */
  write(buffer: GPUBuffer, data: Float32Array | Int32Array | Uint32Array, byteOffset = 0): void {
    this.#checkOpen();
    if (byteOffset < 0 || byteOffset % 4 !== 0 || byteOffset + data.byteLength > buffer.size) {
      throw new DeviceError(
        `Cannot write ${data.byteLength} bytes at byte ${byteOffset} of buffer '${buffer.label}', which has ${buffer.size}. ` +
          'The offset must be a multiple of 4 and the data end inside the buffer.',
      );
    }
    const write = (numbers: typeof data): void =>
      this.gpu.queue.writeBuffer(buffer, byteOffset, numbers as GPUAllowSharedBufferSource);
    if (this.#profiler === null) write(data);
    else this.#profiler.write(data, write);
  }

  /** Submits what `encode` appends to a new command encoder, in order with all that was submitted before. */
  submit(encode: (encoder: GPUCommandEncoder) => void): void {
    this.#checkOpen();
    if (this.#profiler === null) {
      const encoder = this.gpu.createCommandEncoder();
      encode(encoder);
      this.gpu.queue.submit([encoder.finish()]);
    } else {
      this.#profiler.submit(encode);
    }
    if (++this.#submissions % SUBMISSIONS_A_MARK === 0)
      this.#waits.mark(this.gpu.queue.onSubmittedWorkDone());
  }

  /** @internal What looks on at all that is submitted, while a profile is taken. */
  get profiler(): Profiler | null {
    return this.#profiler;
  }

  /**
   * @internal Measures everything until `finish` of the profiler that is started; `profile` is what users call. The profiler
   * is brought along, so that programs that measure nothing do not hold it.
   * @throws DeviceError when a profile is being taken already.
   */
  async startProfiling(start: (device: ProfiledDevice) => Promise<Profiler>): Promise<Profiler> {
    const refuseSecond = (): void => {
      if (this.#profiler === null) return;
      throw new DeviceError(
        `A profile of the device '${this.adapter.name}' is being taken already. Wait for it before you take another.`,
      );
    };
    this.#check();
    refuseSecond();
    const profiler = await start({
      gpu: this.gpu,
      waitFor: this.#waitFor,
      read: (buffer, byteOffset, byteLength) => this.#readback.read(buffer, byteOffset, byteLength),
      detach: () => {
        this.#profiler = null;
      },
    });
    refuseSecond();
    this.#profiler = profiler;
    return profiler;
  }

  /**
   * A copy of `byteLength` bytes at `byteOffset` (multiples of 4), after all work submitted so far.
   * @throws DeviceError for any command that failed before, or a lost device.
   */
  async read(buffer: GPUBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer> {
    this.#check();
    try {
      const bytes = await this.#observed(() => this.#readback.read(buffer, byteOffset, byteLength));
      this.#check();
      return bytes;
    } catch (cause) {
      throw await this.#failureOf(cause, 'reading a buffer back');
    }
  }

  /**
   * Waits until all submitted work is done.
   * @throws DeviceError for any command that failed before, or a lost device.
   */
  async settle(): Promise<void> {
    this.#check();
    try {
      await this.#observed(() => this.#waitFor(this.gpu.queue.onSubmittedWorkDone()));
    } catch (cause) {
      throw await this.#failureOf(cause, 'waiting for the device');
    }
    this.#check();
  }

  /**
   * Whether buffers of so many bytes can be made beside those that there are. They are made and given back unused, so a device
   * that hands out memory before it has it says yes.
   */
  async hasRoomFor(bytes: number): Promise<boolean> {
    this.#check();
    const buffers: GPUBuffer[] = [];
    try {
      this.gpu.pushErrorScope('out-of-memory');
      for (let left = 4 * Math.ceil(bytes / 4); left > 0; left -= Math.min(left, this.largestBuffer)) {
        const size = Math.min(left, this.largestBuffer);
        buffers.push(this.gpu.createBuffer({ size, usage: GPUBufferUsage.STORAGE, label: 'room' }));
      }
      return (await this.#waitFor(this.gpu.popErrorScope(), 'memory was asked for')) === null;
    } finally {
      for (const buffer of buffers) buffer.destroy();
    }
  }

  /**
   * The device's loss; null while it is there. A device that is about to report its loss is given a moment to do so.
   */
  async loss(): Promise<DeviceLostError | null> {
    if (this.#waits.failure === null && !this.#closed) await within(this.gpu.lost, LOSS_IS_TOLD_WITHIN);
    const { failure } = this.#waits;
    return failure instanceof DeviceLostError ? failure : null;
  }

  /** Destroys the device and all its buffers. Calling it again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // A device that hangs is left alone: destroying it would wait for its work for ever.
    if (this.#waits.failure instanceof DeviceTimeoutError) return;
    this.#waits.fail(this.#closedError());
    this.#pipelines.clear();
    this.#readback.close();
    this.#buffers.close();
    this.gpu.destroy();
  }

  /** Does what submits and waits, in order with what a profiler holds back. */
  async #observed<T>(work: () => Promise<T>): Promise<T> {
    return this.#profiler === null ? await work() : await this.#profiler.wait(work);
  }

  #closedError(): DeviceError {
    return new DeviceError(`The device '${this.adapter.name}' is closed. Open a new one before using it.`);
  }

  #checkOpen(): void {
    if (this.#closed) throw this.#closedError();
    if (this.#waits.failure !== null) throw this.#waits.failure;
  }

  #check(): void {
    this.#checkOpen();
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault) throw fault;
  }

  /** The error to throw for a failed wait: what the device reported first, else the failure itself. */
  async #failureOf(cause: unknown, during: string): Promise<DeviceError> {
    if (cause instanceof DeviceError) return cause;
    if (this.#fault === undefined) await this.loss();
    try {
      this.#check();
    } catch (known) {
      if (known instanceof DeviceError) return known;
    }
    const detail = messageOf(cause) || 'it was lost';
    return new DeviceError(`The device failed while ${during}: ${detail}. Open it again.`, { cause });
  }
}
