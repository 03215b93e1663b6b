/** Renders completion scripts. The flags of a command include those of its subcommands. */

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export interface CompletionTree {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly { readonly name: string; readonly summary: string }[];
  readonly children: readonly CompletionTree[];
}

export function renderCompletion(shell: Shell, commands: readonly CompletionTree[]): string {
  return { bash: renderBash, zsh: renderZsh, fish: renderFish }[shell](commands);
}

function renderBash(commands: readonly CompletionTree[]): string {
  const cases = commands.map((each) => `    ${each.name}) words='${wordsOf(each).join(' ')}' ;;`);
  return `_evstore() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command='' words='' each
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$each" in -*) ;; *) command="$each"; break ;; esac
  done
  case "$command" in
    '') words='${[...commands.map(({ name }) => name), '--help', '--version'].join(' ')}' ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ -n "$command" && "$current" != -* ]]; then
    # Not through compgen -W, which would expand the names; and bash breaks words at a colon.
    while IFS= read -r each; do
      [[ "$each" == *:* ]] || COMPREPLY+=("$each")
    done < <("\${COMP_WORDS[0]}" completion names -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  fi
  if [[ \${#COMPREPLY[@]} -eq 0 && "$current" != -* ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _evstore evstore
`;
}

function renderZsh(commands: readonly CompletionTree[]): string {
  const names = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  const cases = commands.map((each) => {
    const choices = describe(each).map(({ name, summary }) => quote(`${name}:${summary}`));
    return `    ${each.name}) choices=(${choices.join(' ')}) ;;`;
  });
  return `#compdef evstore
_evstore() {
  local -a choices
  if (( CURRENT == 2 )); then
    choices=(
${names.join('\n')}
    )
    _describe 'command' choices
    return
  fi
  case "$words[2]" in
${cases.join('\n')}
  esac
  local -a names
  [[ "$PREFIX" == -* ]] || names=("\${(@f)$("$words[1]" completion names -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  names=(\${names:#})
  (( $#names )) && compadd -a names
  _describe 'option' choices || (( $#names )) || _files
}
compdef _evstore evstore
`;
}

function renderFish(commands: readonly CompletionTree[]): string {
  const lines = commands.flatMap((each) => [
    `complete -c evstore -n __fish_use_subcommand -a ${each.name} -d ${quote(each.summary)}`,
    ...describe(each).map(({ name, summary }) => {
      const what = name.startsWith('--') ? `-l ${name.slice(2)}` : `-f -a ${name}`;
      return `complete -c evstore -n '__fish_seen_subcommand_from ${each.name}' ${what} -d ${quote(summary)}`;
    }),
  ]);
  const names = '(evstore completion names -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)';
  lines.push(`complete -c evstore -n 'not __fish_use_subcommand' -a '${names}'`);
  return `${lines.join('\n')}\n`;
}

function wordsOf(command: CompletionTree): string[] {
  return describe(command).map(({ name }) => name);
}

function describe({ flags, children }: CompletionTree): { name: string; summary: string }[] {
  const all = [...children, ...flags, ...children.flatMap((child) => describe(child))];
  return [...new Map(all.map(({ name, summary }) => [name, { name, summary }])).values()];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
