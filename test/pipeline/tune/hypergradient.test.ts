/** What a tuning does to the bits of a hypergradient, through the kernels and the unroll. */
import { afterEach, expect, it } from 'vitest';
import { targetOf } from '../../../src/autograd/compile/plan.js';
import { launchKey } from '../../../src/autograd/tune/units.js';
import type { AdapterDescription } from '../../../src/gpu/device.js';
import {
  joinOverrides,
  type TuningOverrides,
  tableOf,
  useTuning,
} from '../../../src/kernels/deviceTuning.js';
import { tuningGroups } from '../../../src/kernels/tuningCandidates.js';
import { expectNear } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { plain, reverseTape, values } from '../../support/tinyUnroll.js';
import { runUnroll } from '../../support/unroll.js';

const device = useDevice();
afterEach(async () => useTuning(await device(), null));

/** The first and the last candidate of every group together, so that every block size differs from the table's. */
const extremes = (kind: AdapterDescription['kind']): TuningOverrides[] =>
  [0, -1].map((place) =>
    Object.values(tuningGroups)
      .map(({ candidates }) => Object.values(candidates[kind]).at(place)!)
      .reduce(joinOverrides, {}),
  );

it('gives the same hypergradient within rounding on a tuned device, and the same bits once it is not', async () => {
  const opened = await device();
  const launches = () => launchKey(reverseTape(), targetOf(opened));
  const usualLaunches = launches();
  const usual = await runUnroll(opened, plain, values);
  for (const overrides of extremes(opened.adapter.kind)) {
    expect(overrides.parallelism).not.toBe(tableOf(opened).parallelism);
    useTuning(opened, overrides);
    const tuned = await runUnroll(opened, plain, values);
    expectNear([tuned.loss], [usual.loss]);
    expectNear(tuned.adjointAtStart, usual.adjointAtStart);
    for (const [name, gradient] of Object.entries(usual.gradients)) {
      expectNear(tuned.gradients[name]!, gradient, undefined, `the gradient by ${name}`);
    }
    expect(launches()).not.toBe(usualLaunches);
  }
  useTuning(opened, null);
  expect(await runUnroll(opened, plain, values)).toEqual(usual);
});
