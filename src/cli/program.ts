/** The command line: its commands, and the options that they share. */
import { Command, Option } from 'commander';
import { version } from '../../package.json';
import type { DeviceChoice } from '../gpu/node/openDevice.js';
import { cancelCommand } from './commands/cancel.js';
import { checkCommand } from './commands/check.js';
import { compareCommand } from './commands/compare.js';
import { completeCommand, completionCommand } from './commands/completion.js';
import { configCommand } from './commands/config.js';
import { dataCommand } from './commands/data.js';
import { doctorCommand } from './commands/doctor.js';
import { evaluateCommand } from './commands/evaluate.js';
import { exportCommand } from './commands/export.js';
import { gradcheckCommand } from './commands/gradcheck.js';
import { initCommand } from './commands/init.js';
import { jobCommand, workCommand } from './commands/job.js';
import { planCommand } from './commands/plan.js';
import { presetsCommand } from './commands/presets.js';
import { previewCommand } from './commands/preview.js';
import { reportCommand } from './commands/report.js';
import { runCommand } from './commands/run.js';
import { statusCommand } from './commands/status.js';
import { studyCommand } from './commands/study.js';
import { sweepCommand } from './commands/sweep.js';
import { tuneCommand } from './commands/tune.js';
import { verifyCommand } from './commands/verify.js';
import { watchCommand } from './commands/watch.js';
import { environmentList, exitCodeList, finishHelp, presetList } from './help.js';

const deviceChoices = ['auto', 'hardware', 'software', 'bundled'] as const satisfies readonly DeviceChoice[];

const deviceOption = () =>
  new Option(
    '--device <choice>',
    'which device computes; default: the environment variable HYPERGRAD_DEVICE, else auto',
  ).choices(deviceChoices);

/** A command, or all below it where it only gathers them, with the choice of the device. */
function onDevice(command: Command): Command {
  for (const each of command.commands.length > 0 ? command.commands : [command])
    each.addOption(deviceOption());
  return command;
}

/** Commands that stand together in the program's help. */
const group = (heading: string, commands: readonly Command[]): Command[] =>
  commands.map((command) => command.helpGroup(heading));

/**
 * The program `hypergrad`, not yet run. Parsing throws `CommanderError` for a command line that does not fit
 * (its sentence is on stderr by then) and after help or version; a command's own errors pass through.
 *
 * @param script the file that this program is started by, where it can start itself again; sweeps run in this process without one
 */
export function createProgram(script: string | null = null): Command {
  const program = new Command('hypergrad')
    .description(
      'Distils a dataset into a few synthetic images by differentiating through training on WebGPU.',
    )
    .version(version)
    .option('--quiet', 'print answers and errors only')
    .option('--debug', 'show the stack trace of an error (also: HYPERGRAD_DEBUG=1)')
    .addHelpText('after', environmentList())
    .addHelpText('after', exitCodeList())
    // What stands before or after a command alike reaches it among its own options.
    .hook('preAction', (_, command) => {
      command.setOptionValue('quiet', program.opts<{ quiet?: boolean }>().quiet === true);
    });

  for (const command of [
    ...group('Distil:', [
      onDevice(runCommand()).addHelpText('after', presetList()),
      watchCommand(),
      onDevice(evaluateCommand()),
      compareCommand(),
      reportCommand(),
      checkCommand(),
      exportCommand(),
    ]),
    ...group('Run many:', [
      onDevice(planCommand()),
      onDevice(sweepCommand(script)),
      statusCommand(),
      cancelCommand(),
      onDevice(jobCommand()),
    ]),
    ...group('Prepare a run:', [
      presetsCommand(),
      initCommand(),
      configCommand(),
      dataCommand(),
      onDevice(previewCommand()),
    ]),
    ...group('Measure and check:', [
      onDevice(studyCommand()),
      onDevice(gradcheckCommand()),
      onDevice(verifyCommand()),
      onDevice(tuneCommand()),
      onDevice(doctorCommand()),
      completionCommand(),
    ]),
  ]) {
    program.addCommand(command);
  }
  program.addCommand(completeCommand(program), { hidden: true });
  program.addCommand(onDevice(workCommand()), { hidden: true });
  finishHelp(program);
  return program;
}
