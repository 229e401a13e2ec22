/** Tapes, plans and profiles as text. */
import type { PlanDescription } from './compile/describe.js';
import type { Plan } from './compile/plan.js';
import { planText } from './compile/planText.js';
import { originText } from './origin.js';
import type { Profile } from './profile/profile.js';
import { profileText } from './profile/profileText.js';
import { inputNamesOf, type Operation, type Tape, typeText } from './tape.js';

/** How a tape is printed. */
export interface PrintOptions {
  /** End each line with where it was traced, as a comment; false by default. */
  readonly origins?: boolean;
}

/** How a profile is printed. */
export interface ProfilePrintOptions {
  /** Most rows of the table, 20 by default; what is left out is summed up. */
  readonly rows?: number;
}

/** `stride=1`, `padding=1`: an operation's attributes. */
export const settingTexts = ({ attributes }: Operation): string[] =>
  Object.entries(attributes).map(([key, value]) => `${key}=${JSON.stringify(value)}`);

/** `conv2d(%3, %5)` with what else stands between the brackets, or `input 'x'` for an input of that name. */
export const callText = (
  { name, inputs }: Operation,
  inputName: string | undefined,
  settings: readonly string[] = [],
): string =>
  name === 'input'
    ? `input '${inputName}'`
    : `${name}(${[...inputs.map((input) => `%${input}`), ...settings].join(', ')})`;

/** Readable text of a tape: one line an operation with its type, then the outputs. */
export function print(tape: Tape, options?: PrintOptions): string;
/**
 * Readable text of a plan: inputs and outputs, every dispatch in order with the operations fused into it, the memory
 * map as a table and as a picture, and totals.
 */
export function print(plan: Plan | PlanDescription): string;
/**
 * Readable text of a profile: what was measured and how, then a table of kernels, the costliest first.
 * @param options `rows`: most rows of the table, 20 by default
 */
export function print(profile: Profile, options?: ProfilePrintOptions): string;
export function print(
  value: Tape | Plan | PlanDescription | Profile,
  options: PrintOptions & ProfilePrintOptions = {},
): string {
  if ('kernels' in value) return profileText(value, options.rows);
  if ('operations' in value) return tapeText(value, options);
  return planText('steps' in value ? value : value.describe());
}

function tapeText(tape: Tape, { origins = false }: PrintOptions): string {
  const inputNames = inputNamesOf(tape);
  const lines = tape.operations.map((operation) => {
    const { id, type, origin } = operation;
    const comment = origins ? originText(origin) : '';
    const line = `%${id}: ${typeText(type)} = ${callText(operation, inputNames.get(id), settingTexts(operation))}`;
    return comment === '' ? line : `${line} // ${comment}`;
  });
  const outputs = Object.entries(tape.outputs).map(([name, id]) => `${name} = %${id}`);
  return `${lines.join('\n')}\nreturn ${outputs.join(', ')}\n`;
}
