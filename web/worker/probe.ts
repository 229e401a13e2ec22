/** What students are worth that were trained on the set at hand, and on others: the evaluation of a run. */
import type { Device } from '../../src/gpu/device.js';
import type { Config } from '../../src/pipeline/config/schema.js';
import { evaluateEncoders } from '../../src/pipeline/evaluate/evaluateEncoders.js';
import { summariseTable } from '../../src/pipeline/evaluate/summary.js';
import type { ResultRow } from '../../src/pipeline/report/types.js';
import { studentModel } from '../../src/pipeline/stages/context.js';
import type { SyntheticSet } from '../../src/pipeline/stages/syntheticTensors.js';
import type { Material, Prepared, Told } from './prepare.js';

interface Probed {
  readonly device: Device;
  readonly config: Config;
  readonly material: Material;
  readonly prepared: Prepared;
  readonly set: SyntheticSet;
  /** Students of each kind. */
  readonly seeds: number;
}

/** Trains fresh students on several sets, and probes what they have learnt. */
export async function probeSet(
  { device, config, material: { dataset }, prepared, set, seeds }: Probed,
  tell: Told,
): Promise<readonly ResultRow[]> {
  const { images, targets, innerStep } = set;
  const { count } = prepared.start;
  const total = seeds * config.evaluate.rows.length;
  tell('Probing', 0, total);
  const evaluation = await evaluateEncoders({
    device,
    config: { ...config, evaluate: { ...config.evaluate, seeds } },
    dataset,
    representations: prepared.targets,
    source: { images: dataset.train, targets: prepared.targets.train, count: dataset.train.count },
    synthetic: { images, targets, count, innerStep },
    selfSupervised: null,
    highLoss: prepared.hardest.slice(0, count),
    representation: studentModel({ config, dataset }).outputCount,
    advance: (done) => tell('Probing', done, total),
  });
  return summariseTable(evaluation).rows;
}
