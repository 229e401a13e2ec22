/** The worker as seen from the page: its methods as promises, and what it tells without being asked. */
import type { Arguments, Happening, MethodName, Request, Response, Result } from '../protocol.js';

/** An error that the worker told of. */
export class EngineError extends Error {
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
  worker.addEventListener('message', ({ data }: MessageEvent<Response>) => {
    if ('happening' in data) {
      for (const listener of listeners) listener(data.happening);
      return;
    }
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if ('error' in data) call?.reject(new EngineError(data.error.name, data.error.message));
    else call?.resolve(data.result);
  });
  worker.addEventListener('error', ({ message }) => {
    for (const { reject } of waiting.values()) reject(new EngineError('Error', message));
    waiting.clear();
  });
  return {
    call(method, ...given) {
      const request: Request = { id: ++last, method, arguments: given };
      return new Promise((resolve, reject) => {
        waiting.set(request.id, { resolve: resolve as Waiting['resolve'], reject });
        worker.postMessage(request);
      });
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
