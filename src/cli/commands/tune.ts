/** The command `hypergrad tune`: which block sizes suit this adapter, measured and kept for all later runs. */
import { Command, Option } from 'commander';
import { textTable } from '../../autograd/textTable.js';
import { gainOf } from '../../autograd/tune/choose.js';
import type { TuningChoice } from '../../autograd/tune/tuneDevice.js';
import { InterruptedError } from '../../errors.js';
import { type DeviceChoice, openDevice } from '../../gpu/node/openDevice.js';
import { tuningGroups } from '../../kernels/tuningCandidates.js';
import { describePreset } from '../../pipeline/config/resolve.js';
import type { TuningRecord } from '../../pipeline/tune/record.js';
import { isTuningWanted, removeTuning, saveTuning } from '../../pipeline/tune/store.js';
import { DEFAULT_ROUNDS, DEFAULT_TUNING_PRESET, tune } from '../../pipeline/tune/tune.js';
import { deviceOf } from '../asked.js';
import { note } from '../help.js';
import { stoppable } from '../interruption.js';
import { wholeNumber } from '../optionValues.js';
import { countSteps } from '../steps.js';
import { voiceOf } from '../voice.js';

interface TuneFlags {
  readonly preset: string;
  readonly rounds: number;
  readonly device?: DeviceChoice;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly reset?: boolean;
}

const parseRounds = wholeNumber('--rounds', { least: 1, most: 9999 });

/** Three significant digits. */
function timeText(seconds: number): string {
  return seconds >= 1 ? `${seconds.toPrecision(3)} s` : `${(seconds * 1e3).toPrecision(3)} ms`;
}

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

function rowOf({ group, candidate, before, after }: TuningChoice): string[] {
  const [name, taken] = [candidate ?? 'as it is', candidate !== null];
  if (before === 0) return [group, name, '–', '–', '–'];
  return [group, name, timeText(before), timeText(after), taken ? percent(gainOf(before, after)) : '–'];
}

/** What was found, in plain text: a row for each group, then the candidates that were left out. */
export function describeRecord({ choices, preset }: TuningRecord): string {
  const table = textTable(
    [['block sizes of', 'chosen', 'before', 'after', 'gain'], ...choices.map(rowOf)],
    ['left', 'left', 'right', 'right', 'right'],
  );
  const failures = choices.flatMap(({ group, failures }) =>
    Object.entries(failures).map(([candidate, reason]) => `  ${group}, ${candidate}: ${reason}`),
  );
  return [
    `Time that a run of ${preset} spends in the launches measured:`,
    table,
    ...(failures.length > 0 ? ['Left out:', ...failures] : []),
  ].join('\n');
}

const STOPPED =
  'Stopped, as asked. Nothing is kept, and what was kept before still counts: give the same command again to measure anew.';

async function run(flags: TuneFlags): Promise<void> {
  const { rounds } = flags;
  describePreset(flags.preset);
  const isUsed = isTuningWanted();
  const { say, remark, step } = voiceOf(flags);
  const device = await openDevice(deviceOf(flags));
  try {
    remark(device.describe());
    if (flags.reset) {
      const removed = await removeTuning(device.adapter.name);
      say(removed === null ? 'There was no tuning of this adapter.' : `Removed ${removed}`);
      return;
    }
    const tell = countSteps(1 + Object.keys(tuningGroups).length, (what) => step(`measuring ${what}`));
    const measure = (signal: AbortSignal): Promise<TuningRecord> =>
      tune(device, {
        preset: flags.preset,
        rounds,
        progress(what) {
          if (signal.aborted) throw new InterruptedError(STOPPED);
          tell(what);
        },
      });
    const record = await stoppable(measure, 'Stopping after this measurement.');
    say(`\n${describeRecord(record)}`);
    if (!flags.dryRun) {
      say(`Kept in ${await saveTuning(record)}; every later run on this adapter uses it.`);
      if (!isUsed) say('It is not used as long as HYPERGRAD_TUNING is off.');
    }
    if (flags.json) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  } finally {
    device.close();
  }
}

/** The command `hypergrad tune`. */
export function tuneCommand(): Command {
  return new Command('tune')
    .description('measure which block sizes suit this adapter best, and use them in every later run')
    .option('--preset <name>', 'the preset whose steps are measured', DEFAULT_TUNING_PRESET)
    .option('--rounds <count>', 'samples of each candidate; their median counts', parseRounds, DEFAULT_ROUNDS)
    .option('--dry-run', 'measure, but keep nothing')
    .option('--json', 'print the record as JSON on stdout, everything else on stderr')
    .addOption(
      new Option('--reset', 'remove what was kept for this adapter, and measure nothing').conflicts([
        'dryRun',
        'json',
        'rounds',
      ]),
    )
    .addHelpText(
      'after',
      note(
        'Leave the machine alone meanwhile. Other block sizes take sums in another order, so results may differ in their last bits; HYPERGRAD_TUNING=off does without what was kept.',
      ),
    )
    .action(run);
}
