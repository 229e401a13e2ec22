/** WGSL of a row program: its phases as loops over a plane, with a few pixels or windows written out in each turn. */
import { unrollFactor } from '../../kernels/catalogue.js';
import type { RowDomain } from '../operation.js';
import { sizeOf } from '../tape.js';
import type { PlaneGeometry } from './rowGeometry.js';
import type { RowNode } from './rowNodes.js';

/** Where a tensor lies: the name of its binding, and WGSL of the place at which this plane starts. */
export interface RowPlace {
  readonly binding: string;
  readonly start: string;
}

/** A node whose numbers are kept, for each plane, pixel or window. */
export interface RowStore extends RowPlace {
  readonly node: number;
  readonly domain: RowDomain;
}

export interface RowProgramParts {
  readonly nodes: readonly RowNode[];
  readonly geometry: PlaneGeometry;
  /** Where each node of kind `load` is read. */
  readonly loads: ReadonlyMap<number, RowPlace>;
  readonly stores: readonly RowStore[];
  /** Pixels that one turn of a loop takes at most. */
  readonly unroll: number;
  /** A value that takes more operations to repeat than this is read again where it has been stored. */
  readonly loadCost: number;
}

export interface RowProgramText {
  readonly body: string;
  /** Operations that calculate something, a plane. */
  readonly operations: number;
}

export function writeRowProgram(parts: RowProgramParts): RowProgramText {
  return new RowProgramWriter(parts).write();
}

/** A loop: how many instances of each in-plane domain a turn computes, and the place of each in its plane. */
interface Loop {
  readonly turns: number;
  readonly head: readonly string[];
  readonly tail: readonly string[];
  readonly places: Readonly<Record<'fine' | 'coarse', readonly string[]>>;
}

class RowProgramWriter {
  readonly #parts: RowProgramParts;
  readonly #lines: string[] = [];
  readonly #names = new Map<number, string>();
  /** Starts of planes that have a name. */
  readonly #bases = new Map<string, string>();
  #operations = 0;

  constructor(parts: RowProgramParts) {
    this.#parts = parts;
  }

