/** What the adapters of several peers share: layouts, and changing between backends. */
import ndarray from 'ndarray';
import type { HostTensor } from '../cases/types.js';
import type { Form } from '../contender.js';
import { requireNoFault } from './webgpuGlobals.js';

/** A tensor with its axes in another order: axis k of the result is axis `axes[k]` of what is given. */
export function permuted({ shape, data }: HostTensor, axes: readonly number[]): HostTensor {
  const source = ndarray(data, [...shape]).transpose(...axes);
  const result = data.slice();
  const target = ndarray(result, source.shape);
  const index = axes.map(() => 0);
  for (let i = 0; i < result.length; i++) {
    target.set(...index, source.get(...index));
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      index[axis]! += 1;
      if (index[axis]! < source.shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { shape: source.shape, data: result };
}

/**
 * The form on its library's own backend: several backends of a library share one process, and `select` changes over. What
 * a WebGPU device refused is an error.
 */
export function onBackend(select: () => Promise<unknown>, form: Form): Form {
  const checked = async <T>(work: () => Promise<T>): Promise<T> => {
    await select();
    const result = await work();
    requireNoFault();
    return result;
  };
  return async () => {
    const { results, run, release } = await checked(form);
    return {
      results: () => checked(results),
      run: (repeats) => checked(() => run(repeats)),
      release,
    };
  };
}
