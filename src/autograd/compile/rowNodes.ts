/**
 * What a row program computes, as a graph of nodes: the operations of a group taken apart into loads, expressions, sums
 * over the plane and sums over windows. Equal nodes are one node.
 *
 * Sums cut the program into phases. A phase is one loop over the plane; a node belongs to the first phase at which all
 * sums that it needs are complete.
 */
import type { RowDomain, RowValue, RowWriter } from '../operation.js';
import { wgslNumber } from '../ops/constants.js';
import { sizeOf } from '../tape.js';
import type { PlaneGeometry } from './rowGeometry.js';

export interface RowNode {
  readonly kind: 'load' | 'map' | 'total' | 'windowSum' | 'spread';
  /** What the node itself holds numbers for; a repeated `row` stays `row`. */
  readonly domain: RowDomain;
  readonly operands: readonly number[];
  readonly phase: number;
  /** The tape line that a load reads. */
  readonly line?: number;
  /** WGSL of a map. */
  readonly expression?: (operands: readonly string[]) => string;
  /** What a total runs over. */
  readonly over?: RowDomain;
}

export class RowNodes implements RowWriter {
  readonly nodes: RowNode[] = [];
  readonly #known = new Map<string, number>();
  readonly #geometry: PlaneGeometry;

  constructor(geometry: PlaneGeometry) {
    this.#geometry = geometry;
  }

  /** A tensor's elements of this plane. */
  load(line: number, domain: RowDomain): RowValue {
    return {
      node: this.#add(`load ${line}`, { kind: 'load', domain, operands: [], phase: 0, line }),
      domain,
    };
  }

  map(expression: (operands: readonly string[]) => string, operands: readonly RowValue[]): RowValue {
    const nodes = operands.map(({ node }) => node);
    const text = expression(nodes.map((_, k) => `$${k}`));
    const domain = joined(operands.map((operand) => operand.domain));
    // An operation may hand an operand on as it is.
    const same = nodes.findIndex((_, k) => text === `$${k}`);
    if (same >= 0) return { node: nodes[same]!, domain };
    const node = this.#add(`map ${text} ${nodes}`, {
      kind: 'map',
      domain: joined(nodes.map((id) => this.nodes[id]!.domain)),
      operands: nodes,
      phase: this.#latest(nodes),
      expression,
    });
    return { node, domain };
  }

  total({ node, domain }: RowValue): RowValue {
    if (domain === 'row') return { node, domain };
    const phase = this.nodes[node]!.phase + 1;
    const total: RowNode = { kind: 'total', domain: 'row', operands: [node], phase, over: domain };
    return { node: this.#add(`total ${domain} ${node}`, total), domain: 'row' };
  }

  mean(value: RowValue): RowValue {
    if (value.domain === 'row') return value;
    const { fine, coarse } = this.#geometry;
    const count = sizeOf(value.domain === 'fine' ? fine : coarse!);
    return this.map(([total]) => `(${total} / ${count}.0)`, [this.total(value)]);
  }

  windowMean({ node }: RowValue): RowValue {
    const { domain, phase } = this.nodes[node]!;
    if (domain === 'row') return { node, domain: 'coarse' };
    const { window } = this.#geometry;
    const windowSum = { kind: 'windowSum', domain: 'coarse', operands: [node], phase } as const;
    const sum = this.#add(`windowSum ${node}`, windowSum);
    const share = wgslNumber(1 / sizeOf(window!));
    return this.map(([total]) => `(${total} * ${share})`, [{ node: sum, domain: 'coarse' }]);
  }

  spread({ node }: RowValue): RowValue {
    const { domain, phase } = this.nodes[node]!;
    if (domain === 'row') return { node, domain: 'fine' };
    const spread: RowNode = { kind: 'spread', domain: 'fine', operands: [node], phase };
    return { node: this.#add(`spread ${node}`, spread), domain: 'fine' };
  }

  #latest(nodes: readonly number[]): number {
    return Math.max(0, ...nodes.map((node) => this.nodes[node]!.phase));
  }

  #add(key: string, node: RowNode): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.nodes.length);
    return this.nodes.push(node) - 1;
  }
}

const joined = (domains: readonly RowDomain[]): RowDomain =>
  domains.find((domain) => domain !== 'row') ?? 'row';
