/**
 * What a shell runs to complete `hypergrad`: a few lines that ask the program itself, which prints a candidate a line, with its
 * description behind a tab. Where it prints none the shell completes files.
 */

const bash = `# Completion of hypergrad for bash: eval "$(hypergrad completion bash)" in ~/.bashrc
_hypergrad() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    printf -v word %q "$word"
    COMPREPLY+=("$word")
  done < <("\${COMP_WORDS[0]}" complete --shell bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  # What ends so goes on.
  [[ \${COMPREPLY[0]-} == *[=./] ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -o bashdefault -o default -F _hypergrad hypergrad
`;

const zsh = `#compdef hypergrad
# Completion of hypergrad for zsh: eval "$(hypergrad completion zsh)" in ~/.zshrc, after compinit
_hypergrad() {
  local line word
  local -a closed open
  while IFS= read -r line; do
    word="\${\${line%%$'\\t'*}//:/\\\\:}"
    # What ends so goes on.
    if [[ $word == *[=./] ]]; then
      open+=("$word:\${line#*$'\\t'}")
    else
      closed+=("$word:\${line#*$'\\t'}")
    fi
  done < <("\${words[1]}" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#closed} + \${#open} )); then
    _describe hypergrad closed -- open -S ''
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" == _hypergrad ]]; then
  _hypergrad "$@"
else
  compdef _hypergrad hypergrad
fi
`;

const fish = `# Completion of hypergrad for fish: hypergrad completion fish > ~/.config/fish/completions/hypergrad.fish
function __hypergrad_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l typed (commandline -ct)
    set -l found ($program complete -- $words "$typed" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$typed"
    end
end
complete -c hypergrad -f -a '(__hypergrad_complete)'
`;

/** By the shell's name. */
export const completionScripts = { bash, zsh, fish } as const;
/** A shell whose completion there is. */
export type Shell = keyof typeof completionScripts;
/** Their names. */
export const shells = Object.keys(completionScripts) as Shell[];
