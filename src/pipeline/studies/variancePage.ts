/** The variance study in words, tables and figures. */
import { significant } from '../report/wording.js';
import { lineChart } from './lineChart.js';
import type { StudyFigure, StudyTable } from './page.js';
import {
  type GradientNoise,
  type ObjectiveName,
  objectiveNames,
  type TrajectoryNoise,
  type VarianceSettings,
  type VarianceStudy,
} from './variance.js';

const lossNames: Readonly<Record<ObjectiveName, string>> = {
  selfSupervised: 'self-supervised loss',
  distillation: 'distillation loss',
};

const overNames: Readonly<Record<TrajectoryNoise['over'], string>> = {
  orders: 'other batch orders',
  starts: 'other initialisations',
};

const UNKNOWN = 'not discernible';
const number = (value: number | null): string => (value === null ? UNKNOWN : significant(value));

const moment = (step: number): string => (step === 0 ? 'at the start' : `after ${step} steps`);

function ratioText({ ratio, ratioError }: GradientNoise): string {
  return ratioError === null ? number(ratio) : `${number(ratio)} ± ${significant(ratioError)}`;
}

export function gradientTable({ gradients }: VarianceStudy, { batches }: VarianceSettings): StudyTable {
  return {
    title: 'Gradients of random batches',
    head: ['Loss', 'parameters', 'batch', 'variance / ‖mean‖²', 'mean cosine'],
    body: gradients.map((row) => [
      lossNames[row.objective],
      moment(row.step),
      String(row.batchSize),
      ratioText(row),
      number(row.cosine),
    ]),
    caption:
      `The gradient by the student's parameters of ${batches} random batches at fixed parameters: E‖g − ḡ‖²/‖ḡ‖² from unbiased ` +
      'estimates of both, ± its standard error (jackknife), and the mean cosine between two batches’ gradients.',
  };
}

export function trajectoryTable(study: VarianceStudy, { trajectories }: VarianceSettings): StudyTable {
  const last = Math.max(...study.trajectories.map(({ step }) => step));
  return {
    title: 'Whole trainings',
    head: ['Loss', 'compared', 'steps', 'length', 'divergence', 'mean cosine'],
    body: study.trajectories
      .filter(({ step }) => step === last)
      .map((row) => [
        lossNames[row.objective],
        overNames[row.over],
        String(row.step),
        significant(row.length),
        number(row.divergence),
        number(row.cosine),
      ]),
    caption:
      `${trajectories} trainings each. Length: ‖θ_t − θ_0‖/‖θ_0‖. Divergence: mean ‖d_a − d_b‖² over pairs by mean ‖d‖², d = θ_t − θ_0; ` +
      '0 where all go one way, 2 where they share no direction. Cosine: between two displacements.',
  };
}

export function varianceFigures({ gradients, trajectories }: VarianceStudy): StudyFigure[] {
  return [
    {
      file: 'gradients',
      spec: lineChart({
        description:
          'Noise-to-signal ratio of mini-batch gradients by the size of the batch, under both losses.',
        x: 'Batch size',
        y: 'Variance / ‖mean‖²',
        logX: true,
        logY: true,
        points: gradients.map(({ objective, step, batchSize, ratio }) => ({
          x: batchSize,
          y: ratio,
          series: lossNames[objective],
          kind: moment(step),
        })),
      }),
      caption:
        'Noise-to-signal ratio of the gradient by the size of the batch. What is not discernible from so few batches is left out.',
    },
    {
      file: 'trajectories',
      spec: lineChart({
        description: 'How far trainings come apart along training, under both losses.',
        x: 'Step',
        y: 'Divergence',
        logX: true,
        level: 2,
        points: trajectories.map(({ objective, over, step, divergence }) => ({
          x: step,
          y: divergence,
          series: lossNames[objective],
          kind: overNames[over],
        })),
      }),
      caption:
        'Divergence of trainings along the way; 2 (the faint line) means that they share no direction.',
    },
  ];
}

/** The comparison in sentences: whichever loss has the larger variance is named, and by how much. */
export function varianceFindings({ gradients, trajectories }: VarianceStudy): string[] {
  const found: string[] = [];
  const last = (
    rows: readonly { readonly objective: ObjectiveName; readonly step: number }[],
    name: ObjectiveName,
  ) => Math.max(...rows.filter(({ objective }) => objective === name).map(({ step }) => step));
  for (const isStart of [true, false]) {
    const sizes = gradients.map(({ batchSize }) => batchSize);
    const largest = Math.max(...sizes);
    const [ssl, distilled] = objectiveNames.map((name) =>
      gradients.find(
        (row) =>
          row.objective === name &&
          row.batchSize === largest &&
          row.step === (isStart ? 0 : last(gradients, name)),
      ),
    );
    if (ssl === undefined || distilled === undefined) continue;
    const when = isStart ? 'At the start' : `After ${ssl.step} steps of training`;
    const context = `${when}, the variance of gradients of batches of ${largest} is ${number(ssl.ratio)} times ‖mean‖² under the self-supervised loss, and ${number(distilled.ratio)} times under the distillation loss`;
    found.push(
      ssl.ratio !== null && distilled.ratio !== null && distilled.ratio > 0
        ? `${context}: ${compare(ssl.ratio / distilled.ratio)}.`
        : `${context}.`,
    );
  }
  const [ssl, distilled] = objectiveNames.map((name) =>
    trajectories.find(
      ({ objective, over, step }) =>
        objective === name && over === 'orders' && step === last(trajectories, name),
    ),
  );
  if (ssl !== undefined && distilled !== undefined) {
    found.push(
      `From one start, other orders of the batches end with a divergence of ${number(ssl.divergence)} under the self-supervised loss, and of ${number(distilled.divergence)} under the distillation loss (2 where trainings share no direction).`,
    );
  }
  return found;
}

const compare = (factor: number): string =>
  factor >= 1
    ? `${significant(factor)} times as large under the self-supervised loss`
    : `${significant(1 / factor)} times as large under the distillation loss`;
