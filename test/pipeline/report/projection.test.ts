import { describe, expect, it } from 'vitest';
import { colouredClasses, projectionChart } from '../../../src/pipeline/report/charts/projection.js';
import { project } from '../../../src/pipeline/report/projection.js';
import type { ShownRepresentations } from '../../../src/pipeline/report/types.js';
import { numbers } from '../../support/compare.js';

const COUNT = 40;
const LENGTH = 5;
/** Two orthonormal directions in five dimensions. */
const FIRST = [0.6, 0, 0.8, 0, 0];
const SECOND = [0, 1, 0, 0, 0];

/** Points of a plane that is moved away from the origin, three times as wide one way as the other. */
function plane(coordinates: readonly (readonly [number, number])[]): Float32Array {
  return Float32Array.from(
    coordinates.flatMap(([x, y]) => FIRST.map((entry, k) => 7 + 3 * x * entry + y * SECOND[k]!)),
  );
}

const draws = numbers(1, 'projection', 2 * COUNT);
const coordinates = Array.from({ length: COUNT }, (_, k) => [draws[2 * k]!, draws[2 * k + 1]!] as const);

const shown = (...encoders: (readonly [name: string, values: Float32Array])[]): ShownRepresentations => ({
  images: Int32Array.from({ length: encoders[0]![1].length / LENGTH }, (_, k) => k),
  labels: null,
  classes: [],
  representation: LENGTH,
  encoders: encoders.map(([name, values]) => ({ name, values })),
});

const variance = (values: readonly number[]): number => {
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
};

describe('a projection of representations', () => {
  const teacher = plane(coordinates);

  it('finds the plane in which the teacher varies, and says how much along each axis', async () => {
    const { axes, encoders } = (await project(shown(['teacher', teacher])))!;
    expect(axes[0] + axes[1]).toBeCloseTo(1, 6);
    const [{ points, share }] = encoders as [(typeof encoders)[number]];
    expect(share).toBeCloseTo(1, 6);
    const [x, y] = [points.map((point) => point[0]), points.map((point) => point[1])];
    expect(variance(x) / (variance(x) + variance(y))).toBeCloseTo(axes[0], 6);
    // Principal components are not correlated.
    expect(Math.abs(x.reduce((sum, value, k) => sum + value * y[k]!, 0))).toBeLessThan(1e-3);
    // Distances within the plane stay as they are.
    const [a, b] = coordinates as unknown as [[number, number], [number, number]];
    const distance = Math.hypot(3 * (a[0] - b[0]), a[1] - b[1]);
    expect(Math.hypot(x[0]! - x[1]!, y[0]! - y[1]!)).toBeCloseTo(distance, 4);
  });

  it('moves and turns all encoders as the teacher, and says how much of their variance is seen', async () => {
    const moved = teacher.map((value, k) => value + [0, 2, 0, 0, 0][k % LENGTH]!);
    // Half of its variance is along a direction in which the teacher does not vary.
    const elsewhere = Float32Array.from(
      coordinates.flatMap(([x]) => [0.6 * x + 0.8 * x, 0, 0.8 * x - 0.6 * x, 0, 0]),
    );
    const { encoders } = (await project(
      shown(['teacher', teacher], ['moved', moved], ['elsewhere', elsewhere]),
    ))!;
    const [own, other, half] = encoders;
    other!.points.forEach(([x, y], k) => {
      const [ownX, ownY] = own!.points[k]!;
      expect(Math.hypot(x - ownX, y - ownY)).toBeCloseTo(2, 4);
    });
    expect(other!.share).toBeCloseTo(1, 5);
    expect(half!.share).toBeCloseTo(0.5, 5);
  });

  it('is the same for the same representations, whichever way an axis came out', async () => {
    const once = (await project(shown(['teacher', teacher])))!;
    const again = (await project(shown(['teacher', teacher.slice()])))!;
    expect(again).toEqual(once);
  });

  it('works with fewer images than dimensions', async () => {
    const few = (await project(shown(['teacher', teacher.slice(0, 3 * LENGTH)])))!;
    expect(few.axes[0] + few.axes[1]).toBeCloseTo(1, 6);
    expect(few.encoders[0]!.points).toHaveLength(3);
  });

  it('is none of two images, of one dimension, or of a teacher that tells nothing apart', async () => {
    expect(await project(shown(['teacher', teacher.slice(0, 2 * LENGTH)]))).toBeNull();
    expect(await project({ ...shown(['teacher', teacher]), representation: 1 })).toBeNull();
    expect(await project(shown(['teacher', new Float32Array(COUNT * LENGTH).fill(2)]))).toBeNull();
  });

  it('knows no share of an encoder that gives the same for all', async () => {
    const constant = new Float32Array(COUNT * LENGTH).fill(1);
    const { encoders } = (await project(shown(['teacher', teacher], ['constant', constant])))!;
    expect(encoders[1]!.share).toBeNull();
  });
});

const representations = {
  ...shown(['teacher', plane(coordinates)], ['student', plane(coordinates).map((v) => 2 * v)]),
};
const projection = (await project(representations))!;

describe('the figure of an encoder', () => {
  const domains = (spec: ReturnType<typeof projectionChart>): unknown[] => {
    const { x, y } = (spec as unknown as { encoding: Record<'x' | 'y', { scale: { domain: unknown } }> })
      .encoding;
    return [x.scale.domain, y.scale.domain];
  };

  it('has the scale of all others', () => {
    const [teacher, student] = projection.encoders.map((encoder) =>
      projectionChart(projection, encoder, representations),
    );
    expect(domains(teacher!)).toEqual(domains(student!));
  });

  it('colours classes that are there, and has one colour without labels', () => {
    const labels = Int32Array.from({ length: COUNT }, (_, k) => (k % 2 === 0 ? 7 : 3));
    const classes = Array.from({ length: 9 }, (_, k) => `class ${k}`);
    const colours = colouredClasses({ labels, classes });
    expect([...colours.values()].map(({ name }) => name)).toEqual(['class 3', 'class 7']);
    const coloursOf = (of: Pick<ShownRepresentations, 'labels' | 'classes'>): Set<string> => {
      const spec = projectionChart(projection, projection.encoders[0]!, of) as unknown as {
        data: { values: { colour: string }[] };
      };
      return new Set(spec.data.values.map(({ colour }) => colour));
    };
    expect(coloursOf({ labels, classes })).toEqual(
      new Set([...colours.values()].map(({ colour }) => colour)),
    );
    expect(coloursOf({ labels: null, classes: [] }).size).toBe(1);
  });
});
