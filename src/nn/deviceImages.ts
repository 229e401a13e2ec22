/**
 * Images in device memory: all of them, or, where they are too many, a window that holds the rows of the next step. Steps are
 * compiled for what lies there; which rows of the whole a step sees is said by `stageRows`.
 */
import {
  allocateRange,
  type BufferRange,
  BYTES,
  type Numbers,
  uploadRange,
} from '../autograd/compile/bufferRange.js';
import { f32, i32, type Shape, sizeOf, type TensorType } from '../autograd/tape.js';
import { ShapeError } from '../errors.js';
import type { Device } from '../gpu/device.js';

/** Images a replay of an encoder; every window holds so many. */
export const ENCODED_AT_ONCE = 100;

/** Bytes that are written ahead of the device before it is waited for: the driver holds a copy of them. */
const BYTES_AHEAD = 2 ** 26;

/** Rows that are made or read when they are asked for. */
export interface RowSource {
  readonly count: number;
  /** The rows of these numbers, [numbers, …]. */
  rows(numbers: ArrayLike<number>): Promise<Float32Array>;
}

/** What moves a window. */
export interface RowWindow {
  /**
   * Puts rows into the window, in order with submitted work. The steps that use them must be submitted before the next call.
   * @throws ShapeError for more rows than it holds.
   */
  stage(numbers: Int32Array): Promise<void>;
}

/** Images on the device. */
export interface DeviceImages {
  /** Images of all: what rows are numbered by. */
  readonly count: number;
  readonly images: BufferRange;
  /** Shape [rows, …] of what lies in device memory: all rows, or the window's. */
  readonly imageShape: Shape;
  /** Absent where all rows lie there. */
  readonly window?: RowWindow;
}

/** Data in device memory, shared by whoever trains on it: all rows, or a window over them. */
export interface TrainingImages extends DeviceImages {
  /** As many rows as there are of the images, in the same order. */
  readonly targets: BufferRange;
  readonly targetType: TensorType;
}

/** How images come to lie on a device. */
export interface Placement {
  /** The most rows that a step reads: the batch. */
  readonly batch: number;
  /** Bytes of device memory for each table; what needs more gets a window. */
  readonly budget: number;
  /** Names the buffers. */
  readonly label: string;
}

/** The numbers by which a step finds these rows in device memory; where there is a window, it is moved to them. */
export async function stageRows({ window }: DeviceImages, numbers: Int32Array): Promise<Int32Array> {
  if (window === undefined) return numbers;
  await window.stage(numbers);
  return Int32Array.from(numbers, (_, place) => place);
}

/** A table of the source's rows, and the range that holds all or some of them. */
interface Table {
  readonly source: RowSource;
  /** Elements of one row. */
  readonly row: number;
  readonly range: BufferRange;
}

function makeWindow(device: Device, tables: readonly Table[], capacity: number): RowWindow {
  let ahead = 0;
  return {
    async stage(numbers) {
      if (numbers.length > capacity) {
        throw new ShapeError(
          `A window of ${capacity} rows cannot hold the ${numbers.length} that a step reads. Place the data for batches of that size.`,
        );
      }
      const data = await Promise.all(tables.map(({ source }) => source.rows(numbers)));
      const bytes = data.reduce((total, rows) => total + rows.byteLength, 0);
      if (ahead + bytes > BYTES_AHEAD) {
        await device.settle();
        ahead = 0;
      }
      ahead += bytes;
      for (const [k, rows] of data.entries()) device.write(tables[k]!.range.buffer, rows);
    },
  };
}

/** Writes all rows, a bounded number of bytes at a time. */
async function writeAll(device: Device, { source, row, range }: Table): Promise<void> {
  const chunk = Math.max(1, Math.floor(BYTES_AHEAD / (row * BYTES)));
  for (let start = 0; start < source.count; start += chunk) {
    const numbers = Int32Array.from({ length: Math.min(chunk, source.count - start) }, (_, k) => start + k);
    device.write(range.buffer, await source.rows(numbers), start * row * BYTES);
    if (start + chunk < source.count) await device.settle();
  }
}

