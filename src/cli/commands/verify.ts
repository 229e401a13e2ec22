import { Command } from 'commander';
import { ConfigError, DataError, EXIT_CODES } from '../../errors.js';
import type { DeviceChoice } from '../../gpu/node/openDevice.js';
import { type CaseResult, findCases, verifyCase, worstOf } from '../../pipeline/verify/verify.js';
import { deviceOf } from '../asked.js';
import { note } from '../help.js';
import { terminalText } from '../terminalText.js';
import { openTunedDevice } from '../tunedDevice.js';
import { voiceOf } from '../voice.js';

interface VerifyFlags {
  readonly device?: DeviceChoice;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Two digits, and an exponent of two at least: 3.1e-08. */
function scientific(value: number): string {
  return value.toExponential(1).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** A case in one line: `ok   NAME  worst OUTPUT error 3.1e-08 allowed 1.1e-06`, or `FAIL` and why. */
function describeCase(result: CaseResult): string {
  const verdict = (result.passed ? 'ok' : 'FAIL').padEnd(4);
  const worst = worstOf(result.measured);
  // Reasons of more than one line are told in one: a line a case.
  let detail = result.reason?.replace(/\s*\n\s*/g, ' ');
  if (detail === undefined && worst !== undefined) {
    detail = Number.isFinite(worst.error)
      ? `worst ${worst.output} error ${scientific(worst.error)} allowed ${scientific(worst.allowed)}`
      : `worst ${worst.output} was not computed, or not to a finite number of the right shape`;
  }
  return `${verdict} ${result.name}  ${detail ?? 'the file holds no output to compare.'}`;
}

/** The exit code for a list of results; a file that cannot be read weighs more than a case that fails. */
function exitCodeOf(results: readonly CaseResult[]): number {
  if (results.some(({ readable }) => !readable)) return EXIT_CODES.data;
  return results.every(({ passed }) => passed) ? EXIT_CODES.done : EXIT_CODES.failure;
}

async function verify(paths: readonly string[], flags: VerifyFlags): Promise<void> {
  const files = await findCases(paths).catch((error: unknown) => {
    // A path on the command line that leads nowhere is the command line's fault, not that of a file.
    throw error instanceof DataError ? new ConfigError(error.message, { cause: error }) : error;
  });
  const { device, description } = await openTunedDevice(deviceOf(flags));
  const results: CaseResult[] = [];
  try {
    voiceOf(flags).step(description);
    for (const file of files) {
      const result = await verifyCase(file, device);
      results.push(result);
      if (!flags.json) process.stdout.write(`${terminalText(describeCase(result))}\n`);
    }
  } finally {
    device.close();
  }
  const passed = results.filter((result) => result.passed).length;
  if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else process.stdout.write(`${passed} passed, ${results.length - passed} failed\n`);
  process.exitCode = exitCodeOf(results);
}

/** The command `hypergrad verify`. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('replay reference cases (.safetensors) on this device and compare every number')
    .argument('<path...>', 'files, or folders of files')
    .option('--json', 'print a JSON array of results; an error that is not finite is null')
    .addHelpText(
      'after',
      note(
        'Exit code: 0 when every case passes, 1 when one fails, 5 when one cannot be read, 2 when a path does not exist.',
      ),
    )
    .action(verify);
}
