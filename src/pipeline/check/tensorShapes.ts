/** Which tensors the files of a run hold, of which shapes, by its configuration and by one another. */
import { subsetSize } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { rowDefinitions } from '../evaluate/rows.js';
import { files, studentModel, teacherModel } from '../stages/context.js';
import { SNAPSHOTS } from '../stages/syntheticSet.js';
import { LOSSES, TRAJECTORY } from '../stages/trajectories.js';
import { type Finding, flaw, remake } from './finding.js';
import type { ScannedTensors } from './scannedFolder.js';

/** An extent; null where nothing says what it is. */
type Extent = number | null;
type Shapes = Readonly<Record<string, readonly Extent[]>>;

/** Files of a run that were looked through. */
export type Scanned = ReadonlyMap<string, ScannedTensors>;

const shapeOf = (scanned: Scanned, file: string, tensor: string): readonly number[] | undefined =>
  scanned.get(file)?.places.get(tensor)?.shape;

/** Channels, height and width of the images, as the synthetic set has them; null while there is none. */
function imageOf(scanned: Scanned): Dataset['image'] | null {
  const shape = shapeOf(scanned, files.synthetic, 'images');
  const [, channels, height, width] = shape ?? [];
  if (channels === undefined || height === undefined || width === undefined) return null;
  return [channels, height, width];
}

/** What a file must hold; null where it is of no stage of the method, or nothing is known of it. */
function shapesOf(file: string, config: Config, scanned: Scanned): Shapes | null {
  const image = imageOf(scanned);
  const source = image === null ? null : { config, dataset: { image } };
  const [train, representation] = shapeOf(scanned, files.targets, 'train') ?? [null, null];
  const all = train ?? null;
  const count = all === null ? null : subsetSize(config.subset.fraction, all);
  const wide = representation ?? null;
  const [channels, height, width] = image ?? [null, null, null];
  const pictures = [count, channels, height, width];
  if (file === files.teacher) {
    const entries = source === null ? [] : teacherModel(source).parameters.entries;
    return Object.fromEntries(entries.map(({ name, shape }) => [name, shape]));
  }
  if (file === files.targets) return { train: [config.data.train, wide], test: [null, wide] };
  if (file === files.subset) return { indices: [count], losses: [all] };
  if (file === files.synthetic || file.startsWith(`${SNAPSHOTS}/`)) {
    return {
      images: pictures,
      targets: [count, wide],
      innerStep: [1],
      'start.images': pictures,
      'start.targets': [count, wide],
    };
  }
  if (file === files.representations) {
    const shown = shapeOf(scanned, file, 'images')?.[0] ?? null;
    const students = config.evaluate.rows.filter((row) => rowDefinitions[row].prepare !== null);
    const ofRows = Object.fromEntries(students.map((row) => [row, [shown, wide]]));
    return { images: [shown], teacher: [shown, wide], ...ofRows };
  }
  if (file.startsWith(files.experts)) {
    const { epochs } = config.experts;
    const parameters = source === null ? null : studentModel(source).parameters.total;
    return { [TRAJECTORY]: [epochs + 1, parameters], [LOSSES]: [epochs] };
  }
  if (file.startsWith(files.selfSupervisedExperts)) {
    return { [TRAJECTORY]: [config.selfSupervised.experts.epochs + 1, null] };
  }
  if (file === files.selfSupervisedSynthetic) {
    return { images: pictures, innerStep: [1], 'start.images': pictures };
  }
  return null;
}

const show = (shape: readonly Extent[]): string => `[${shape.map((extent) => extent ?? 'any').join(', ')}]`;

/** Tensors of a stage's file that are missing, or of another shape than the configuration and the other files say. */
export function checkShapes(file: string, stage: string, config: Config, scanned: Scanned): Finding[] {
  const found = scanned.get(file);
  const wanted = shapesOf(file, config, scanned);
  if (found === undefined || wanted === null) return [];
  return Object.entries(wanted).flatMap(([tensor, shape]) => {
    const has = found.places.get(tensor)?.shape;
    if (has === undefined) return [flaw(file, { what: `It has no tensor ${tensor}.`, ...remake(stage) })];
    const fits =
      has.length === shape.length && shape.every((extent, axis) => (extent ?? has[axis]) === has[axis]);
    return fits
      ? []
      : [flaw(file, { what: `Its tensor ${tensor} is ${show(has)}, not ${show(shape)}.`, ...remake(stage) })];
  });
}

/** How many files of a kind a finished stage made, against what the configuration asks for. */
export function checkCounts(stage: string, made: readonly string[], config: Config): Finding[] {
  const { experts, selfSupervised, distil } = config;
  const wanted: Readonly<Record<string, readonly [prefix: string, count: number]>> = {
    experts: [files.experts, experts.count],
    selfSupervisedExperts: [files.selfSupervisedExperts, selfSupervised.experts.count],
    // A picture and tensors each.
    distil: [
      `${SNAPSHOTS}/`,
      distil.snapshots === 0 ? 0 : 2 * Math.floor(distil.iterations / distil.snapshots),
    ],
  };
  const [prefix, count] = wanted[stage] ?? ['', null];
  if (count === null) return [];
  const has = made.filter((file) => file.startsWith(prefix)).length;
  if (has === count) return [];
  return [flaw(prefix, { what: `The manifest names ${has} files there, not ${count}.`, ...remake(stage) })];
}
