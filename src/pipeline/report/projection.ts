/**
 * Representations in two dimensions: the plane in which the teacher's vary most, and in it what every encoder makes of the same
 * images. All are moved by the teacher's mean and turned by the same axes, so that they can be laid side by side.
 */
import { mean } from 'simple-statistics';
import type { ShownRepresentations } from './types.js';

/** A point by its coordinates along the two axes, in the units of the representation. */
export type Point = readonly [x: number, y: number];

/** What one encoder makes of the images. */
export interface ProjectedEncoder {
  readonly name: string;
  readonly points: readonly Point[];
  /** The share of its own variance that lies in the plane, 0 to 1; null where its representations do not vary. */
  readonly share: number | null;
}

export interface Projection {
  /** The share of the teacher's variance along each axis, 0 to 1. */
  readonly axes: Point;
  /** The teacher first. */
  readonly encoders: readonly ProjectedEncoder[];
}

const LEAST_IMAGES = 3;

/** Sum of squared distances of rows to their mean. */
function scatter(rows: readonly ArrayLike<number>[]): number {
  const length = rows[0]!.length;
  let total = 0;
  for (let k = 0; k < length; k++) {
    const column = rows.map((row) => row[k]!);
    const centre = mean(column);
    for (const value of column) total += (value - centre) ** 2;
  }
  return total;
}

/**
 * Projects onto the first two principal components of the teacher's representations. Either may point either way: each is turned
 * so that its largest entry is positive.
 *
 * @returns null where there are too few images or dimensions, or the teacher's representations do not vary
 */
export async function project({
  representation,
  encoders,
}: ShownRepresentations): Promise<Projection | null> {
  const rowsOf = (values: Float32Array): Float32Array[] =>
    Array.from({ length: values.length / representation }, (_, k) =>
      values.subarray(k * representation, (k + 1) * representation),
    );
  const teacher = encoders[0] === undefined ? [] : rowsOf(encoders[0].values);
  if (teacher.length < LEAST_IMAGES || representation < 2) return null;
  // Loaded where it is used: what a process imports at once delays every command.
  const { Matrix, SingularValueDecomposition } = await import('ml-matrix');
  const centre = Array.from({ length: representation }, (_, k) => mean(teacher.map((row) => row[k]!)));
  const centred = new Matrix(teacher.map((row) => Array.from(row, (value, k) => value - centre[k]!)));
  const { diagonal, rightSingularVectors } = new SingularValueDecomposition(centred, {
    computeLeftSingularVectors: false,
    autoTranspose: true,
  });
  const total = diagonal.reduce((sum, value) => sum + value ** 2, 0);
  if (!(total > 0)) return null;
  const axis = (place: 0 | 1): number[] => {
    const entries = rightSingularVectors.getColumn(place);
    const largest = entries.reduce((most, entry) => (Math.abs(entry) > Math.abs(most) ? entry : most), 0);
    return entries.map((entry) => (largest < 0 ? -entry : entry));
  };
  const [first, second] = [axis(0), axis(1)];
  const along = (row: Float32Array, direction: readonly number[]): number =>
    direction.reduce((sum, entry, k) => sum + entry * (row[k]! - centre[k]!), 0);
  const shareOf = (place: 0 | 1): number => (diagonal[place] ?? 0) ** 2 / total;
  return {
    axes: [shareOf(0), shareOf(1)],
    encoders: encoders.map(({ name, values }) => {
      const rows = rowsOf(values);
      const points = rows.map((row): Point => [along(row, first), along(row, second)]);
      const own = scatter(rows);
      return { name, points, share: own > 0 ? scatter(points) / own : null };
    }),
  };
}
