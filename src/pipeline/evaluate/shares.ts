/** The shares of an evaluation that jobs of their own make: their names, and what one leaves. */
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import { requireVersion, versionOf } from '../store/formatVersion.js';
import { parseJson } from '../store/strictJson.js';
import type { EvaluationShare } from './evaluateEncoders.js';
import { type EncoderResult, resultSchema } from './keeper.js';

const VERSION = 1;

const shareSchema = z.object({ version: z.literal(VERSION), results: z.array(resultSchema) });

/** What a share is called: `student-003`, or `transfer-2-003` for the second of the other architectures. */
function nameOf({ architecture, repetition }: EvaluationShare): string {
  const who = architecture === 0 ? 'student' : `transfer-${architecture}`;
  return `${who}-${String(repetition).padStart(3, '0')}`;
}

/** The share of a name that `sharesOf` gave. */
export function shareOf(name: string): EvaluationShare {
  const [, architecture = '0', repetition] = /^(?:student|transfer-(\d+))-(\d+)$/.exec(name)!;
  return { architecture: Number(architecture), repetition: Number(repetition) };
}

/** Names of all shares, in the order of the evaluation's results. */
export function sharesOf({ evaluate }: Pick<Config, 'evaluate'>): string[] {
  const architectures = Array.from({ length: 1 + evaluate.transfer.length }, (_, k) => k);
  return architectures.flatMap((architecture) =>
    Array.from({ length: evaluate.seeds }, (_, repetition) => nameOf({ architecture, repetition })),
  );
}

/** What of `evaluate` a share reads: neither how many seeds there are nor which other architectures. */
export function shareReads({ evaluate }: Pick<Config, 'evaluate'>, name: string): unknown {
  const { seeds: _, transfer, ...others } = evaluate;
  const { architecture, repetition } = shareOf(name);
  return { ...others, architecture: transfer[architecture - 1] ?? null, repetition };
}

export const encodeShare = (results: readonly EncoderResult[]): string =>
  `${JSON.stringify({ version: VERSION, results }, null, 2)}\n`;

/**
 * Reads what a share left.
 *
 * @param path where it was read, for the message
 * @throws StoreError when it is damaged, or of a newer version.
 */
export function decodeShare(text: string, path: string): EncoderResult[] {
  try {
    const json = parseJson(text);
    requireVersion(path, versionOf(json), VERSION);
    return shareSchema.parse(json).results;
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${path} is damaged. Delete its job's folder, and run the job again.`, { cause });
  }
}
