/** Numbers that are watched: where one becomes NaN or infinite, the run stops, and says which, where, and what usually helps. */
import { NumericsError } from '../../errors.js';
import { valueAt } from '../config/paths.js';

/** What a setting that is too large is lowered to. */
const TENTH = 0.1;

/**
 * Stops a run where a watched number is no number any more.
 *
 * @param what the number, its stage and its step: `the loss of the stage teacher at step 20`
 * @param remedy a sentence, such as `lower` gives
 * @throws NumericsError
 */
export function requireFinite(value: number, what: string, remedy: string): void {
  if (!Number.isFinite(value)) throw diverged(`${what} is ${value}`, remedy);
}

/**
 * The same for the losses of steps that were made without the host looking on.
 *
 * @param nameOf names the step of a loss by its index, as `what` of `requireFinite`
 */
export function requireFiniteLosses(
  losses: Float32Array,
  nameOf: (index: number) => string,
  remedy: string,
): void {
  const index = losses.findIndex((loss) => !Number.isFinite(loss));
  if (index >= 0) throw diverged(`${nameOf(index)} is ${losses[index]}`, remedy);
}

/**
 * Watches the losses of a training, step by step.
 *
 * @param what the loss and its stage: `expert 3's loss of the stage experts`
 * @param first the step whose loss comes first, from 0
 * @returns what is given the losses of the steps that come next, in order
 */
export function watchLosses(what: string, remedy: string, first = 0): (losses: Float32Array) => void {
  let step = first;
  return (losses) => {
    requireFiniteLosses(losses, (index) => `${what} at step ${step + index + 1}`, remedy);
    step += losses.length;
  };
}

/**
 * The same for θ. It is looked at beside the loss, which may stay a number without it: a device may take the greater of NaN and
 * 0, as ReLU does, for 0.
 */
export function requireFiniteParameters(theta: Float32Array, what: string, remedy: string): void {
  const index = theta.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw diverged(`element ${index} of ${what} is ${theta[index]}`, remedy);
}

/** The same for all numbers of some tensors, which are about to be kept. */
export function requireFiniteTensors(
  tensors: Iterable<readonly [string, { readonly dtype: string; readonly data: ArrayLike<number> }]>,
  where: string,
  remedy: string,
): void {
  for (const [name, { dtype, data }] of tensors) {
    if (dtype !== 'F32') continue;
    for (let k = 0; k < data.length; k++) {
      if (Number.isFinite(data[k])) continue;
      throw diverged(`element ${k} of ${name} in ${where}, which is not written,`, remedy, data[k]);
    }
  }
}

function diverged(what: string, remedy: string, value?: number): NumericsError {
  return new NumericsError(
    `Training diverged: ${what}${value === undefined ? '' : ` is ${value}`}. ${remedy}`,
  );
}

function numberAt(config: object, path: string): number {
  const value = valueAt(config, path.split('.'));
  if (typeof value !== 'number') throw new TypeError(`${path} is no number of the configuration.`);
  return value;
}

/** What usually helps: settings to lower, with what they are now, the first with what to try. Those of 0 are left out. */
export function lower(config: object, ...paths: readonly string[]): string {
  const settings = paths
    .map((path) => [path, numberAt(config, path)] as const)
    .filter(([, value]) => value > 0);
  const named = settings.map(([path, value]) => `${path} (now ${value})`);
  const [first] = settings;
  if (first === undefined) return 'Look at what the stage reads: nothing that it learns by is left to lower.';
  const [path, value] = first;
  const example = `--set ${path}=${Number((TENTH * value).toPrecision(2))}`;
  return `It usually helps to lower ${named.join(' or ')}: try ${example}.`;
}
