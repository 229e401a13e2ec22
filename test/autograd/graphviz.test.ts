import { describe, expect, it } from 'vitest';
import { compile } from '../../src/autograd/compile/plan.js';
import { gradient } from '../../src/autograd/gradient.js';
import { toGraphviz } from '../../src/autograd/graphviz.js';
import { exp, scale } from '../../src/autograd/ops/elementwise.js';
import { reshape, sumAll } from '../../src/autograd/ops/reduce.js';
import { f32, type Tape } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { useDevice } from '../support/device.js';
import { type Graph, parseDot } from '../support/dot.js';
import { reverseTape } from '../support/tinyUnroll.js';

const openedDevice = useDevice();

const without = (tape: Tape): Tape => ({
  ...tape,
  operations: tape.operations.map(({ origin: _, ...operation }) => operation),
});

/** Edges between operations, as pairs of lines. */
const edgesOf = (tape: Tape): string[] =>
  tape.operations.flatMap(({ id, inputs }) => inputs.map((input) => `n${input} -> n${id}`));

const betweenOperations = ({ edges }: Graph): string[] =>
  edges.map(([from, to]) => `${from} -> ${to}`).filter((edge) => !edge.includes('output'));

describe('a tape as a graph', () => {
  it('is the text that dot takes', () => {
    const tape = trace({ a: f32(2, 3) }, ({ a }) => ({ y: reshape(scale(a, 0.5), [6]) }));
    expect(toGraphviz(without(tape))).toBe(`digraph "tape" {
  rankdir="TB";
  node [shape="box", style="filled", fontname="monospace"];
  n0 [label="%0: f32[2,3]\\ninput 'a'", shape="ellipse", fillcolor="#d9ead3"];
  n1 [label="%1: f32[2,3]\\nscale(%0)\\nby=0.5", fillcolor="#ffffff"];
  n2 [label="%2: f32[6]\\nreshape(%1)\\nshape=[6]", fillcolor="#ffffff"];
  n0 -> n1;
  n1 -> n2;
  output0 [label="output 'y'", shape="ellipse", fillcolor="#f4cccc"];
  n2 -> output0;
}
`);
  });

  it('has a node for every operation and output, and an edge for every operand', () => {
    const tape = reverseTape();
    const graph = parseDot(toGraphviz(tape));
    expect([...graph.nodes.keys()].filter((name) => name.startsWith('n'))).toHaveLength(
      tape.operations.length,
    );
    expect(betweenOperations(graph)).toEqual(edgesOf(tape));
    expect(graph.edges.filter(([, to]) => to.startsWith('output'))).toHaveLength(
      Object.keys(tape.outputs).length,
    );
  });

  it('colours what a gradient recorded by the order of the derivative', () => {
    const tape = trace({ a: f32(3) }, ({ a }) => {
      const [first] = gradient(sumAll(exp(exp(a))), [a]) as [Tensor];
      const [second] = gradient(sumAll(first), [a]) as [Tensor];
      return { second };
    });
    const { nodes } = parseDot(toGraphviz(tape));
    const fills = new Map<number, Set<string | undefined>>();
    for (const { id, name, origin } of tape.operations) {
      if (name === 'input') continue;
      const order = origin?.order ?? 0;
      fills.set(order, (fills.get(order) ?? new Set()).add(nodes.get(`n${id}`)!.fillcolor));
    }
    expect([...fills.keys()].sort()).toEqual([0, 1, 2]);
    const distinct = [...fills.values()].flatMap((set) => [...set]);
    expect(distinct).toHaveLength(3);
    expect(new Set(distinct).size).toBe(3);
  });

  it('keeps quotes, backslashes and line ends in names inside their strings', () => {
    const name = 'a "quoted\\\nname"; x -> y';
    const graph = parseDot(
      toGraphviz(trace({ [name]: f32(2) }, (inputs) => ({ [name]: exp(inputs[name]!) }))),
    );
    expect(graph.nodes.get('n0')!.label).toBe(`%0: f32[2]\ninput '${name}'`);
    expect(graph.nodes.get('output0')!.label).toBe(`output '${name}'`);
    expect(graph.nodes.size).toBe(3);
    expect(graph.edges).toHaveLength(2);
  });
});

describe('a plan as a graph', () => {
  it('is its tape, with a box around what each dispatch computes', async () => {
    const tape = trace({ a: f32(70) }, ({ a }) => ({ y: exp(scale(exp(a), 2)), z: sumAll(scale(a, 3)) }));
    const plan = await compile(tape, await openedDevice(), { label: 'boxed' });
    const graph = parseDot(toGraphviz(plan));
    plan.release();
    expect(graph.name).toBe('boxed');
    expect(betweenOperations(graph)).toEqual(edgesOf(tape));
    const namesIn = (members: readonly string[]) =>
      members.map((node) => tape.operations[Number(node.slice(1))]!.name);
    expect(graph.clusters.map(({ label, members }) => [label, namesIn(members)])).toEqual([
      ['step 0: elementwise', ['exp', 'scale', 'exp']],
      [expect.stringMatching(/^steps? 1.*: reduce$/), ['scale', 'sum']],
    ]);
  });
});
