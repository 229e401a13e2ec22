/** Everything that `hypergrad gradcheck` finds, as one plain value. */
import { truncationCosines } from '../../autograd/unroll/observer.js';
import type { AdapterDescription, Device } from '../../gpu/device.js';
import { runOnDevice } from './deviceRun.js';
import { checkMemory, checkModes, type MemoryCheck, type ModeCheck } from './modes.js';
import { checkNested, type NestedCheck } from './nested.js';
import { checkPrecision, type GradientCheck } from './precision.js';
import { checkProblem } from './problem.js';
import type { CheckSettings, FittedSettings } from './settings.js';

/** What one run's observation shows; cosines are of the pixel gradient truncated to the last k steps, k from 1 to N. */
export interface TruncationView {
  readonly cosines: readonly number[];
  /** ‖λ_n‖ for n from 0 to N. */
  readonly adjointNorms: readonly number[];
}

export interface Gradcheck {
  readonly adapter: AdapterDescription;
  readonly settings: CheckSettings;
  readonly asked: FittedSettings['asked'];
  readonly nested: NestedCheck;
  readonly gradients: readonly GradientCheck[];
  readonly modes: readonly ModeCheck[];
  readonly memory: MemoryCheck;
  readonly truncation: TruncationView;
  readonly agrees: boolean;
}

export const sections = ['nested', 'gradients', 'modes', 'memory', 'truncation'] as const;
export type Section = (typeof sections)[number];

/** @param begin told of every part before it starts */
export async function gradcheck(
  device: Device,
  { settings, asked }: FittedSettings,
  begin: (section: Section) => void = () => {},
): Promise<Gradcheck> {
  const problem = checkProblem(settings);
  begin('nested');
  const nested = await checkNested(device, problem);
  begin('gradients');
  const gradients = await checkPrecision(device, problem);
  begin('modes');
  const modes = await checkModes(device, problem);
  begin('memory');
  const memory = await checkMemory(device, problem);
  begin('truncation');
  const { observation } = await runOnDevice(device, problem, { observe: ['adjointNorms', 'contributions'] });
  const truncation = {
    cosines: [...truncationCosines(observation.contributions!.images!)],
    adjointNorms: [...observation.adjointNorms!],
  };
  const found = { adapter: device.adapter, settings, asked, nested, gradients, modes, memory, truncation };
  return { ...found, agrees: allAgree(found) };
}

/** Whether every comparison is within what is allowed, and nothing that must not be zero is. */
export function allAgree({
  nested,
  gradients,
  modes,
  memory,
}: Pick<Gradcheck, 'nested' | 'gradients' | 'modes' | 'memory'>): boolean {
  const comparisons = [
    nested.device,
    nested.differences,
    ...gradients.flatMap(({ device, differences }) => [device, differences]),
    ...modes.map(({ difference }) => difference),
    memory.restPerStep,
  ];
  return (
    comparisons.every(({ agrees }) => agrees) &&
    nested.norm > 0 &&
    nested.refusal !== '' &&
    gradients.every((gradient) => gradient.norm > 0) &&
    memory.isWithinBudget
  );
}
