import type { OperationProperty, Sizes } from './case.js';
import { choiceProperties } from './choice.js';
import { convolutionProperties } from './convolution.js';
import { elementwiseProperties } from './elementwise.js';
import { functionProperties } from './functions.js';
import { halvesProperties } from './halves.js';
import { layoutProperties } from './layout.js';
import { matrixProperties } from './matrices.js';
import { poolingProperties } from './pooling.js';
import { rearrangementProperties } from './rearrangement.js';

/** A property for every operation of the engine. */
export const allProperties = (sizes: Sizes): OperationProperty[] => [
  ...choiceProperties(sizes),
  ...convolutionProperties(sizes),
  ...elementwiseProperties(sizes),
  ...functionProperties(sizes),
  ...halvesProperties(sizes),
  ...layoutProperties(sizes),
  ...matrixProperties(sizes),
  ...rearrangementProperties(sizes),
  ...poolingProperties(sizes),
];
