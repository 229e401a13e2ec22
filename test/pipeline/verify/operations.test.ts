import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { encodeSafetensors, type NamedTensor } from '../../../src/pipeline/store/safetensors.js';
import { measure, parseCase } from '../../../src/pipeline/verify/case.js';
import { replayOperation } from '../../../src/pipeline/verify/operations.js';
import { useDevice } from '../../support/device.js';

const openedDevice = useDevice();

const tensor = (shape: readonly number[], data: readonly number[]): NamedTensor => ({
  dtype: 'F32',
  shape: [...shape],
  data: Float32Array.from(data),
});

interface Case {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, NamedTensor>>;
}

/** Replays a case that was worked out by hand and gives the outputs that are not as wanted. */
async function faultsOf({ config, tensors }: Case): Promise<string[]> {
  const outputs = Object.keys(tensors).filter((name) => name.startsWith('out.'));
  const tolerance = Object.fromEntries(outputs.map((name) => [name.slice(4), { rel: 1e-5, abs: 1e-6 }]));
  const bytes = encodeSafetensors(new Map(Object.entries(tensors)), {
    format: 'golden-1',
    kind: 'op',
    config: JSON.stringify(config),
    tol: JSON.stringify(tolerance),
  });
  const reference = parseCase(bytes, 'worked.safetensors');
  const measured = measure(reference, await replayOperation(reference, await openedDevice()));
  expect(measured.map(({ output }) => output).sort()).toEqual(outputs.map((name) => name.slice(4)).sort());
  return measured.filter(({ error, allowed }) => !(error <= allowed)).map(({ output }) => output);
}

/** x of one channel with its two numbers 3 and 5; normalised with mean 1 and variance 4 (and eps 0) they are 1 and 2. */
const evaluated = (names: { readonly mean: string; readonly variance: string }): Case => ({
  config: { op: 'batchNorm', training: false, eps: 0 },
  tensors: {
    'in.x': tensor([2, 1], [3, 5]),
    'in.gamma': tensor([1], [10]),
    'in.beta': tensor([1], [7]),
    [`in.${names.mean}`]: tensor([1], [1]),
    [`in.${names.variance}`]: tensor([1], [4]),
    'in.v': tensor([2, 1], [1, 2]),
    'out.y': tensor([2, 1], [17, 27]),
    'out.d_x': tensor([2, 1], [5, 10]),
    'out.d_gamma': tensor([1], [5]),
    'out.d_beta': tensor([1], [3]),
  },
});

describe('a reference case of an operation', () => {
  it.each([
    ['mean', 'variance'],
    ['mean', 'var'],
    ['running_mean', 'running_var'],
    ['runningMean', 'runningVar'],
  ])('normalises with the statistics %s and %s', async (mean, variance) => {
    expect(await faultsOf(evaluated({ mean, variance }))).toEqual([]);
  });

  it('is differentiated by the statistics where it holds those derivatives', async () => {
    const { config, tensors } = evaluated({ mean: 'mean', variance: 'variance' });
    // y = γ (x − m) / √s + β: dy/dm = −γ/√s, dy/ds = −γ (x − m) / (2 s^1.5).
    const more = {
      'out.d_mean': tensor([1], [-15]),
      'out.d_variance': tensor([1], [-10 * (2 / 16 + 8 / 16)]),
    };
    expect(await faultsOf({ config, tensors: { ...tensors, ...more } })).toEqual([]);
  });

  it('fails where a number is another', async () => {
    const { config, tensors } = evaluated({ mean: 'mean', variance: 'variance' });
    const changed = { ...tensors, 'out.d_gamma': tensor([1], [5.01]) };
    expect(await faultsOf({ config, tensors: changed })).toEqual(['d_gamma']);
  });

  it('says which statistics are missing', async () => {
    const { config, tensors } = evaluated({ mean: 'average', variance: 'variance' });
    const attempt = faultsOf({ config, tensors });
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(/'in.mean' \(or running_mean/);
  });

  it('normalises with the batch’s statistics, eps 1e-5 and no affine parameters unless told otherwise', async () => {
    const y = 2 / Math.sqrt(4 + 1e-5);
    const tensors = { 'in.x': tensor([2, 1, 1], [3, 7]), 'out.y': tensor([2, 1, 1], [-y, y]) };
    expect(await faultsOf({ config: { op: 'batchNorm' }, tensors })).toEqual([]);
  });

  it('pools without overlap or padding unless told otherwise', async () => {
    const x = tensor([1, 1, 2, 4], [1, 2, 3, 4, 8, 7, 6, 5]);
    const pooled = (op: string, y: readonly number[]): Case => ({
      config: { op, size: 2 },
      tensors: { 'in.x': x, 'out.y': tensor([1, 1, 1, 2], y) },
    });
    expect(await faultsOf(pooled('maxPool2d', [8, 6]))).toEqual([]);
    expect(await faultsOf(pooled('avgPool2d', [4.5, 4.5]))).toEqual([]);
  });

  it('takes settings by direction', async () => {
    const x = tensor([1, 1, 2, 4], [1, 2, 3, 4, 8, 7, 6, 5]);
    const pooling = { op: 'maxPool2d', size: [1, 2], stride: [1, 3], padding: [0, 1] };
    expect(
      await faultsOf({
        config: pooling,
        tensors: { 'in.x': x, 'out.y': tensor([1, 1, 2, 2], [1, 4, 8, 6]) },
      }),
    ).toEqual([]);
    const convolution = { op: 'conv2d', stride: [2, 1] };
    const w = tensor([1, 1, 1, 2], [1, 10]);
    expect(
      await faultsOf({
        config: convolution,
        tensors: { 'in.x': x, 'in.w': w, 'out.y': tensor([1, 1, 1, 3], [21, 32, 43]) },
      }),
    ).toEqual([]);
  });

  it('contrasts at a temperature of a half unless told otherwise', async () => {
    // Two images, whose views are e₁ and e₂: each anchor sees its partner at 1/τ and two others at 0.
    const views = tensor([2, 2], [1, 0, 0, 1]);
    const loss = (temperature: number): NamedTensor =>
      tensor([1], [Math.log(Math.exp(1 / temperature) + 2) - 1 / temperature]);
    const tensors = { 'in.z1': views, 'in.z2': views, 'out.y': loss(0.5) };
    expect(await faultsOf({ config: { op: 'ntXent' }, tensors })).toEqual([]);
    const colder = { ...tensors, 'out.y': loss(0.2) };
    expect(await faultsOf({ config: { op: 'ntXent', temperature: 0.2 }, tensors: colder })).toEqual([]);
  });

  it.each([
    [{ op: 'maxPool2d', size: 'two' }, /config 'size' is neither a number nor two/],
    [{ op: 'maxPool2d', size: [2, 2, 2] }, /config 'size' is neither a number nor two/],
    [{ op: 'batchNorm', training: 'yes' }, /config 'training' is neither true nor false/],
  ])('refuses the config %o', async (config, message) => {
    const tensors = { 'in.x': tensor([1, 1, 2, 2], [1, 2, 3, 4]), 'out.y': tensor([1], [4]) };
    await expect(faultsOf({ config, tensors })).rejects.toThrow(message);
  });
});