  write(): RowProgramText {
    const { nodes, stores } = this.#parts;
    const last = Math.max(...nodes.map(({ phase }) => phase), 0);
    for (let phase = 0; phase <= last; phase++) {
      this.#writeRowNodes(phase);
      this.#writeLoop(phase);
    }
    for (const { node, domain, binding, start } of stores) {
      if (domain === 'row') this.#lines.push(`${binding}[${start}] = ${this.#names.get(node)!};`);
    }
    return { body: this.#lines.map((line) => `  ${line}`).join('\n'), operations: this.#operations };
  }

  /** What has one number a plane, and is complete before the phase's loop. */
  #writeRowNodes(phase: number): void {
    const { nodes, loads } = this.#parts;
    nodes.forEach((node, id) => {
      if (node.domain !== 'row' || node.phase !== phase || node.kind === 'total') return;
      const place = loads.get(id);
      const value =
        place === undefined
          ? node.expression!(node.operands.map((operand) => this.#names.get(operand)!))
          : `${place.binding}[${place.start}]`;
      if (place === undefined && node.operands.length > 0) this.#operations++;
      this.#names.set(id, `v${id}`);
      this.#lines.push(`let v${id} = ${value};`);
    });
  }

  #writeLoop(phase: number): void {
    const { nodes, stores } = this.#parts;
    const totals = nodes.flatMap((node, id) =>
      node.kind === 'total' && node.phase === phase + 1 ? [id] : [],
    );
    const kept = stores.filter(({ node, domain }) => domain !== 'row' && nodes[node]!.phase === phase);
    if (totals.length === 0 && kept.length === 0) return;
    const roots = [...totals.map((id) => nodes[id]!.operands[0]!), ...kept.map(({ node }) => node)];
    const { needed, reloaded } = this.#neededIn(phase, roots);

    const domains = new Set<RowDomain>([
      ...[...needed].map((id) => nodes[id]!.domain),
      ...totals.map((id) => nodes[id]!.over!),
      ...kept.map(({ domain }) => domain),
    ]);
    const loop = this.#loopOver(domains);
    for (const id of needed) {
      const place = reloaded.get(id) ?? this.#parts.loads.get(id);
      if (place !== undefined) this.#nameBase(place);
    }
    for (const store of kept) this.#nameBase(store);
    for (const id of totals) {
      this.#names.set(id, `t${id}`);
      this.#lines.push(`var t${id} = 0.0;`);
    }
    this.#lines.push(...loop.head);
    this.#writeTurn(loop, needed, reloaded, totals, kept);
    this.#lines.push(...loop.tail);
  }

  #writeTurn(
    loop: Loop,
    needed: ReadonlySet<number>,
    reloaded: ReadonlyMap<number, RowPlace>,
    totals: readonly number[],
    kept: readonly RowStore[],
  ): void {
    const { nodes, loads } = this.#parts;
    const instances = new Map<number, readonly string[]>();
    const perWindow = loop.places.fine.length / loop.places.coarse.length;
    /** An operand's name in each instance of a domain. */
    const namesIn = (id: number, domain: 'fine' | 'coarse'): readonly string[] =>
      instances.get(id) ?? loop.places[domain].map(() => this.#names.get(id)!);
    const setAll = (id: number, domain: 'fine' | 'coarse', expression: (k: number) => string): void => {
      instances.set(
        id,
        loop.places[domain].map((_, k) => `v${id}_${k}`),
      );
      loop.places[domain].forEach((_, k) => {
        this.#lines.push(`let v${id}_${k} = ${expression(k)};`);
      });
    };
    for (const id of [...needed].sort((a, b) => a - b)) {
      const node = nodes[id]!;
      const domain = node.domain as 'fine' | 'coarse';
      const place = reloaded.get(id) ?? loads.get(id);
      if (place !== undefined) {
        const base = this.#bases.get(baseKey(place))!;
        setAll(id, domain, (k) => `${place.binding}[${base} + ${loop.places[domain][k]}]`);
      } else if (node.kind === 'spread') {
        const windows = namesIn(node.operands[0]!, 'coarse');
        instances.set(
          id,
          loop.places.fine.map((_, k) => windows[Math.floor(k / perWindow)]!),
        );
      } else if (node.kind === 'windowSum') {
        const pixels = namesIn(node.operands[0]!, 'fine');
        setAll(id, 'coarse', (k) => `(${pixels.slice(k * perWindow, (k + 1) * perWindow).join(' + ')})`);
        this.#operations += pixels.length * loop.turns;
      } else {
        const operands = node.operands.map((operand) => namesIn(operand, domain));
        setAll(id, domain, (k) => node.expression!(operands.map((names) => names[k]!)));
        if (operands.length > 0) this.#operations += loop.places[domain].length * loop.turns;
      }
    }
    for (const store of kept) {
      const { node, domain, binding } = store;
      const within = domain as 'fine' | 'coarse';
      const base = this.#bases.get(baseKey(store))!;
      namesIn(node, within).forEach((name, k) => {
        this.#lines.push(`${binding}[${base} + ${loop.places[within][k]}] = ${name};`);
      });
    }
    for (const id of totals) {
      const terms = namesIn(nodes[id]!.operands[0]!, nodes[id]!.over as 'fine' | 'coarse');
      this.#lines.push(`t${id} = t${id} + ${terms.join(' + ')};`);
      this.#operations += terms.length * loop.turns;
    }
  }

  /** The in-plane nodes that a phase computes or reads, and which of them lie in a tensor of an earlier phase. */
  #neededIn(
    phase: number,
    roots: readonly number[],
  ): { needed: ReadonlySet<number>; reloaded: ReadonlyMap<number, RowPlace> } {
    const { nodes, stores, loads, loadCost } = this.#parts;
    const needed = new Set<number>();
    const reloaded = new Map<number, RowPlace>();
    const storeOf = (id: number): RowStore | undefined =>
      nodes[id]!.phase < phase
        ? stores.find(({ node, domain }) => node === id && domain === nodes[id]!.domain)
        : undefined;
    const costOf = (id: number, seen: Set<number>): number => {
      if (nodes[id]!.domain === 'row' || needed.has(id) || seen.has(id)) return 0;
      seen.add(id);
      if (loads.has(id)) return loadCost;
      return nodes[id]!.operands.reduce(
        (cost, operand) =>
          cost +
          (storeOf(operand) === undefined
            ? costOf(operand, seen)
            : Math.min(loadCost, costOf(operand, seen))),
        1,
      );
    };
    const need = (id: number): void => {
      if (nodes[id]!.domain === 'row' || needed.has(id)) return;
      const store = storeOf(id);
      const isReloaded = store !== undefined && costOf(id, new Set()) > loadCost;
      if (isReloaded) reloaded.set(id, store);
      else for (const operand of nodes[id]!.operands) need(operand);
      needed.add(id);
    };
    for (const root of [...roots].sort((a, b) => a - b)) need(root);
    return { needed, reloaded };
  }

  #loopOver(domains: ReadonlySet<RowDomain>): Loop {
    const { unroll, geometry } = this.#parts;
    const { fine, coarse, window } = geometry;
    if (!domains.has('fine') || !domains.has('coarse')) {
      const count = sizeOf(domains.has('fine') ? fine : coarse!);
      const step = unrollFactor(count, unroll);
      const places = Array.from({ length: step }, (_, k) => `i + ${k}u`);
      return {
        turns: count / step,
        head: [`for (var i = 0u; i < ${count}u; i += ${step}u) {`],
        tail: ['}'],
        places: { fine: places, coarse: places },
      };
    }
    const [height, width] = window as [number, number];
    const [rows, columns] = coarse as [number, number];
    const across = fine[1]!;
    const step = unrollFactor(columns, Math.max(1, Math.floor(unroll / (height * width))));
    const windows = Array.from({ length: step }, (_, k) => k);
    return {
      turns: (rows * columns) / step,
      head: [
        `for (var row = 0u; row < ${rows}u; row++) {`,
        `for (var column = 0u; column < ${columns}u; column += ${step}u) {`,
        `let pixel = row * ${height * across}u + column * ${width}u;`,
        `let window = row * ${columns}u + column;`,
      ],
      tail: ['}', '}'],
      places: {
        fine: windows.flatMap((k) =>
          Array.from({ length: height * width }, (_, at) => {
            const [p, q] = [Math.floor(at / width), at % width];
            return `pixel + ${p * across + k * width + q}u`;
          }),
        ),
        coarse: windows.map((k) => `window + ${k}u`),
      },
    };
  }

  #nameBase(place: RowPlace): void {
    const key = baseKey(place);
    if (this.#bases.has(key)) return;
    const name = `start${this.#bases.size}`;
    this.#bases.set(key, name);
    this.#lines.push(`let ${name} = ${place.start};`);
  }
}

const baseKey = ({ binding, start }: RowPlace): string => `${binding} ${start}`;
