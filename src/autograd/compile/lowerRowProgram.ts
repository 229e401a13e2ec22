/** Lowers a row group: one launch for all its planes, and one that adds up what it leaves of sums over the images. */
import { storageBinding } from '../../kernels/bindings.js';
import type { Lowering, RowValue, Storage } from '../operation.js';
import { definitionOf } from '../ops/index.js';
import type { Tape } from '../tape.js';
import type { ChainContext } from './lowerChains.js';
import { domainOf, type PlaneGeometry, planeStart } from './rowGeometry.js';
import { rowRuleOf } from './rowGroups.js';
import { RowNodes } from './rowNodes.js';
import { type RowPlace, type RowStore, writeRowProgram } from './rowText.js';

/** Tensors that are bound together. */
export interface JointTensors {
  readonly storage: Storage;
  /** The first element of each tensor, by its line. */
  readonly starts: ReadonlyMap<number, number>;
}

export interface RowProgram {
  readonly geometry: PlaneGeometry;
  /** The operations, in the tape's order. */
  readonly members: readonly number[];
  /** What they read from outside. */
  readonly operands: readonly JointTensors[];
  /** The members whose values are kept, each in memory of its own. */
  readonly stored: readonly number[];
  /** The members of which a number for each plane is kept: their values, or their shares of sums over the images. */
  readonly rows: JointTensors | null;
}

/** Sums over the images of which each plane's share is computed: [lines, images, channels]. */
export interface PlaneShares {
  readonly storage: Storage;
  readonly lines: readonly number[];
}

export function lowerRowProgram(
  { tape, inlined, lowering, storage }: ChainContext,
  { geometry, members, operands, stored, rows }: RowProgram,
): void {
  const { nodes, values } = buildNodes(tape, inlined, members, geometry);
  const shapeOf = (line: number) => tape.operations[line]!.type.shape;
  const places = new Map<number, RowPlace>();
  operands.forEach(({ starts }, k) => {
    for (const [line, first] of starts) {
      const start = planeStart(shapeOf(line), geometry);
      places.set(line, { binding: `operand${k}`, start: first === 0 ? start : `${first}u + ${start}` });
    }
  });
  const loads = nodes.nodes.flatMap(({ line }, node) =>
    line === undefined ? [] : [[node, places.get(line)!] as const],
  );
  const stores = stored.map((line, k): RowStore => {
    const domain = domainOf(shapeOf(line), geometry)!;
    return {
      ...values.get(line)!,
      domain,
      binding: `result${k}`,
      start: planeStart(shapeOf(line), geometry),
    };
  });
  const ROWS = geometry.images * geometry.channels;
  const rowStores = [...(rows?.starts ?? [])].map(([line, first]): RowStore => {
    return { ...values.get(line)!, domain: 'row', binding: 'rows', start: `plane + ${first}u` };
  });
  const { unroll, loadCost } = lowering.tuning.rowProgram!;
  const text = writeRowProgram({
    nodes: nodes.nodes,
    geometry,
    loads: new Map(loads),
    stores: [...stores, ...rowStores],
    unroll,
    loadCost,
  });
  const buffers = [...operands.map(({ storage }) => storage), ...stored.map(storage)];
  const declared = [
    ...operands.map((_, k) => storageBinding(k, `operand${k}`)),
    ...stored.map((_, k) => storageBinding(operands.length + k, `result${k}`)),
  ];
  if (rows !== null) {
    buffers.push(rows.storage);
    declared.push(storageBinding(declared.length, 'rows'));
  }
  lowering.launch(
    'rowProgram',
    { ROWS, BINDINGS: declared.join('\n'), BODY: text.body, OPERATIONS: text.operations },
    buffers,
    ROWS,
  );
}

/** Adds the planes' shares up over the images, in order. */
export function launchChannelSums(
  lowering: Lowering,
  { images, channels }: PlaneGeometry,
  { storage, lines }: PlaneShares,
): void {
  const SUMS = lines.length;
  const declared = lines.map((_, k) => storageBinding(k + 1, `result${k}`));
  lowering.launch(
    'channelSums',
    { SUMS, IMAGES: images, CHANNELS: channels, BINDINGS: declared.join('\n') },
    [storage, ...lines.map((value) => ({ value }))],
    channels,
  );
}

/** The members taken apart, and the value of each. */
function buildNodes(
  tape: Tape,
  inlined: ReadonlySet<number>,
  members: readonly number[],
  geometry: PlaneGeometry,
): { nodes: RowNodes; values: ReadonlyMap<number, RowValue> } {
  const nodes = new RowNodes(geometry);
  const values = new Map<number, RowValue>();
  const own = new Set(members);
  const build = (line: number): RowValue => {
    const known = values.get(line);
    if (known !== undefined) return known;
    const operation = tape.operations[line]!;
    const { name, attributes, inputs, type } = operation;
    const domain = domainOf(type.shape, geometry)!;
    let value: RowValue;
    if (!own.has(line) && !inlined.has(line)) value = nodes.load(line, domain);
    else {
      const operands = inputs.map(build);
      const { elementwise } = definitionOf(name);
      value =
        elementwise === undefined
          ? rowRuleOf(tape, operation)!(nodes, operands)
          : { ...nodes.map((parts) => elementwise(parts, attributes), operands), domain };
    }
    values.set(line, value);
    return value;
  };
  for (const member of members) build(member);
  return { nodes, values };
}
