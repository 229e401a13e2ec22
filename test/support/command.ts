/** Commands, called in this process. */
import { vi } from 'vitest';
import { createProgram } from '../../src/cli/program.js';

/** What was written meanwhile. */
export interface Written {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs some work and returns what it wrote, which is not shown. Rejects as the work does. */
export async function captured(work: () => Promise<unknown>): Promise<Written> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  try {
    await work();
    return written;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** What `hypergrad` with these words writes on stdout. Rejects as the command does. */
export async function said(...words: string[]): Promise<string> {
  return (await captured(() => createProgram().parseAsync(words, { from: 'user' }))).stdout;
}

/** The error that `hypergrad` with these words ends with; undefined where it ends well. */
export const refusal = (...words: string[]): Promise<unknown> =>
  said(...words).then(
    () => undefined,
    (error: unknown) => error,
  );
