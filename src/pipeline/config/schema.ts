/**
 * The configuration: one schema that holds every field's meaning, default and range, a section a file in `sections`. The rules
 * that tie fields together are `rules.ts`; where values come from (presets, files, `--set`) is `resolve.ts`.
 */
import type { z } from 'zod';
import { section, wholeNumber } from './fields.js';
import { crossChecks } from './rules.js';
import { data } from './sections/data.js';
import { distil } from './sections/distil.js';
import { evaluate } from './sections/evaluate.js';
import { experts, student, subset } from './sections/experts.js';
import { selfSupervised } from './sections/selfSupervised.js';
import { targets } from './sections/targets.js';
import { teacher } from './sections/teacher.js';

const fields = section({
  /** Names every stream of random numbers of the run. */
  seed: wholeNumber(0, 0xffff_ffff)
    .default(1)
    .describe('Names every random stream of the run: the same seed gives the same bits.'),
  /** Which images are used. */
  data: data.prefault({}),
  /** The encoder whose representations are regressed, and its training. */
  teacher: teacher.prefault({}),
  /** The representations that are regressed. */
  targets: targets.prefault({}),
  /** The encoder that is distilled for. */
  student: student.prefault({}),
  /** The students whose trajectories are matched, and their training. */
  experts: experts.prefault({}),
  /** The images that the synthetic set starts from. */
  subset: subset.prefault({}),
  /** The optimisation of the synthetic set. */
  distil: distil.prefault({}),
  /** What the synthetic set is compared by. */
  evaluate: evaluate.prefault({}),
  /** The baseline that matches trajectories of the self-supervised loss. */
  selfSupervised: selfSupervised.prefault({}),
}).describe('Configuration of a run.');

/** A checked configuration: every field present and in range. */
export type Config = z.infer<typeof fields>;

/** The schema of a configuration: gives defaults, refuses unknown fields, checks ranges and cross rules. */
export const configSchema = fields.superRefine((config, context) => {
  for (const { path, message } of crossChecks(config)) {
    context.addIssue({ code: 'custom', path: path.split('.'), message });
  }
});
