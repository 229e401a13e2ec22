import { DeviceError, messageOf } from '../errors.js';

/** The first error of a WGSL module, with its line number and the line itself; undefined when there is none. */
async function firstCompileError(module: GPUShaderModule, code: string): Promise<string | undefined> {
  const { messages } = await module.getCompilationInfo();
  const error = messages.find((message) => message.type === 'error');
  if (!error) return undefined;
  const line = code.split('\n')[error.lineNum - 1];
  const place = line === undefined ? '' : `\n  ${error.lineNum} | ${line.trimEnd()}`;
  return `line ${error.lineNum}, column ${error.linePos}: ${error.message}.${place}`;
}

/** Compute pipelines of one device, compiled once for each WGSL text. */
export class PipelineCache {
  readonly #gpu: GPUDevice;
  readonly #compiled = new Map<string, Promise<GPUComputePipeline>>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /**
   * The pipeline of `code`'s entry point `main` with automatic layout. Compilation runs off this thread, so
   * several pipelines asked for together compile at once.
   * @throws DeviceError that names the WGSL line at fault.
   */
  get(code: string, label: string): Promise<GPUComputePipeline> {
    const known = this.#compiled.get(code);
    if (known) return known;
    const compiled = this.#compile(code, label);
    this.#compiled.set(code, compiled);
    // A failure is told to whoever asked; the next one to ask tries again.
    compiled.catch(() => this.#compiled.delete(code));
    return compiled;
  }

  async #compile(code: string, label: string): Promise<GPUComputePipeline> {
    // The scope keeps the module's error away from the device's uncaptured errors: it is thrown from here.
    this.#gpu.pushErrorScope('validation');
    const module = this.#gpu.createShaderModule({ code, label });
    const scope = this.#gpu.popErrorScope();
    const pipeline = this.#gpu.createComputePipelineAsync({
      layout: 'auto',
      compute: { module, entryPoint: 'main' },
      label,
    });
    const [moduleError, made] = await Promise.allSettled([scope, pipeline]);
    if (made.status === 'fulfilled') return made.value;

    const inSource = await firstCompileError(module, code).catch(() => undefined);
    if (inSource) {
      throw new DeviceError(`Kernel '${label}' does not compile: ${inSource}`, { cause: made.reason });
    }
    const detail =
      moduleError.status === 'fulfilled' && moduleError.value ? moduleError.value : (made.reason as unknown);
    throw new DeviceError(
      `Kernel '${label}' cannot be made into a pipeline on this device: ${messageOf(detail)}`,
      { cause: made.reason },
    );
  }

  clear(): void {
    this.#compiled.clear();
  }
}
