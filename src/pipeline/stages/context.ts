/** What every stage is given, and the helpers that stages share. A stage does not know who called it. */

import { StoreError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { convNet } from '../../nn/convNet.js';
import type { Placement } from '../../nn/deviceImages.js';
import { evaluationMode } from '../../nn/evaluationMode.js';
import type { Model } from '../../nn/model.js';
import { type ParameterLayout, splitParameters } from '../../nn/parameters.js';
import { resNet18 } from '../../nn/resNet18.js';
import type { Checkpoints } from '../checkpoints.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { MEBIBYTE } from '../store/bytes.js';
import type { EventLog } from '../store/events.js';
import { requireVersion, TENSORS_VERSION, tensorsMetadata } from '../store/formatVersion.js';
import type { RunFolder } from '../store/runFolder.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../store/safetensors.js';
import { requireFiniteTensors } from './finite.js';
import { studentOf } from './students.js';

export interface StageContext {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly device: Device;
  readonly folder: RunFolder;
  readonly events: EventLog;
  /** Where the stage is kept in its middle; absent where it is not. */
  readonly checkpoints?: Checkpoints;
  /** Tells the listener how many of this stage's steps are done. */
  advance(done: number, loss?: number): void;
}

/** How images come to lie on the device, for steps of `batch` rows: whole within `data.memory`. */
export const placement = ({ data }: Config, batch: number, label: string): Placement => ({
  batch,
  budget: data.memory * MEBIBYTE,
  label,
});

/** Folders with a file an expert. */
const EXPERTS = 'experts/';
const SELF_SUPERVISED_EXPERTS = 'self-supervised-experts/';

const fileOfExpert = (folder: string, index: number): string =>
  `${folder}expert-${String(index).padStart(3, '0')}.safetensors`;

export const files = {
  teacher: 'teacher.safetensors',
  targets: 'targets.safetensors',
  experts: EXPERTS,
  expert: (index: number) => fileOfExpert(EXPERTS, index),
  subset: 'subset.safetensors',
  synthetic: 'synthetic.safetensors',
  images: 'images.png',
  evaluation: 'evaluation.json',
  evaluationShare: 'evaluation-share.json',
  representations: 'representations.safetensors',
  selfSupervisedExperts: SELF_SUPERVISED_EXPERTS,
  selfSupervisedExpert: (index: number) => fileOfExpert(SELF_SUPERVISED_EXPERTS, index),
  selfSupervisedSynthetic: 'self-supervised-synthetic.safetensors',
} as const;

/** What decides a model's shape. */
interface ModelSource {
  readonly config: Config;
  readonly dataset: Pick<Dataset, 'image'>;
}

/** The teacher as it trains; a ResNet-18 holds running statistics beside its parameters. */
export function teacherNetwork({ config, dataset }: ModelSource): Model {
  const { architecture, depth, width, representation } = config.teacher;
  if (architecture === 'resNet18') return resNet18({ image: dataset.image, width });
  return convNet({ image: dataset.image, depth, width, output: representation });
}

/** The teacher in evaluation mode; the running statistics that it may have are part of its θ. */
export const teacherModel = (source: ModelSource): Model => evaluationMode(teacherNetwork(source));

export function studentModel({ config, dataset }: ModelSource): Model {
  return studentOf(config.student, dataset.image, config.teacher.representation);
}

export const floatTensor = (data: Float32Array, ...shape: number[]): NamedTensor => ({
  dtype: 'F32',
  shape,
  data,
});
export const integerTensor = (data: Int32Array, ...shape: number[]): NamedTensor => ({
  dtype: 'I32',
  shape,
  data,
});

/** The tensors of θ under their names, with a prefix. */
export function namedParameters(
  layout: ParameterLayout,
  theta: Float32Array,
  prefix = '',
): [string, NamedTensor][] {
  const parts = splitParameters(layout, theta);
  return layout.entries.map(({ name, shape }) => [
    `${prefix}${name}`,
    floatTensor(parts[name]!.slice(), ...shape),
  ]);
}

/** Writes an artefact. Throws `NumericsError` for a number that is NaN or infinite: no stage is to read it. */
export async function writeTensors(
  folder: RunFolder,
  file: string,
  tensors: Iterable<readonly [string, NamedTensor]>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const named = new Map(tensors);
  requireFiniteTensors(named, file, 'Lower the learning rate of the stage that makes it.');
  await folder.writeBytes(file, encodeSafetensors(named, tensorsMetadata(metadata)));
}

/** A run's folder as those see it who only read. */
export type ReadableFolder = Pick<RunFolder, 'readBytes' | 'pathOf'>;

/** Reads an artefact's tensors by name. Throws `StoreError` for one of a newer version, and for a name that is missing. */
export async function readTensors(
  folder: ReadableFolder,
  file: string,
): Promise<(name: string) => NamedTensor> {
  const { tensors, metadata } = decodeSafetensors(await folder.readBytes(file), folder.pathOf(file));
  requireVersion(folder.pathOf(file), metadata.version, TENSORS_VERSION);
  return (name) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw lacking(folder, file, `tensor '${name}'`);
    return tensor;
  };
}

/** The numbers of an artefact's tensor of float32. Throws as `readTensors` does, and where the tensor holds others. */
export async function readFloats(folder: ReadableFolder, file: string, name: string): Promise<Float32Array> {
  const { data } = (await readTensors(folder, file))(name);
  if (data instanceof Float32Array) return data;
  throw lacking(folder, file, `float32 tensor '${name}'`);
}

/** Which stage makes which artefact. */
const makers: Readonly<Record<string, string>> = {
  [files.teacher]: 'teacher',
  [files.targets]: 'targets',
  [files.subset]: 'subset',
  [files.synthetic]: 'distil',
  [files.selfSupervisedSynthetic]: 'selfSupervised',
};

function lacking(folder: ReadableFolder, file: string, what: string): StoreError {
  const force = makers[file] === undefined ? '' : ` with --force ${makers[file]}`;
  return new StoreError(`${folder.pathOf(file)} holds no ${what}. Give the run's command again${force}.`);
}

/** Rows of a flat table by number. */
export function takeRows(table: Float32Array, row: number, indices: ArrayLike<number>): Float32Array {
  const result = new Float32Array(indices.length * row);
  for (let k = 0; k < indices.length; k++) {
    result.set(table.subarray(indices[k]! * row, (indices[k]! + 1) * row), k * row);
  }
  return result;
}
