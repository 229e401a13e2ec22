/** The table of float64 references: what each operation computes, written to be read. Adding an operation adds its line here. */
import { HypergradError } from '../../errors.js';
import type { ReferenceRule, ReferenceRules } from '../operation.js';
import { alongAxisReferences } from './alongAxis.js';
import { augmentReferences } from './augment.js';
import { avgPool2dReferences } from './avgPool2d.js';
import { barlowTwinsReferences } from './barlowTwins.js';
import { blurReferences } from './blur.js';
import { concatReferences } from './concat.js';
import { conv2dReferences } from './conv2d.js';
import { elementwiseReference } from './defineElementwise.js';
import { elementwiseReferences } from './elementwise.js';
import { gatherReferences } from './gather.js';
import { halvesReferences } from './halves.js';
import { definitionOf } from './index.js';
import { instanceNormReferences } from './instanceNorm.js';
import { matmulReferences } from './matmul.js';
import { maxPool2dReferences } from './maxPool2d.js';
import { mseReferences } from './mse.js';
import { oneHotReferences } from './oneHot.js';
import { packReferences } from './pack.js';
import { randomReferences } from './random.js';
import { reduceReferences } from './reduce.js';
import { sliceReferences } from './slice.js';
import { transposeReferences } from './transpose.js';
import { warpReferences } from './warp.js';

const tables: readonly ReferenceRules[] = [
  alongAxisReferences,
  augmentReferences,
  avgPool2dReferences,
  barlowTwinsReferences,
  blurReferences,
  concatReferences,
  conv2dReferences,
  elementwiseReferences,
  gatherReferences,
  halvesReferences,
  instanceNormReferences,
  matmulReferences,
  maxPool2dReferences,
  mseReferences,
  oneHotReferences,
  packReferences,
  randomReferences,
  reduceReferences,
  sliceReferences,
  transposeReferences,
  warpReferences,
];

/** The float64 reference of an operation on a tape. */
export function referenceOf(name: string): ReferenceRule {
  const { float64 } = definitionOf(name);
  const rule =
    float64 === undefined
      ? tables.find((table) => Object.hasOwn(table, name))?.[name]
      : elementwiseReference(float64);
  if (rule === undefined) throw new HypergradError(`The operation '${name}' has no reference.`);
  return rule;
}
