/** The table of operations: name → definition. Adding an operation adds its file, a line here, and one in references.ts. */
import { HypergradError } from '../../errors.js';
import type { OperationDefinition } from '../operation.js';
import type { Operation } from '../tape.js';
import { alongAxisOperations } from './alongAxis.js';
import { augmentOperations } from './augment.js';
import { avgPool2dOperations } from './avgPool2d.js';
import { barlowTwinsOperations } from './barlowTwins.js';
import { blurOperations } from './blur.js';
import { comparisonOperations } from './comparisons.js';
import { concatOperations } from './concat.js';
import { conv2dOperations } from './conv2d.js';
import { elementwiseOperations } from './elementwise.js';
import { gatherOperations } from './gather.js';
import { halvesOperations } from './halves.js';
import { instanceNormOperations } from './instanceNorm.js';
import { matmulOperations } from './matmul.js';
import { maxPool2dOperations } from './maxPool2d.js';
import { mseOperations } from './mse.js';
import { oneHotOperations } from './oneHot.js';
import { packOperations } from './pack.js';
import { powOperations } from './pow.js';
import { randomOperations } from './random.js';
import { reduceOperations } from './reduce.js';
import { sliceOperations } from './slice.js';
import { smoothOperations } from './smooth.js';
import { transposeOperations } from './transpose.js';
import { warpOperations } from './warp.js';

const table: ReadonlyMap<string, OperationDefinition> = new Map(
  [
    alongAxisOperations,
    augmentOperations,
    avgPool2dOperations,
    barlowTwinsOperations,
    blurOperations,
    comparisonOperations,
    concatOperations,
    conv2dOperations,
    elementwiseOperations,
    gatherOperations,
    halvesOperations,
    instanceNormOperations,
    matmulOperations,
    maxPool2dOperations,
    mseOperations,
    oneHotOperations,
    packOperations,
    powOperations,
    reduceOperations,
    smoothOperations,
    randomOperations,
    sliceOperations,
    transposeOperations,
    warpOperations,
  ]
    .flat()
    .map((definition) => [definition.name, definition]),
);

export const operationNames: readonly string[] = [...table.keys()];

/** The definition of an operation on a tape. */
export function definitionOf(name: string): OperationDefinition {
  const definition = table.get(name);
  if (definition === undefined) {
    throw new HypergradError(`The tape names an operation '${name}' that this engine does not know.`);
  }
  return definition;
}

/** Whether a line of a tape is computed element by element. */
export const isElementwise = ({ name }: Operation): boolean =>
  name !== 'input' && definitionOf(name).elementwise !== undefined;
