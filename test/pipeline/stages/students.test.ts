import { expect, it } from 'vitest';
import { describeStudent } from '../../../src/pipeline/stages/students.js';

it('names each architecture with its sizes', () => {
  expect(describeStudent({ architecture: 'convNet', depth: 3, width: 64 })).toBe('ConvNet, 3 blocks of 64');
  expect(describeStudent({ architecture: 'mlp', depth: 1, width: 9 })).toBe('MLP, 1 layer of 9');
  expect(describeStudent({ architecture: 'resNet18', width: 8 })).toBe('ResNet-18, width 8');
});
