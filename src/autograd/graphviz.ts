/**
 * Tapes and plans as graphs in Graphviz's DOT language, for `dot -Tsvg`: values flow down, inputs and outputs are
 * marked, and what a gradient recorded is coloured by the order of the derivative. A plan is its tape with a box
 * around the operations that one dispatch, or a row of dispatches for one operation, computes.
 */
import type { PlanDescription } from './compile/describe.js';
import type { Plan } from './compile/plan.js';
import { originText } from './origin.js';
import { callText, settingTexts } from './print.js';
import { inputNamesOf, type Operation, type Tape, typeText } from './tape.js';

/** Fill of operations by order of derivative: forward, gradient, gradient of the gradient, beyond. */
const FILLS = ['#ffffff', '#ffe3b8', '#c9e4ff', '#e3d0f5'] as const;
const INPUT_FILL = '#d9ead3';
const OUTPUT_FILL = '#f4cccc';

/** A DOT string. Backslashes would start an escape, and a quote would end it. */
export const dotString = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

function attributesText(attributes: Readonly<Record<string, string>>): string {
  const entries = Object.entries(attributes).map(([name, value]) => `${name}=${dotString(value)}`);
  return `[${entries.join(', ')}]`;
}

function operationNode(operation: Operation, inputName: string | undefined): string {
  const { id, name, type, origin } = operation;
  const tooltip = originText(origin);
  return `n${id} ${attributesText({
    label: [`%${id}: ${typeText(type)}`, callText(operation, inputName), ...settingTexts(operation)].join(
      '\n',
    ),
    ...(name === 'input' ? { shape: 'ellipse' } : {}),
    fillcolor: name === 'input' ? INPUT_FILL : FILLS[Math.min(origin?.order ?? 0, FILLS.length - 1)]!,
    ...(tooltip === '' ? {} : { tooltip }),
  })};`;
}

/** Operations that are drawn in one box, with its title. */
interface Group {
  readonly title: string;
  readonly lines: ReadonlySet<number>;
}

function graphText(name: string, tape: Tape, groups: readonly Group[]): string {
  const inputNames = inputNamesOf(tape);
  const node = (line: number): string => operationNode(tape.operations[line]!, inputNames.get(line));
  const boxed = new Set(groups.flatMap(({ lines }) => [...lines]));
  const lines = [
    'rankdir="TB";',
    'node [shape="box", style="filled", fontname="monospace"];',
    ...groups.flatMap(({ title, lines: members }, k) => [
      `subgraph cluster${k} {`,
      `  label=${dotString(title)};`,
      ...[...members].map((line) => `  ${node(line)}`),
      '}',
    ]),
    ...tape.operations.filter(({ id }) => !boxed.has(id)).map(({ id }) => node(id)),
    ...tape.operations.flatMap(({ id, inputs }) => inputs.map((input) => `n${input} -> n${id};`)),
    ...Object.entries(tape.outputs).flatMap(([output, line], k) => [
      `output${k} ${attributesText({ label: `output '${output}'`, shape: 'ellipse', fillcolor: OUTPUT_FILL })};`,
      `n${line} -> output${k};`,
    ]),
  ];
  return `digraph ${dotString(name)} {\n${lines.map((line) => `  ${line}`).join('\n')}\n}\n`;
}

/** The boxes of a plan. An operation that several dispatches compute on their way is drawn in the first. */
function groupsOf({ steps: planSteps }: PlanDescription): Group[] {
  const groups = new Map<number, { steps: number[]; kernels: Set<string>; lines: Set<number> }>();
  const drawn = new Set<number>();
  for (const { step, kernel, operation, fused } of planSteps) {
    const group = groups.get(operation.line) ?? { steps: [], kernels: new Set(), lines: new Set() };
    groups.set(operation.line, group);
    group.steps.push(step);
    group.kernels.add(kernel);
    for (const { line } of [...fused, operation]) {
      if (!drawn.has(line)) group.lines.add(line);
      drawn.add(line);
    }
  }
  return [...groups.values()].map(({ steps, kernels, lines }) => ({
    title: `${steps.length === 1 ? 'step' : 'steps'} ${steps.join(', ')}: ${[...kernels].join(', ')}`,
    lines,
  }));
}

/**
 * A tape, or a plan with its fused operations in boxes, as DOT text for Graphviz.
 *
 * Each operation shows its line, type, operands and attributes; its tooltip is where it was traced.
 */
export function toGraphviz(value: Tape | Plan): string {
  if ('operations' in value) return graphText('tape', value, []);
  const description = value.describe();
  return graphText(description.label, value.tape, groupsOf(description));
}
