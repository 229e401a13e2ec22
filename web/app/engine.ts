/** The worker as seen from the page: its methods as promises, and what it tells without being asked. */
import type { Answer, Arguments, Call, Happening, MethodName, Result } from '../protocol.js';

/** An error that the worker told of. */
class EngineError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export interface Engine {
  call<Name extends MethodName>(method: Name, ...given: Arguments<Name>): Promise<Result<Name>>;
  /** Tells a listener all that happens, until the function that comes back is called. */
  listen(listener: (happening: Happening) => void): () => void;
}

/** Whether the browser has a WebGPU adapter, whatever becomes of it. */
export async function offersWebGpu(): Promise<boolean> {
  const gpu: GPU | undefined = navigator.gpu;
  return gpu !== undefined && (await gpu.requestAdapter()) !== null;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Starts the worker, and with it the loading of the engine. */
export function startEngine(): Engine {
  const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module' });
  const waiting = new Map<number, Waiting>();
  const listeners = new Set<(happening: Happening) => void>();
  let last = 0;
  let hasAnswered = false;
  /** Why the worker never came to be. */
  let broken: EngineError | null = null;
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    hasAnswered = true;
    if ('happening' in data) {
      for (const listener of listeners) listener(data.happening);
      return;
    }
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if ('error' in data) call?.reject(new EngineError(data.error.name, data.error.message));
    else call?.resolve(data.result);
  });
  // A worker whose file does not load tells nothing of why.
  worker.addEventListener('error', ({ message }: Partial<ErrorEvent>) => {
    const error = new EngineError('Error', message || 'The page’s worker cannot be loaded. Reload the page.');
    if (!hasAnswered) broken = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  return {
    call(method, ...given) {
      const asked: Call = { id: ++last, method, arguments: given };
      return new Promise((resolve, reject) => {
        if (broken !== null) {
          reject(broken);
          return;
        }
        waiting.set(asked.id, { resolve: resolve as Waiting['resolve'], reject });
        worker.postMessage(asked);
      });
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
