/** Settings under which a stage takes less device memory, the mildest first. */
import type { Config } from '../config/schema.js';
import type { StageName } from '../progress.js';

/** A configuration that takes less, and the setting by which it differs, as `--set` takes it. */
export interface Remedy {
  readonly setting: string;
  readonly config: Config;
}

/** A batch is halved until it is this small. */
const SMALLEST_BATCH = 8;

function* halves(batch: number): Generator<number> {
  for (let size = batch >> 1; size >= SMALLEST_BATCH; size >>= 1) yield size;
}

/** Ways to make a stage fit a device, in the order in which they are worth trying. */
export function* remediesOf(stage: StageName, config: Config): Generator<Remedy> {
  const { teacher, experts, distil, evaluate } = config;
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
      // Other ways to come by the same intermediates: the same gradient, for more time.
      for (const memory of ['mixed', 'recompute'] as const) {
        if (distil.memory === memory || distil.memory === 'recompute') continue;
        yield { setting: `distil.memory=${memory}`, config: { ...config, distil: { ...distil, memory } } };
      }
      for (const batch of halves(distil.batch)) {
        yield { setting: `distil.batch=${batch}`, config: { ...config, distil: { ...distil, batch } } };
      }
      break;
    case 'evaluate':
      for (const batch of halves(evaluate.allData.batch)) {
        const allData = { ...evaluate.allData, batch };
        yield {
          setting: `evaluate.allData.batch=${batch}`,
          config: { ...config, evaluate: { ...evaluate, allData } },
        };
      }
      for (const batch of halves(evaluate.batch)) {
        yield {
          setting: `evaluate.batch=${batch}`,
          config: { ...config, evaluate: { ...evaluate, batch } },
        };
      }
      break;
    default:
  }
}
