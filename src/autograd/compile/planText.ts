/** A plan's description as text: its dispatches, its memory map as a table and as a picture, and totals. */
import { formatBytes } from '../../gpu/formatBytes.js';
import { typeText } from '../tape.js';
import { textTable } from '../textTable.js';
import type { ArenaTensor, PlanDescription, PlannedOperation, PlanPort } from './describe.js';

const MARKS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
/** Most characters across and down the picture of one of the arena's buffers. */
const PICTURE = { columns: 72, rows: 16 } as const;

const operationText = ({ line, name, type }: PlannedOperation): string =>
  `%${line} ${name} ${typeText(type)}`;

const markOf = (index: number): string => MARKS[index % MARKS.length]!;

function portLines(heading: string, ports: readonly PlanPort[]): string {
  const rows = ports.map(({ name, type, bytes, place }) => [name, typeText(type), formatBytes(bytes), place]);
  return textTable([[heading, 'type', 'size', 'where'], ...rows], ['left', 'left', 'right', 'left']);
}

function stepLines({ steps }: PlanDescription): string {
  const rows = steps.map(({ step, kernel, operation, fused, workgroups, bytesRead, bytesWritten }) => [
    String(step),
    kernel,
    workgroups.join('×'),
    formatBytes(bytesRead),
    formatBytes(bytesWritten),
    [operationText(operation), ...fused.map(({ line, name }) => `%${line} ${name}`)].join(' ← '),
  ]);
  return textTable(
    [['step', 'kernel', 'workgroups', 'reads', 'writes', 'operation ← fused into it'], ...rows],
    ['right', 'left', 'right', 'right', 'right', 'left'],
  );
}

function tensorLines(tensors: readonly ArenaTensor[], dispatches: number): string {
  const rows = tensors.map(({ buffer, offset, bytes, first, last, use, operation }, k) => [
    markOf(k),
    `arena${buffer}+${offset}`,
    formatBytes(bytes),
    `${first}–${last === dispatches ? 'end' : last}`,
    `${use === 'scratch' ? 'scratch of ' : ''}${operationText(operation)}`,
  ]);
  return textTable(
    [['', 'place', 'size', 'steps', 'tensor'], ...rows],
    ['left', 'left', 'right', 'left', 'left'],
  );
}

const overlap = (a: number, b: number, from: number, to: number): number =>
  Math.max(0, Math.min(b, to) - Math.max(a, from));

/** One buffer: addresses down, steps across, in each cell the mark of the tensor that fills most of it, or a dot. */
function picture({ tensors, arena, steps }: PlanDescription, buffer: number): string {
  const times = steps.length + 1;
  const columns = Math.min(PICTURE.columns, times);
  const rows = Math.min(PICTURE.rows, tensors.filter((tensor) => tensor.buffer === buffer).length);
  const bytes = arena[buffer]!;
  const lines = Array.from({ length: rows }, (_, row) => {
    const [low, high] = [row, row + 1].map((k) => (k * bytes) / rows) as [number, number];
    const cells = Array.from({ length: columns }, (_, column) => {
      const [from, to] = [column, column + 1].map((k) => (k * times) / columns) as [number, number];
      const shares = tensors.map((tensor) =>
        tensor.buffer === buffer
          ? overlap(low, high, tensor.offset, tensor.offset + tensor.bytes) *
            overlap(from, to, tensor.first, tensor.last + 1)
          : 0,
      );
      const greatest = Math.max(...shares);
      return greatest === 0 ? '.' : markOf(shares.indexOf(greatest));
    });
    return [String(Math.round(low)), `|${cells.join('')}|`];
  });
  return [
    `arena${buffer}, ${formatBytes(bytes)}: addresses down, steps 0–${steps.length} across`,
    textTable(lines, ['right', 'left']),
  ].join('\n');
}

function totalLines({ totals }: PlanDescription): string {
  const { peakBytes, peakStep, arenaBytes, tensorBytes, inputBytes, sharedInputBytes } = totals;
  return [
    `traffic: ${formatBytes(totals.bytesRead)} read, ${formatBytes(totals.bytesWritten)} written`,
    `arena: ${formatBytes(arenaBytes)} for ${formatBytes(tensorBytes)} of tensors; ` +
      `${formatBytes(peakBytes)} are needed at step ${peakStep}`,
    `inputs: ${formatBytes(inputBytes)} of its own, ${formatBytes(sharedInputBytes)} shared`,
  ].join('\n');
}

/** The description as text, in sections with an empty line between them. */
export function planText(description: PlanDescription): string {
  const { label, totals, inputs, outputs, tensors, arena } = description;
  const sections = [
    `plan ${label}: ${totals.operations} operations in ${totals.dispatches} dispatches`,
    portLines('input', inputs),
    portLines('output', outputs),
    stepLines(description),
    ...(tensors.length === 0 ? [] : [tensorLines(tensors, totals.dispatches)]),
    ...arena.map((_, buffer) => picture(description, buffer)),
    totalLines(description),
  ];
  return `${sections.join('\n\n')}\n`;
}
