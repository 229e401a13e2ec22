/** `hypergrad study horizon`. */
import { mean } from 'simple-statistics';
import { ConfigError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import { duration, significant } from '../report/wording.js';
import {
  type HorizonDistillation,
  type HorizonSettings,
  type HorizonStudy,
  horizonSteps,
  measureHorizon,
} from './horizon.js';
import { type LinePoint, lineChart } from './lineChart.js';
import type { StudyFigure, StudyTable } from './page.js';
import type { Study } from './study.js';

/** A minute or two on two cores for small images. */
export const defaultHorizon: HorizonSettings = {
  steps: [5, 10, 20],
  expertEpochs: [1, 2, 3],
  draws: 3,
  iterations: 20,
};

/** Iterations that the reached loss is a mean of, at most. */
const REACHED_OVER = 5;

/** A cosine that a truncated gradient should have: half as long a way back is worth having from there. */
const NEARLY = 0.9;

/** @throws ConfigError when the experts' trajectories are too short, or a number is too small. */
export function checkHorizon(settings: HorizonSettings, { experts, distil }: Config): void {
  const { steps, expertEpochs, draws, iterations } = settings;
  for (const [name, values] of [
    ['--steps', steps],
    ['--expert-epochs', expertEpochs],
    ['--draws', [draws]],
    ['--iterations', [iterations]],
  ] as const) {
    for (const value of values) {
      if (value < 1) throw new ConfigError(`${name} ${value} must be at least 1.`);
    }
  }
  const most = Math.max(...expertEpochs);
  if (most + distil.startEpochs - 1 > experts.epochs) {
    throw new ConfigError(
      `--expert-epochs ${most} must leave expertEpochs + startEpochs − 1 = ${most + distil.startEpochs - 1} within experts.epochs = ${experts.epochs}; ` +
        `lower it or distil.startEpochs = ${distil.startEpochs}, or train the experts longer.`,
    );
  }
}

const reached = ({ losses }: HorizonDistillation): number => mean(losses.slice(-REACHED_OVER));
const firstOf = ({ losses }: HorizonDistillation): number => mean(losses.slice(0, REACHED_OVER));

/** Fewest last steps whose gradient points nearly as the exact one. */
const nearlyExact = (cosines: readonly number[]): number =>
  cosines.findIndex((cosine) => cosine >= NEARLY) + 1;

function tables(
  { gradients, distillations }: HorizonStudy,
  { draws, iterations }: HorizonSettings,
): StudyTable[] {
  return [
    {
      title: 'The gradient at the start',
      head: ['N', 'M', 'loss', '‖by pixels‖', '‖by targets‖', '|by α|', `k for ${NEARLY}`, '‖λ₀‖/‖λ_N‖'],
      body: gradients.map((row) => [
        String(row.steps),
        String(row.expertEpochs),
        significant(row.loss),
        significant(row.norms.images),
        significant(row.norms.targets),
        significant(row.norms.learningRate),
        String(nearlyExact(row.cosines)),
        significant(row.adjoints[0]!),
      ]),
      caption:
        `Trajectory loss and norms of its gradients with N inner steps and M expert epochs, means over ${draws} starts; the fewest last steps k whose ` +
        `truncated pixel gradient has a cosine of ${NEARLY} to the exact one; and the adjoint's norm at θ₀ over that at θ_N.`,
    },
    {
      title: 'Short distillations',
      head: ['N', 'M', 'loss at first', 'loss reached', 'α', 'time'],
      body: distillations.map((row) => [
        String(row.steps),
        String(row.expertEpochs),
        significant(firstOf(row)),
        significant(reached(row)),
        significant(row.innerStep),
        duration(row.seconds),
      ]),
      caption:
        `${iterations} iterations each, from the same images and with the same experts and start epochs. Losses are means over ${REACHED_OVER} iterations; ` +
        'those of different M are distances to different targets.',
    },
  ];
}

function figures(
  { gradients, distillations }: HorizonStudy,
  { steps, expertEpochs }: HorizonSettings,
): StudyFigure[] {
  const most = Math.max(...expertEpochs);
  const atMost = gradients.filter((row) => row.expertEpochs === most);
  const curves = (
    values: (row: (typeof atMost)[number]) => readonly (readonly [x: number, y: number])[],
  ): LinePoint[] =>
    atMost.flatMap((row) => values(row).map(([x, y]) => ({ x, y, series: `N = ${row.steps}` })));
  return [
    {
      file: 'truncation',
      spec: lineChart({
        description:
          'Cosine of the truncated gradient to the exact one by the number of steps that it goes back.',
        x: 'Last steps k',
        y: 'Cosine to the exact gradient',
        points: curves(({ cosines }) => cosines.map((cosine, k) => [k + 1, cosine])),
      }),
      caption: `What truncation to the last k of N steps leaves of the pixels' gradient (M = ${most}).`,
    },
    {
      file: 'adjoints',
      spec: lineChart({
        description: 'Norm of the adjoint at every inner step, relative to the last one.',
        x: 'Steps before the end',
        y: '‖λ_n‖ / ‖λ_N‖',
        logY: true,
        points: curves((row) => row.adjoints.map((norm, n) => [row.steps - n, norm])),
      }),
      caption: `The adjoint on its way back through N steps (M = ${most}): where it falls, early steps hardly count.`,
    },
    {
      file: 'distillations',
      spec: lineChart({
        description: 'Trajectory loss that short distillations reach, by the number of inner steps.',
        x: 'Inner steps N',
        y: 'Trajectory loss reached',
        points: distillations.map((row) => ({
          x: row.steps,
          y: reached(row),
          series: `M = ${row.expertEpochs}`,
        })),
      }),
      caption: `Where short distillations come to with ${steps.length === 1 ? 'this' : 'these'} N, for each M.`,
    },
  ];
}

function findings({ gradients, distillations }: HorizonStudy): string[] {
  const longest = Math.max(...gradients.map(({ steps }) => steps));
  const row = gradients.filter(({ steps }) => steps === longest).at(-1)!;
  const half = Math.ceil(longest / 2);
  const best = distillations.reduce((a, b) => (reached(b) < reached(a) ? b : a));
  return [
    `Through N = ${longest} steps to M = ${row.expertEpochs} expert epochs, the gradient of the last ${half} steps has a cosine of ${significant(row.cosines[half - 1]!)} to the exact one, and that of the last step alone ${significant(row.cosines[0]!)}.`,
    `The adjoint's norm at the start is ${significant(row.adjoints[0]!)} times that at the end.`,
    `The lowest loss reached is ${significant(reached(best))}, with N = ${best.steps} and M = ${best.expertEpochs}.`,
  ];
}

export const horizonStudy: Study<HorizonSettings, HorizonStudy> = {
  name: 'horizon',
  after: ['teacher', 'targets', 'experts', 'subset'],
  reads: ({ teacher, student, experts, distil }: Config) => ({ teacher, student, experts, distil }),
  steps: horizonSteps,
  unit: 'hypergradients',
  async measure(context, settings) {
    checkHorizon(settings, context.config);
    return await measureHorizon(context, settings);
  },
  present: (found, settings) => ({
    title: 'Horizon: inner steps, expert epochs and truncation',
    findings: findings(found),
    tables: tables(found, settings),
    figures: figures(found, settings),
  }),
};
