/** What `hypergrad tune` keeps: its answer for one adapter, and how it came by it. */
import { z } from 'zod';
import { version } from '../../../package.json';
import type { TuningChoice } from '../../autograd/tune/tuneDevice.js';
import type { AdapterDescription } from '../../gpu/device.js';
import { tuningFor } from '../../kernels/catalogue.js';
import { overridesFault, type TuningOverrides } from '../../kernels/deviceTuning.js';
import { shown } from '../store/shownText.js';
import { parseJson } from '../store/strictJson.js';

/** Changes when older versions could not read the file. */
export const RECORD_FORMAT = 1;

/** Block sizes that were measured to be best on one adapter. */
export interface TuningRecord {
  /** Of the file; 1. */
  readonly format: typeof RECORD_FORMAT;
  /** The adapter that it was measured on. */
  readonly adapter: Pick<AdapterDescription, 'name' | 'kind'>;
  /** Version of hypergrad; another one's kernels and candidates are others. */
  readonly hypergrad: string;
  /** Version of the npm package `webgpu`. */
  readonly webgpu: string;
  /** When, in ISO 8601. */
  readonly made: string;
  /** The preset whose steps were measured. */
  readonly preset: string;
  /** What was chosen in each group, with the times. */
  readonly choices: readonly TuningChoice[];
  /** The block sizes that take the place of the class's. */
  readonly overrides: TuningOverrides;
}

const seconds = z.number().nonnegative();

/** At most so many entries are looked at one by one: each could have a fault of its own. */
const MOST_CHOICES = 1000;
/** Characters of a fault, which may quote the file. */
const LONGEST_FAULT = 160;
const short = z.custom<unknown[]>((value) => Array.isArray(value) && value.length <= MOST_CHOICES);

const recordSchema = z.strictObject({
  format: z.literal(RECORD_FORMAT),
  adapter: z.strictObject({ name: z.string(), kind: z.enum(['hardware', 'software']) }),
  hypergrad: z.string(),
  webgpu: z.string(),
  made: z.iso.datetime(),
  preset: z.string(),
  choices: short.pipe(
    z.array(
      z.strictObject({
        group: z.string(),
        candidate: z.string().nullable(),
        before: seconds,
        after: seconds,
        failures: z.record(z.string(), z.string()),
      }),
    ),
  ),
  overrides: z.unknown(),
});

/** What any format and version of the file says of itself. */
const headSchema = z.object({
  format: z.number(),
  adapter: z.object({ name: z.string() }).optional(),
  hypergrad: z.string().optional(),
});

/** The record that a file holds, or why it does not count for this adapter. */
export type ParsedRecord = { readonly record: TuningRecord } | { readonly fault: string };

/** Reads a record and checks that it is one of this version, for this adapter, and names block sizes that there are. */
export function parseRecord(text: string, adapter: Pick<AdapterDescription, 'name' | 'kind'>): ParsedRecord {
  let content: unknown;
  try {
    content = parseJson(text);
  } catch {
    return { fault: 'it is damaged' };
  }
  const head = headSchema.safeParse(content);
  if (!head.success) return { fault: 'it is damaged' };
  if (head.data.format !== RECORD_FORMAT) {
    return { fault: `it is of format ${head.data.format}, and this version reads format ${RECORD_FORMAT}` };
  }
  const { adapter: other, hypergrad } = head.data;
  if (other !== undefined && other.name !== adapter.name) {
    return { fault: `it is for another adapter, '${shown(other.name)}'` };
  }
  if (hypergrad !== undefined && hypergrad !== version) {
    return { fault: `hypergrad ${shown(hypergrad)} made it, and this is ${version}` };
  }
  const parsed = recordSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { fault: `its field ${shown(issue?.path.join('.') ?? '') || 'list'} does not fit` };
  }
  if (parsed.data.adapter.kind !== adapter.kind) {
    return { fault: `it is for a ${parsed.data.adapter.kind} device, and this is a ${adapter.kind} one` };
  }
  const fault = overridesFault(tuningFor(adapter.kind), parsed.data.overrides);
  if (fault !== null) return { fault: shown(fault, LONGEST_FAULT) };
  return { record: { ...parsed.data, overrides: parsed.data.overrides as TuningOverrides } };
}
