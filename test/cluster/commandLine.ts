/** The command `hypergrad`, bundled as the package is, called as a user of a cluster calls it. */
import { execFile } from 'node:child_process';

/** How a call ended. */
export interface Called {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Hypergrad = (...args: readonly string[]) => Promise<Called>;

/**
 * The command with these variables.
 *
 * @param script the bundled `src/cli/main.ts`
 */
export const hypergradAt =
  (script: string, environment: Readonly<Record<string, string>>): Hypergrad =>
  (...args) =>
    new Promise((resolve, reject) => {
      execFile(
        process.execPath,
        [script, ...args],
        { env: { ...process.env, HYPERGRAD_TUNING: 'off', ...environment }, maxBuffer: 2 ** 26 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : error.code;
          if (typeof code === 'number') resolve({ code, stdout, stderr });
          else reject(error);
        },
      );
    });

/** What a call answered in JSON. Throws, with all that it said, where it failed. */
export async function answer<Answer>(called: Promise<Called>): Promise<Answer> {
  const { code, stdout, stderr } = await called;
  if (code !== 0) throw new Error(`hypergrad ended with code ${code}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as Answer;
}
