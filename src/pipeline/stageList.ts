/** The stages of a run as data: what each reads, what it stands behind, and who does its work. */
import { matchesSelfSupervised } from './config/rules.js';
import type { Config } from './config/schema.js';
import type { Dataset } from './data/dataset.js';
import { encoderCount, shareSize } from './evaluate/evaluateEncoders.js';
import { shareOf } from './evaluate/shares.js';
import type { Parts } from './parts.js';
import type { StageName } from './progress.js';
import type { StageContext } from './stages/context.js';
import { distil } from './stages/distil.js';
import { evaluate, evaluatePart } from './stages/evaluate.js';
import { chooseSubset, expertParts, trainExpertPart, trainExperts } from './stages/experts.js';
import { distilSelfSupervised } from './stages/selfSupervised.js';
import { trainSelfSupervisedExperts } from './stages/selfSupervisedExperts.js';
import { computeTargets } from './stages/targets.js';
import { trainTeacher } from './stages/teacher.js';

/** One stage of a run. */
export interface Stage {
  readonly name: Exclude<StageName, 'report'>;
  /** Whether a run of this configuration has the stage at all; every run has, by default. */
  readonly when?: (config: Config) => boolean;
  /** What of the configuration the stage reads, beside the seed and the data. */
  readonly reads: (config: Config) => unknown;
  /**
   * What the fields of that are called in the configuration, by their place in it; those that are not named are called as they
   * are. A change of settings is told by these names.
   */
  readonly settings?: Readonly<Record<string, string>>;
  /** Names of its parts, where it keeps them one by one. */
  readonly parts?: (config: Config) => string[];
  /** What each of its parts reads of it, where it keeps them one by one; as the stage itself by default. */
  readonly partReads?: (config: Config) => unknown;
  /** The stages whose artefacts it reads. */
  readonly after: readonly StageName[];
  readonly steps: (config: Config, dataset: Dataset) => number;
  /** The same, where the configuration alone tells them. */
  readonly stepsByConfig?: (config: Config) => number;
  readonly unit: string;
  /** Whether it keeps no checkpoints: it can be stopped wherever it tells how far it is, and begins anew then. */
  readonly beginsAnew?: true;
  /** Whether it tells the events of its finished parts again when it goes on. */
  readonly tellsAgain?: true;
  /** Does the work and names the files that it wrote. */
  readonly run: (context: StageContext & { readonly parts: Parts }) => Promise<string[]>;
  /** One part of it alone, where jobs of their own can make its parts: in a folder that holds no other. */
  readonly part?: {
    readonly steps: (config: Config, dataset: Dataset, part: string) => number;
    /** Does the part's work and names the files that it wrote. */
    readonly run: (context: StageContext, part: string) => Promise<string[]>;
  };
}

/** Steps that the configuration alone tells. */
const byConfig = (steps: (config: Config) => number): Pick<Stage, 'steps' | 'stepsByConfig'> => ({
  steps,
  stepsByConfig: steps,
});

const modelsOf = ({ teacher, student }: Pick<Config, 'teacher' | 'student'>): unknown => ({
  teacher: {
    architecture: teacher.architecture,
    depth: teacher.depth,
    width: teacher.width,
    representation: teacher.representation,
  },
  student,
});

/** All stages but the report, in order. */
export const stages: readonly Stage[] = [
  {
    name: 'teacher',
    reads: ({ teacher, targets }) => (targets.from === null ? teacher : null),
    settings: { '': 'teacher' },
    after: [],
    ...byConfig(({ teacher }) => teacher.steps),
    unit: 'steps',
    when: ({ targets }) => targets.from === null,
    run: trainTeacher,
  },
  {
    name: 'targets',
    reads: modelsOf,
    after: ['teacher'],
    steps: (_, { train, test }) => train.count + test.count,
    unit: 'images',
    run: computeTargets,
  },
  {
    name: 'experts',
    reads: (config) => ({ experts: config.experts, models: modelsOf(config) }),
    // Not how many there are: more can be trained later.
    partReads: ({ experts: { count: _, ...experts }, ...config }) => ({ experts, models: modelsOf(config) }),
    after: ['targets'],
    parts: expertParts,
    ...byConfig(({ experts }) => experts.count * experts.epochs),
    unit: 'epochs',
    tellsAgain: true,
    run: trainExperts,
    part: { steps: ({ experts }) => experts.epochs, run: trainExpertPart },
  },
  {
    name: 'subset',
    settings: { experts: 'experts.count' },
    reads: (config) => ({ subset: config.subset, experts: config.experts.count, models: modelsOf(config) }),
    after: ['targets', 'experts'],
    ...byConfig(({ experts }) => experts.count),
    unit: 'experts',
    run: chooseSubset,
  },
  {
    name: 'distil',
    settings: { experts: 'experts.count' },
    reads: (config) => ({ distil: config.distil, experts: config.experts.count, models: modelsOf(config) }),
    after: ['targets', 'experts', 'subset'],
    ...byConfig(({ distil }) => distil.iterations),
    unit: 'iterations',
    run: distil,
  },
  {
    name: 'selfSupervisedExperts',
    when: matchesSelfSupervised,
    settings: { experts: 'selfSupervised.experts' },
    reads: (config) => ({
      experts: config.selfSupervised.experts,
      teacher: config.teacher,
      models: modelsOf(config),
    }),
    after: [],
    ...byConfig(({ selfSupervised: { experts } }) => experts.count * experts.epochs),
    unit: 'epochs',
    run: trainSelfSupervisedExperts,
  },
  {
    name: 'selfSupervised',
    when: matchesSelfSupervised,
    settings: { momentum: 'distil.momentum' },
    reads: (config) => ({
      selfSupervised: config.selfSupervised,
      momentum: config.distil.momentum,
      teacher: config.teacher,
      models: modelsOf(config),
    }),
    after: ['subset', 'selfSupervisedExperts'],
    ...byConfig(({ selfSupervised }) => selfSupervised.iterations),
    unit: 'iterations',
    run: distilSelfSupervised,
  },
  {
    name: 'evaluate',
    reads: (config) => ({
      evaluate: config.evaluate,
      models: modelsOf(config),
      // The row trains by the teacher's loss.
      ...(matchesSelfSupervised(config) ? { teacher: config.teacher } : {}),
    }),
    after: ['targets', 'subset', 'distil', 'selfSupervised'],
    steps: ({ evaluate }, dataset) => encoderCount(evaluate, dataset),
    unit: 'encoders',
    run: evaluate,
    part: {
      steps: (config, dataset, part) => shareSize(config, dataset, shareOf(part)),
      run: evaluatePart,
    },
  },
];

/** The stages that a run of this configuration has, in order. */
export const stagesOf = (config: Config): Stage[] => stages.filter(({ when }) => when?.(config) ?? true);
