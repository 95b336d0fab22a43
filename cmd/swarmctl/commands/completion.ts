import { Argument, type Command } from 'commander';
import type { Cli } from '../cli.js';
import { defineCommand } from './define-command.js';

type Shell = 'bash' | 'zsh' | 'fish';

/** `swarmctl completion`. */
export function completionCommand(cli: Cli): Command {
  return defineCommand({
    name: 'completion',
    summary: "Let a shell complete swarmctl's commands",
    description:
      'Prints a script that makes a shell complete commands, flags, and names of services, tasks, nodes and contexts.',
    examples: [
      ['bash, this session', 'source <(swarmctl completion bash)'],
      ['zsh, from now on', 'swarmctl completion zsh > "${fpath[1]}/_swarmctl"'],
      ['fish, from now on', 'swarmctl completion fish > ~/.config/fish/completions/swarmctl.fish'],
    ],
  })
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action((shell: Shell) => {
      cli.streams.out(SCRIPTS[shell]);
    });
}

/**
 * The scripts only ask `swarmctl __complete`, which reads the tree of commands: they stay right when
 * commands change. Its first line is `:words` or `:files`.
 */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of swarmctl
_swarmctl() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" answer
  local line="\${COMP_LINE:0:COMP_POINT}"
  local -a words
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  answer="$(swarmctl __complete -- "\${words[@]:1}" 2>/dev/null)" || return
  local kind="\${answer%%$'\\n'*}" list="\${answer#*$'\\n'}"
  if [[ "$kind" == ":files" ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
    return
  fi
  # bash cuts words at = and : but the answers are whole words.
  local whole="\${words[-1]}" prefix=""
  [[ "$whole" != "$cur" && "$whole" == *"$cur" ]] && prefix="\${whole%"$cur"}"
  COMPREPLY=()
  local word
  while IFS=$'\\t' read -r word _; do
    [[ -n "$word" && "$word" == "$whole"* ]] && COMPREPLY+=("\${word#"$prefix"}")
  done <<< "$list"
  [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *[=,] ]] && compopt -o nospace 2>/dev/null
}
complete -F _swarmctl swarmctl
`,
  zsh: `#compdef swarmctl
# zsh completion of swarmctl
_swarmctl() {
  local answer kind line word about
  local -a lines described
  answer="$(swarmctl __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)" || return
  lines=("\${(@f)answer}")
  kind="\${lines[1]}"
  if [[ "$kind" == ":files" ]]; then
    _files
    return
  fi
  for line in "\${(@)lines[2,-1]}"; do
    [[ -z "$line" ]] && continue
    word="\${line%%$'\\t'*}"
    about="\${line#*$'\\t'}"
    [[ "$about" == "$line" ]] && about=""
    described+=("\${word//:/\\\\:}\${about:+:$about}")
  done
  _describe 'swarmctl' described
}
if [ "$funcstack[1]" = "_swarmctl" ]; then
  _swarmctl "$@"
else
  compdef _swarmctl swarmctl
fi
`,
  fish: `# fish completion of swarmctl
function __swarmctl_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l answer (swarmctl __complete -- $words[2..-1] 2>/dev/null)
  if test "$answer[1]" = ":files"
    __fish_complete_path (commandline -ct)
    return
  end
  for line in $answer[2..-1]
    echo $line
  end
end
complete -c swarmctl -f -a '(__swarmctl_complete)'
`,
};