const fits = ({ largestBuffer }: Device, bytes: number, budget: number): boolean =>
  bytes <= Math.min(budget, largestBuffer);

/** Tables of the same rows: whole where each fits, else windows of the same rows. */
async function placeTables(
  device: Device,
  sources: readonly { readonly source: RowSource; readonly row: number; readonly name: string }[],
  { batch, budget, label }: Placement,
): Promise<{ ranges: BufferRange[]; rows: number; window: RowWindow | undefined }> {
  const { count } = sources[0]!.source;
  const isWhole = sources.every(({ row }) => fits(device, count * row * BYTES, budget));
  const rows = isWhole ? count : Math.min(count, Math.max(batch, ENCODED_AT_ONCE));
  const tables: Table[] = [];
  try {
    for (const { source, row, name } of sources) {
      tables.push({ source, row, range: allocateRange(device, rows * row, `${label}.${name}`) });
    }
    if (isWhole) for (const table of tables) await writeAll(device, table);
  } catch (error) {
    for (const { range } of tables) device.releaseBuffer(range.buffer);
    throw error;
  }
  return {
    ranges: tables.map(({ range }) => range),
    rows,
    window: isWhole ? undefined : makeWindow(device, tables, rows),
  };
}

/** Places images of shape [C, H, W]. The caller gives the memory back with `releaseImages`. */
export async function placeImages(
  device: Device,
  source: RowSource,
  shape: Shape,
  placement: Placement,
): Promise<DeviceImages> {
  const table = { source, row: sizeOf(shape), name: 'images' };
  const { ranges, rows, window } = await placeTables(device, [table], placement);
  return {
    count: source.count,
    images: ranges[0]!,
    imageShape: [rows, ...shape],
    ...(window === undefined ? {} : { window }),
  };
}

/** Places images of shape [C, H, W] with their targets [count, row]. The caller gives the memory back with `releaseTraining`. */
export async function placeTraining(
  device: Device,
  source: RowSource,
  shape: Shape,
  targets: Float32Array,
  placement: Placement,
): Promise<TrainingImages> {
  const row = targets.length / source.count;
  if (!Number.isInteger(row)) {
    throw new ShapeError(
      `${placement.label}: ${targets.length} target values are no whole number for each of ${source.count} images.`,
    );
  }
  const sources = [
    { source, row: sizeOf(shape), name: 'images' },
    { source: tableSource(targets, source.count), row, name: 'targets' },
  ];
  const { ranges, rows, window } = await placeTables(device, sources, placement);
  return {
    count: source.count,
    images: ranges[0]!,
    imageShape: [rows, ...shape],
    targets: ranges[1]!,
    targetType: f32(rows, row),
    ...(window === undefined ? {} : { window }),
  };
}

/** Uploads images [S, …] with their targets [S, …], all rows. The caller gives the memory back with `releaseTraining`. */
export function uploadTraining(
  device: Device,
  images: Float32Array,
  imageShape: Shape,
  targets: Numbers,
  targetShape: Shape,
): TrainingImages {
  return {
    count: imageShape[0]!,
    images: uploadRange(device, images, 'images'),
    imageShape,
    targets: uploadRange(device, targets, 'targets'),
    targetType: targets instanceof Int32Array ? i32(...targetShape) : f32(...targetShape),
  };
}

/** Rows of a table [count, row] in host memory. */
export function tableSource(table: Float32Array, count: number): RowSource {
  const row = table.length / count;
  return {
    count,
    async rows(numbers) {
      const rows = new Float32Array(numbers.length * row);
      for (let k = 0; k < numbers.length; k++) {
        rows.set(table.subarray(numbers[k]! * row, (numbers[k]! + 1) * row), k * row);
      }
      return rows;
    },
  };
}

export function releaseImages(device: Device, { images }: DeviceImages): void {
  device.releaseBuffer(images.buffer);
}

export function releaseTraining(device: Device, data: TrainingImages): void {
  device.releaseBuffer(data.images.buffer);
  device.releaseBuffer(data.targets.buffer);
}
