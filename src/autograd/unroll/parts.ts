/** Makes what an unrolled training is made of: memory that its plans share, the plans, and the slots of the path. */
import { type BufferRange, BYTES, uploadRange } from '../compile/bufferRange.js';
import { compile, type Plan } from '../compile/plan.js';
import { type CompiledSteps, compileSteps } from './memoryModes.js';
import { Observer } from './observer.js';
import { checkOptions, defaultWrt, pathWeightsOf, type UnrollOptions } from './options.js';
import { trajectoryLoss } from './problem.js';
import { allocateShared, releaseShared, type SharedMemory, sharedBytes } from './sharedMemory.js';
import { Slots } from './slots.js';
import { addWeightedTape, checkDescription, onTape, outerTape, type StepDescription } from './tapes.js';

/** All that an unroll owns; `release` gives it back. */
export interface Parts {
  readonly options: UnrollOptions;
  readonly description: StepDescription;
  readonly shared: SharedMemory;
  readonly steps: CompiledSteps;
  readonly outer: Plan;
  readonly addWeighted: Plan;
  readonly observer: Observer;
  /** The state before each step that the way back reaches, and after the last one. */
  readonly path: Slots;
  /** N inner losses, then N outer ones. */
  readonly losses: Slots;
  /** w_1 … w_N. */
  readonly weights: BufferRange;
  /** Bytes of device memory held. */
  readonly memory: number;
  release(): void;
}

/** What is given back in the end, with its bytes of device memory. */
interface Owned {
  readonly memory: number;
  release(): void;
}

/**
 * @throws ShapeError and DeviceError as `Unroll.create` says; nothing stays allocated then.
 */
export async function buildParts(options: UnrollOptions): Promise<Parts> {
  checkOptions(options, options.batchSizes, options);
  const { device, problem, optimiser, steps, truncate = steps, perStep = [], observe = [] } = options;
  const wrt = options.wrt ?? defaultWrt(options);
  const description: StepDescription = { problem, optimiser, perStep, wrt };
  checkDescription(description);
  const batchSizes = [...new Set(options.batchSizes)];
  const owned: Owned[] = [];
  const own = <Kind extends Owned>(part: Kind): Kind => {
    owned.push(part);
    return part;
  };
  const held = (): number => owned.reduce((total, { memory }) => total + memory, 0);
  const release = (): void => {
    for (const part of owned) part.release();
  };
  try {
    const shared = allocateShared(device, description, steps);
    own({ memory: sharedBytes(shared), release: () => releaseShared(device, shared) });
    const path = own(new Slots(device, truncate + 1, shared.stateBytes, 'unroll.path'));
    const losses = own(new Slots(device, 2 * steps, BYTES, 'unroll.losses'));
    const weights = uploadRange(device, Float32Array.from(pathWeightsOf(options)), 'unroll.pathWeights');
    own({ memory: weights.buffer.size, release: () => device.releaseBuffer(weights.buffer) });

    const objective = options.outer ?? trajectoryLoss(problem.parameters);
    const outer = own(
      await compile(outerTape(objective, problem.parameters), device, {
        label: 'outerObjective',
        inputs: { theta: shared.onTape[onTape.state('theta')]! },
      }),
    );
    const addWeighted = own(
      await compile(addWeightedTape(problem.parameters), device, {
        label: 'addWeighted',
        inputs: { adjoint: shared.onTape[onTape.adjoint('theta')]!, gradient: outer.outputs.gradient! },
        carry: { adjoint: 'adjoint' },
      }),
    );
    const firstStep = steps - truncate;
    const observer = own(
      await Observer.create({ device, description, shared, steps, firstStep, observe }, batchSizes),
    );
    const observed = observe.includes('contributions') ? wrt : [];
    const compiled = own(
      await compileSteps(
        { device, description, shared: shared.onTape, observed, storage: options.storage ?? 'float32' },
        { batchSizes, steps, truncate, memory: options.memory ?? 'recompute', held: held() },
      ),
    );
    return {
      options,
      description,
      shared,
      steps: compiled,
      outer,
      addWeighted,
      observer,
      path,
      losses,
      weights,
      memory: held(),
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}
