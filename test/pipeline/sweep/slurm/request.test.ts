import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../../src/errors.js';
import { parseSlurmOption, requestFor } from '../../../../src/pipeline/sweep/slurm/request.js';

describe('requestFor', () => {
  it('leaves room beside the estimate, and rounds up so that like jobs are given the same', () => {
    // 2 · 3600 s and 5 minutes; 1.25 · 1 GiB and 512 MiB.
    expect(requestFor({ seconds: 3600, memoryBytes: 2 ** 30 })).toEqual({ minutes: 125, mebibytes: 1792 });
    expect(requestFor({ seconds: 3601, memoryBytes: 2 ** 30 + 1 })).toEqual({
      minutes: 130,
      mebibytes: 2048,
    });
  });

  it('gives the shortest job time to start', () => {
    expect(requestFor({ seconds: 0, memoryBytes: 0 })).toEqual({ minutes: 10, mebibytes: 512 });
  });

  it('asks for nothing that was not estimated', () => {
    expect(requestFor({ seconds: null, memoryBytes: null })).toEqual({ minutes: null, mebibytes: null });
  });
});

describe('parseSlurmOption', () => {
  it.each([
    ['partition=gpu', 'partition', 'gpu'],
    ['--partition=gpu', 'partition', 'gpu'],
    ['-p gpu', 'partition', 'gpu'],
    ['--constraint=a&b|c', 'constraint', 'a&b|c'],
    ['exclusive', 'exclusive', null],
    ['--comment=two words', 'comment', 'two words'],
  ])('reads %s', (text, name, value) => {
    expect(parseSlurmOption(text)).toEqual({ name, value });
  });

  it.each(['', '=x', '--', 'partition=gpu\n#SBATCH --array=0-9', '7=8', '-z 3'])('refuses %j', (text) => {
    expect(() => parseSlurmOption(text)).toThrow(ConfigError);
  });

  it.each(['array=0-9', '-d afterok:1', '--output=x', 'o=x'])(
    'leaves %s to hypergrad, and says why',
    (text) => {
      expect(() => parseSlurmOption(text)).toThrow(/cannot be set: .+\. Leave it out\./);
    },
  );
});
