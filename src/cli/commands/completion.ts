/** The command `hypergrad completion`, and the hidden one that its scripts ask. */
import { Argument, Command, Option } from 'commander';
import { candidates, rejoinWords } from '../completion/candidates.js';
import { completionScripts, type Shell, shells } from '../completion/scripts.js';
import { note } from '../help.js';

/** The command `hypergrad completion`. */
export function completionCommand(): Command {
  return new Command('completion')
    .description('print the script with which a shell completes commands, presets, fields and runs')
    .addArgument(new Argument('<shell>', 'the shell that reads it').choices(shells))
    .addHelpText(
      'after',
      note(`bash  eval "$(hypergrad completion bash)" in ~/.bashrc
zsh   eval "$(hypergrad completion zsh)" in ~/.zshrc, after compinit
fish  hypergrad completion fish > ~/.config/fish/completions/hypergrad.fish`),
    )
    .action((shell: Shell) => {
      process.stdout.write(completionScripts[shell]);
    });
}

/** What the scripts ask: candidates for the last of some words, a line each. */
export function completeCommand(program: Command): Command {
  return new Command('complete')
    .argument('[words...]', "the words typed after the program's name, behind --")
    .addOption(new Option('--shell <name>', 'the shell whose words they are').choices(shells))
    .action((words: readonly string[], { shell }: { readonly shell?: Shell }) => {
      const lines = (found: readonly string[]) =>
        process.stdout.write(found.map((line) => `${line}\n`).join(''));
      if (shell !== 'bash') {
        lines(
          candidates(program, words).map(
            ({ value, description }) => `${value}\t${description.replaceAll(/\s+/g, ' ')}`,
          ),
        );
        return;
      }
      const typed = rejoinWords(words);
      // bash replaces what stands behind the last equals sign only.
      const kept = (typed.at(-1) ?? '').lastIndexOf('=') + 1;
      lines(candidates(program, typed).map(({ value }) => value.slice(kept)));
    });
}
