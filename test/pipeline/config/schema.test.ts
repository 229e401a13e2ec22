import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldPaths } from '../../../src/pipeline/config/layers.js';
import { configSchema } from '../../../src/pipeline/config/schema.js';

describe('schema', () => {
  it('describes every field', () => {
    type Node = { description?: string; properties?: Record<string, Node> };
    const root = z.toJSONSchema(configSchema, { io: 'input' }) as Node;
    for (const path of fieldPaths) {
      let node: Node | undefined = root;
      for (const name of path.split('.')) node = node?.properties?.[name];
      expect(node?.description, path).toMatch(/\w/);
    }
    expect(fieldPaths).toContain('distil.innerStep.learningRate');
  });

  it('refuses unknown fields by itself', () => {
    expect(configSchema.safeParse({ student: { dept: 2 } }).error?.issues[0]?.message).toContain(
      'has no field dept (did you mean depth?); its fields are depth, width',
    );
  });

  it('gives each parse its own values', () => {
    configSchema.parse({}).teacher.augmentation.cropScale[0] = 0.1;
    expect(configSchema.parse({}).teacher.augmentation.cropScale).toEqual([0.6, 1]);
  });
});
