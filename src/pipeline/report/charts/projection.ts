/** Representations as points in a plane, a figure for each encoder, all to one scale. */
import { extent } from 'simple-statistics';
import type { TopLevelSpec } from 'vega-lite';
import type { ProjectedEncoder, Projection } from '../projection.js';
import type { ShownRepresentations } from '../types.js';
import { CLASS_COLOURS, CONFIG, SERIES } from './look.js';

const SIDE = 230;
const MARGIN = 0.05;

/** A class as it is coloured. */
export interface ColouredClass {
  readonly name: string;
  readonly colour: string;
}

/** The classes of the shown images, by their numbers; none without labels. */
export function colouredClasses({
  labels,
  classes,
}: Pick<ShownRepresentations, 'labels' | 'classes'>): Map<number, ColouredClass> {
  const present = labels === null ? [] : [...new Set(labels)].sort((a, b) => a - b);
  return new Map(
    present.map((label, k) => [
      label,
      { name: classes[label] ?? String(label), colour: CLASS_COLOURS[k % CLASS_COLOURS.length]! },
    ]),
  );
}

/** From the least to the largest coordinate of all encoders along an axis, and a little more. */
function domainOf({ encoders }: Projection, axis: 0 | 1): [number, number] {
  const all = encoders.flatMap(({ points }) => points.map((point) => point[axis])).filter(Number.isFinite);
  const [least, most] = extent(all);
  const room = MARGIN * (most - least);
  return [least - room, most + room];
}

/** One encoder's points, coloured by class; one colour for all without labels. */
export function projectionChart(
  projection: Projection,
  { name, points }: ProjectedEncoder,
  { labels, classes }: Pick<ShownRepresentations, 'labels' | 'classes'>,
): TopLevelSpec {
  const colours = colouredClasses({ labels, classes });
  const values = points.map(([x, y], k) => ({
    x,
    y,
    colour: labels === null ? SERIES[0] : colours.get(labels[k]!)!.colour,
  }));
  const axis = (place: 0 | 1, field: 'x' | 'y') =>
    ({
      field,
      type: 'quantitative',
      title: null,
      scale: { domain: domainOf(projection, place), nice: false, zero: false },
      axis: { tickCount: 3, domain: false },
    }) as const;
  return {
    description: `What ${name} makes of ${points.length} held-out images, in the plane in which the teacher's representations vary most.`,
    width: SIDE,
    height: SIDE,
    autosize: 'none',
    padding: { left: 34, right: 8, top: 6, bottom: 24 },
    config: CONFIG,
    data: { values },
    mark: { type: 'point', filled: true, size: 20, opacity: 0.8, aria: false },
    encoding: {
      x: axis(0, 'x'),
      y: axis(1, 'y'),
      color: { field: 'colour', type: 'nominal', scale: null, legend: null },
    },
  };
}
