/** A Python with PyTorch, where this machine has one. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

const candidates = (): string[] =>
  process.env.HYPERGRAD_PYTHON === undefined
    ? ['python3', '/usr/bin/python3']
    : [process.env.HYPERGRAD_PYTHON];

/** What a script prints; null where no Python has torch and numpy. A script that fails throws with what it said. */
export async function runPython(args: readonly string[]): Promise<string | null> {
  for (const python of candidates()) {
    const isThere = await execute(python, ['-c', 'import torch, numpy']).then(
      () => true,
      () => false,
    );
    if (isThere) return (await execute(python, [...args])).stdout;
  }
  return null;
}
