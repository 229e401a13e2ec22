/** Programs of Node's in processes of their own, such as the bundled command. */
import { type ChildProcess, spawn } from 'node:child_process';

/** How a process ended. */
export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly cwd?: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told every line on stderr when it is whole. */
  readonly onLine?: (line: string, child: ChildProcess) => void;
}

/** Hides the GPU that a Linux machine may have, so that no device opens. */
export const NO_HARDWARE = {
  HYPERGRAD_DEVICE: 'hardware',
  VK_DRIVER_FILES: '/nonexistent.json',
  VK_ICD_FILENAMES: '/nonexistent.json',
};

/** Milliseconds after which a process is ended: a test that waits longer has failed. */
const PATIENCE = 100_000;

/** Starts a script of Node's. */
export function startCommand(
  script: string,
  args: readonly string[],
  { cwd, env = {}, onLine = () => {} }: StartOptions = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE,
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    let [stdout, stderr, rest] = ['', '', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) onLine(line, child);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}
