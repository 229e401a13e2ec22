/** Settings under which a stage takes less device memory, the mildest first. */
import type { Config } from '../config/schema.js';
import type { StageName } from '../progress.js';

/** A configuration that takes less, and the setting by which it differs, as it stands behind `--set`. */
export interface Remedy {
  readonly setting: string;
  readonly config: Config;
}

/** A batch is halved until it is this small. */
const SMALLEST_BATCH = 8;

function* halves(batch: number): Generator<number> {
  for (let size = batch >> 1; size >= SMALLEST_BATCH; size >>= 1) yield size;
}

/** Several settings as they stand behind one `--set`. */
const together = (...settings: readonly string[]): string => settings.join(' --set ');

function* distilRemedies(config: Config): Generator<Remedy> {
  const { distil } = config;
  // Other ways to come by the same intermediates: the same gradient, for more time.
  for (const memory of ['mixed', 'recompute'] as const) {
    if (distil.memory === memory || distil.memory === 'recompute') continue;
    const setting = `distil.memory=${memory}`;
    // Storage is of kept intermediates: where none are kept, there is nothing to store in 16 bits.
    if (memory === 'recompute' && distil.storage !== 'float32') {
      yield {
        setting: together(setting, 'distil.storage=float32'),
        config: { ...config, distil: { ...distil, memory, storage: 'float32' } },
      };
    } else yield { setting, config: { ...config, distil: { ...distil, memory } } };
  }
  for (const batch of halves(distil.batch)) {
    yield { setting: `distil.batch=${batch}`, config: { ...config, distil: { ...distil, batch } } };
  }
}

function* evaluateRemedies(config: Config): Generator<Remedy> {
  const { evaluate } = config;
  const { allData } = evaluate;
  const ofAll = (batch: number) => `evaluate.allData.batch=${batch}`;
  const ofSets = (batch: number) => `evaluate.batch=${batch}`;
  for (const batch of halves(allData.batch)) {
    const changed = { ...evaluate, allData: { ...allData, batch } };
    yield { setting: ofAll(batch), config: { ...config, evaluate: changed } };
  }
  for (const batch of halves(evaluate.batch)) {
    yield { setting: ofSets(batch), config: { ...config, evaluate: { ...evaluate, batch } } };
  }
  // Where either alone is too large.
  const smaller = [...halves(evaluate.batch)];
  for (const [k, batch] of [...halves(allData.batch)].entries()) {
    const small = smaller[Math.min(k, smaller.length - 1)];
    if (small === undefined) return;
    const changed = { ...evaluate, batch: small, allData: { ...allData, batch } };
    yield { setting: together(ofSets(small), ofAll(batch)), config: { ...config, evaluate: changed } };
  }
}

/** Ways to make a stage fit a device, in the order in which they are worth trying. */
export function* remediesOf(stage: StageName, config: Config): Generator<Remedy> {
  const { teacher, experts, selfSupervised } = config;
  switch (stage) {
    case 'teacher':
      for (const batch of halves(teacher.batch)) {
        yield { setting: `teacher.batch=${batch}`, config: { ...config, teacher: { ...teacher, batch } } };
      }
      break;
    case 'experts':
      for (const batch of halves(experts.batch)) {
        yield { setting: `experts.batch=${batch}`, config: { ...config, experts: { ...experts, batch } } };
      }
      break;
    case 'distil':
      yield* distilRemedies(config);
      break;
    case 'selfSupervisedExperts':
      for (const batch of halves(selfSupervised.experts.batch)) {
        const changed = { ...selfSupervised, experts: { ...selfSupervised.experts, batch } };
        yield {
          setting: `selfSupervised.experts.batch=${batch}`,
          config: { ...config, selfSupervised: changed },
        };
      }
      break;
    case 'selfSupervised':
      for (const batch of halves(selfSupervised.batch)) {
        const changed = { ...selfSupervised, batch };
        yield { setting: `selfSupervised.batch=${batch}`, config: { ...config, selfSupervised: changed } };
      }
      break;
    case 'evaluate':
      yield* evaluateRemedies(config);
      break;
    default:
  }
}
