import type { OperationProperty, Sizes } from './case.js';
import { convolutionProperties } from './convolution.js';
import { elementwiseProperties } from './elementwise.js';
import { functionProperties } from './functions.js';
import { layoutProperties } from './layout.js';
import { matrixProperties } from './matrices.js';

/** A property for every operation of the engine. */
export const allProperties = (sizes: Sizes): OperationProperty[] => [
  ...convolutionProperties(sizes),
  ...elementwiseProperties(sizes),
  ...functionProperties(sizes),
  ...layoutProperties(sizes),
  ...matrixProperties(sizes),
];
