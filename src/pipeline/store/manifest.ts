/**
 * The manifest of a run's folder: which stage made which files, and from what. Text and data only; `runFolder.ts` reads and
 * writes the file. It holds no times, and every object's keys are sorted, so that the same run gives the same bytes.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import { newerFile } from './formatVersion.js';
import { parseJson } from './strictJson.js';

/** Name of the manifest's file in the folder. */
export const MANIFEST = 'manifest.json';

/** 1 held no `reads`; such a manifest is read as one whose stages do not say what they read. */
export const MANIFEST_VERSION = 2;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const artefacts = z.record(z.string(), hash);

const versionOne = z.strictObject({
  version: z.literal(1),
  stages: z.record(z.string(), z.strictObject({ inputs: hash, artefacts })),
});

const versionTwo = z.strictObject({
  version: z.literal(2),
  stages: z.record(
    z.string(),
    z.strictObject({ inputs: hash, artefacts, reads: z.record(z.string(), z.json()).exactOptional() }),
  ),
});

const manifestSchema = z.union([versionTwo, versionOne]);

/** Plain values, as JSON holds them. */
export type Plain = z.core.util.JSONType;

/** What the manifest says about one stage, or about a part of one (`experts/003`). */
export interface StageRecord {
  /** Hash of what it read. */
  readonly inputs: string;
  /** SHA-256 of each file that it made. */
  readonly artefacts: Readonly<Record<string, string>>;
  /** What it read, so that a later run can say what has changed. Parts have none, nor what an earlier version wrote. */
  readonly reads?: Readonly<Record<string, Plain>>;
}

export const sha256 = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');

/**
 * JSON of a plain value with every object's keys sorted: equal values give equal texts.
 * Throws `StoreError` for what JSON cannot hold, such as NaN or a function.
 */
function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
    return `{${fields.join(',')}}`;
  }
  throw new StoreError(
    `A stage's inputs hold ${String(value)}, which has no JSON. Name them by plain values.`,
  );
}

/** SHA-256, in hex, of a plain value: what a stage reads, as one name. Throws `StoreError` for what is not plain. */
export function hashInputs(value: unknown): string {
  return sha256(canonicalJson(value));
}

/** A copy of a plain object as a manifest keeps it: keys sorted, without undefined fields. Throws as `hashInputs` does. */
export const plainCopy = (value: Readonly<Record<string, unknown>>): Record<string, Plain> =>
  JSON.parse(canonicalJson(value)) as Record<string, Plain>;

/** The manifest's text. */
export function encodeManifest(stages: ReadonlyMap<string, StageRecord>): string {
  const sorted = [...stages].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify({ version: MANIFEST_VERSION, stages: Object.fromEntries(sorted) }, null, 2)}\n`;
}

/**
 * The stages of a manifest's text, of this version or the one before.
 *
 * @param path the file, for errors
 * @throws StoreError when the text is damaged, or of a newer version.
 */
export function decodeManifest(text: string, path: string): Map<string, StageRecord> {
  try {
    const json = parseJson(text);
    const versioned = z.looseObject({ version: z.number() }).safeParse(json);
    if (versioned.success && versioned.data.version > MANIFEST_VERSION) {
      throw newerFile(path, versioned.data.version, MANIFEST_VERSION);
    }
    const { stages } = manifestSchema.parse(json);
    return new Map<string, StageRecord>(Object.entries(stages));
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw damaged(path, cause);
  }
}

const damaged = (path: string, cause: unknown): StoreError =>
  new StoreError(
    `${path} is damaged. Delete it to run all stages again, or choose another folder with --out DIR.`,
    { cause },
  );
