/** A distillation that can be stepped, left and gone on with: the outer loop of a run over what `prepare` made. */
import type { Device } from '../../src/gpu/device.js';
import type { Checkpoint } from '../../src/pipeline/checkpoints.js';
import type { Config } from '../../src/pipeline/config/schema.js';
import type { Dataset } from '../../src/pipeline/data/dataset.js';
import { studentModel } from '../../src/pipeline/stages/context.js';
import { drawBatches, drawStart, startEpochsAt } from '../../src/pipeline/stages/draws.js';
import { innerProblem } from '../../src/pipeline/stages/innerProblem.js';
import { OuterLoop, type OuterStep } from '../../src/pipeline/stages/outerLoop.js';
import type { SyntheticSet } from '../../src/pipeline/stages/syntheticTensors.js';
import type { IterationRecord } from '../protocol.js';
import type { Prepared } from './prepare.js';

/** What a distillation goes on from. */
export interface Kept {
  readonly records: readonly IterationRecord[];
  /** Null before the first iteration. */
  readonly checkpoint: Checkpoint | null;
}

export const nothingKept: Kept = { records: [], checkpoint: null };

/** What the iteration of this number draws, and the checkpoints that it is to lead from and to. */
export function outerStep(
  config: Config,
  dataset: Dataset,
  { experts, start }: Pick<Prepared, 'experts' | 'start'>,
  iteration: number,
): OuterStep {
  const { seed, distil } = config;
  const { total } = studentModel({ config, dataset }).parameters;
  const { expert, startEpoch } = drawStart(seed, iteration, experts.length, startEpochsAt(distil, iteration));
  const checkpoint = (epoch: number): Float32Array =>
    experts[expert]!.slice(epoch * total, (epoch + 1) * total);
  return {
    from: checkpoint(startEpoch),
    to: checkpoint(startEpoch + distil.expertEpochs),
    batches: drawBatches(seed, iteration, start.count, distil.batch, distil.steps),
  };
}

/** Owns the device memory of a distillation; give it back with `release`. */
export class Distillation {
  readonly #config: Config;
  readonly #dataset: Dataset;
  readonly #prepared: Prepared;
  readonly #loop: OuterLoop;
  readonly #records: IterationRecord[];

  private constructor(
    config: Config,
    dataset: Dataset,
    prepared: Prepared,
    loop: OuterLoop,
    records: readonly IterationRecord[],
  ) {
    this.#config = config;
    this.#dataset = dataset;
    this.#prepared = prepared;
    this.#loop = loop;
    this.#records = [...records];
  }

  static async create(
    device: Device,
    config: Config,
    dataset: Dataset,
    prepared: Prepared,
    { records, checkpoint }: Kept = nothingKept,
  ): Promise<Distillation> {
    const { start } = prepared;
    const problem = innerProblem(studentModel({ config, dataset }), dataset.image, start.count);
    const loop = await OuterLoop.create({ device, problem, settings: config.distil, start });
    if (checkpoint !== null) loop.restore(checkpoint);
    return new Distillation(config, dataset, prepared, loop, records.slice(0, checkpoint?.done ?? 0));
  }

  get records(): readonly IterationRecord[] {
    return this.#records;
  }

  get isDone(): boolean {
    return this.#records.length >= this.#config.distil.iterations;
  }

  /** One iteration. */
  async step(): Promise<IterationRecord> {
    const iteration = this.#records.length;
    const { loss, innerStep } = await this.#loop.step(
      outerStep(this.#config, this.#dataset, this.#prepared, iteration),
    );
    const record = { iteration, loss, innerStep };
    this.#records.push(record);
    return record;
  }

  /** The set as it is. */
  async read(): Promise<SyntheticSet> {
    return await this.#loop.read();
  }

  /** What another distillation of the same settings goes on from. */
  async keep(): Promise<Kept> {
    const done = this.#records.length;
    if (done === 0) return nothingKept;
    return { records: [...this.#records], checkpoint: { done, ...(await this.#loop.capture()) } };
  }

  release(): void {
    this.#loop.release();
  }
}
