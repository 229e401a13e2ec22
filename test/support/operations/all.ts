import type { OperationProperty, Sizes } from './case.js';
import { convolutionProperties } from './convolution.js';
import { elementwiseProperties } from './elementwise.js';
import { layoutProperties } from './layout.js';
import { matrixProperties } from './matrices.js';
import { poolingProperties } from './pooling.js';

/** A property for every operation of the engine. */
export const allProperties = (sizes: Sizes): OperationProperty[] => [
  ...convolutionProperties(sizes),
  ...elementwiseProperties(sizes),
  ...layoutProperties(sizes),
  ...matrixProperties(sizes),
  ...poolingProperties(sizes),
];
