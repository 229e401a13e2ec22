/**
 * Where an operation comes from: the line of the user's code that traced it. It is read from the call stack, as the
 * innermost frame that belongs neither to the engine nor to an installed package; errors and printed tapes name it.
 */
import { type Operation, typeText } from './tape.js';

/** Where an operation was traced. Plain data, carried by the tape and used for nothing but messages. */
export interface Origin {
  /** The user's line as `file:line:column`; left out where no frame of the call was the user's. */
  readonly place?: string;
  /** On an operation that a gradient recorded: the name of the forward operation that is differentiated. */
  readonly gradientOf?: string;
  /** With `gradientOf`: 1 in a first derivative, 2 in the derivative of that, and so on. */
  readonly order?: number;
}

/** Frames that are looked through: those of an ordinary call of an operation, and when none of them is the user's. */
const SHALLOW = 12;
const DEEP = 60;

/** The stack of this call in so many frames, whatever limit the host has set. */
function captureStack(depth: number): string {
  const host = Error as { stackTraceLimit?: number };
  const limit = host.stackTraceLimit;
  try {
    host.stackTraceLimit = depth;
    return new Error().stack ?? '';
  } catch {
    // A host that has frozen its globals keeps its own limit.
    return new Error().stack ?? '';
  } finally {
    if (limit === undefined) Reflect.deleteProperty(host, 'stackTraceLimit');
    else Reflect.set(host, 'stackTraceLimit', limit);
  }
}

/** One frame of a stack: a file, as a path where it is local and else as an address without its query. */
export interface Frame {
  readonly file: string;
  /** `line:column`, both from 1. */
  readonly position: string;
}

/**
 * One line of a stack: `at name (file:1:2)`, `at file:1:2` in V8; `name@file:1:2`, `file:1:2` in Firefox and Safari.
 *
 * @returns undefined for what is no place in a file: native code, an evaluated text, the error's message.
 */
export function parseFrame(line: string): Frame | undefined {
  const v8 = /^\s*at (.*)$/.exec(line);
  const text = v8 === null ? line.slice(line.indexOf('@') + 1) : fromV8(v8[1]!);
  const match = /^(.+?):(\d+):(\d+)$/.exec(text.trim());
  if (
    match === null ||
    / > (eval|Function)/.test(text) ||
    /^(eval at|node:|internal\/|ext:|wasm:|<)/.test(text)
  )
    return undefined;
  return { file: localFile(match[1]!), position: `${match[2]}:${match[3]}` };
}

/** `name (place)` or `async place` or `place`, to the place. */
function fromV8(frame: string): string {
  const opening = frame.indexOf(' (');
  return frame.endsWith(')') && opening >= 0 ? frame.slice(opening + 2, -1) : frame.replace(/^async /, '');
}

function localFile(file: string): string {
  if (!file.includes('://')) return file.replaceAll('\\', '/');
  const address = file.replace(/[?#].*$/, '');
  // file:///home/a.ts is /home/a.ts, and file:///C:/a.ts is C:/a.ts.
  return address.startsWith('file://')
    ? safeDecode(address.slice(7)).replace(/^\/(?=[A-Za-z]:)/, '')
    : address;
}

function safeDecode(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/**
 * What of the file system is the engine, told from the file that this module was loaded from: the source folder, or
 * the package's folder of bundles (`dist`, with its `chunks`). In any other bundle the engine is that one file.
 */
export function engineExtent(ownFile: string): string {
  const source = /^(.*\/)autograd\/origin\.[jt]s$/.exec(ownFile);
  if (source !== null) return source[1]!;
  return /^(.*\/dist\/)(chunks\/)?[^/]+$/.exec(ownFile)?.[1] ?? ownFile;
}

/** Frames by their lines: a program calls the engine from few places, many times. */
const frames = new Map<string, Frame | undefined>();

function frameOf(line: string): Frame | undefined {
  if (!frames.has(line)) frames.set(line, parseFrame(line));
  return frames.get(line);
}

/** The innermost place of a stack that is the user's: outside the engine and outside installed packages. */
export function userPlace(stack: string, engine: string): string | undefined {
  for (const line of stack.split('\n')) {
    const frame = frameOf(line);
    if (frame === undefined || frame.file.startsWith(engine) || frame.file.includes('/node_modules/'))
      continue;
    return `${frame.file}:${frame.position}`;
  }
  return undefined;
}

const firstFile = (stack: string): string | undefined =>
  stack
    .split('\n')
    .map(parseFrame)
    .find((frame) => frame !== undefined)?.file;

/** Undefined where the host gives no stacks; then nothing has an origin. */
const ownFile = firstFile(captureStack(1));
const engine = ownFile === undefined ? undefined : engineExtent(ownFile);

/** Where the user's code called the engine, by the stack of an error or of this call; `{}` when no frame is the user's. */
export function captureOrigin(stack?: string): Origin {
  if (engine === undefined) return {};
  const place =
    stack === undefined
      ? (userPlace(captureStack(SHALLOW), engine) ?? userPlace(captureStack(DEEP), engine))
      : userPlace(stack, engine);
  return place === undefined ? {} : { place };
}

/** The origin of what the derivative rule of an operation records. */
export function gradientOrigin(name: string, origin: Origin = {}): Origin {
  return {
    ...origin,
    gradientOf: origin.gradientOf ?? name,
    order: (origin.order ?? 0) + 1,
  };
}

/** `first`, `second`, … as in "second gradient"; nothing for the first. */
function gradientText({ gradientOf, order = 1 }: Origin): string {
  const ordinal = ['', 'second ', 'third '][order - 1] ?? `${order}-fold `;
  return `${ordinal}gradient of ${gradientOf}`;
}

const tracedText = ({ place }: Origin = {}): string => (place === undefined ? '' : `, traced at ${place}`);

/** An origin for a comment or a tooltip: `gradient of conv2d, train.ts:12:7`; empty when nothing is known. */
export function originText(origin: Origin = {}): string {
  const parts = [origin.gradientOf === undefined ? undefined : gradientText(origin), origin.place];
  return parts.filter((part) => part !== undefined).join(', ');
}

/** The sentence with which an error of tracing ends; empty when nothing is known. */
export function originSentence(origin: Origin = {}): string {
  const { place, gradientOf } = origin;
  if (gradientOf === undefined) return place === undefined ? '' : `Traced at ${place}.`;
  return `Met in the ${gradientText(origin)}${tracedText(origin)}.`;
}

/** The sentence with which an error about one operation of a tape ends. */
export function operationSentence(doing: string, operation: Operation): string {
  const { id, name, type, origin } = operation;
  const from = origin?.gradientOf === undefined ? '' : ` in the ${gradientText(origin)}`;
  return `Met while ${doing} ${name} (%${id}: ${typeText(type)})${from}${tracedText(origin)}.`;
}

/** Errors whose message says where already. */
const located = new WeakSet<Error>();

/**
 * Adds to an error's message where the operation at fault was traced. The first sentence that is added stays the only
 * one: it comes from closest to the fault.
 *
 * @returns the same error, to be thrown on.
 */
export function locate(error: unknown, sentence: string): unknown {
  if (!(error instanceof Error) || sentence === '' || located.has(error)) return error;
  located.add(error);
  const { message, stack } = error;
  error.message = `${message} ${sentence}`;
  // V8 has written the message into the stack, and hosts print the stack.
  if (message !== '' && stack?.includes(message)) error.stack = stack.replace(message, () => error.message);
  return error;
}
