#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { DeviceTimeoutError } from '../errors.js';
import { describeFailure } from './errors.js';
import { createProgram } from './program.js';

const program = createProgram(fileURLToPath(import.meta.url));

function fail(error: unknown): void {
  const debug = program.opts<{ debug?: boolean }>().debug === true || Boolean(process.env.HYPERGRAD_DEBUG);
  const { text, exitCode } = describeFailure(error, debug);
  process.stderr.write(text);
  process.exitCode = exitCode;
}

// A reader that has seen enough (`hypergrad verify … | head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
process.on('uncaughtException', (error) => {
  fail(error);
  // What is still under way can no longer be relied on.
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
  // Work that a hanging device never ends would keep the process.
  if (error instanceof DeviceTimeoutError) process.exit();
}
