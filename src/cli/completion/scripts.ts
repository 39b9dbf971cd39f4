/** Shells that a completion script can be had for. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof SHELLS)[number];

// Every script asks `godwit __complete -- WORD…`, the last word being the one at the cursor. The answer is one candidate
// a line, its meaning behind a tab; a line `:files` or `:folders` asks the shell to complete paths.

const BASH = `# bash completion of godwit; put this into ~/.bashrc:  source <(godwit completion bash)
_godwit() {
  local line value current="\${COMP_LINE:0:COMP_POINT}" words=() mode=""
  # Bash breaks words at "=" and ":" as well, godwit does not.
  read -ra words <<<"$current"
  [[ "$current" == *[[:space:]] ]] && words+=("")
  local typed="\${words[\${#words[@]}-1]}" cut=""
  if [[ "$typed" == *[=:]* ]]; then cut="\${typed%"\${typed##*[=:]}"}"; fi
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :files | :folders) mode="$line" ;;
      *) value="\${line%%$'\\t'*}"; COMPREPLY+=("\${value#"$cut"}") ;;
    esac
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
  case "$mode" in
    :files) mapfile -t COMPREPLY < <(compgen -f -- "$2"); compopt -o filenames 2>/dev/null ;;
    :folders) mapfile -t COMPREPLY < <(compgen -d -- "$2"); compopt -o filenames 2>/dev/null ;;
  esac
}
complete -F _godwit godwit
`;

const ZSH = `#compdef godwit
# zsh completion of godwit; put this into ~/.zshrc:  source <(godwit completion zsh)
_godwit() {
  local line mode=""
  local -a values descriptions
  while IFS= read -r line; do
    case "$line" in
      :files | :folders) mode="$line" ;;
      *) values+=("\${line%%$'\\t'*}"); descriptions+=("\${line/$'\\t'/  -- }") ;;
    esac
  done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  case "$mode" in
    :files) _files ;;
    :folders) _files -/ ;;
    *) (( \${#values} )) && compadd -l -V godwit -d descriptions -a values ;;
  esac
}
if [[ "$funcstack[1]" == "_godwit" ]]; then
  _godwit "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _godwit godwit
fi
`;

const FISH = `# fish completion of godwit; put this into ~/.config/fish/completions/godwit.fish
function __godwit_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for line in (command $words[1] __complete -- $words[2..-1] "$typed" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$typed"
            case :folders
                __fish_complete_directories "$typed"
            case '*'
                echo $line
        end
    end
end
complete -c godwit -f -k -a '(__godwit_complete)'
`;

const POWERSHELL = `# PowerShell completion of godwit; put this into $PROFILE:  godwit completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName godwit -ScriptBlock {
    param($typed, $ast, $cursor)
    $words = @($ast.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursor } | ForEach-Object { $_.ToString() })
    $before = @($words | Select-Object -Skip 1)
    if ($typed -ne '' -and $before.Count -gt 0) { $before = @($before | Select-Object -SkipLast 1) }
    & $words[0] __complete -- @before "$typed" 2>$null | ForEach-Object {
        if ($_ -eq ':files' -or $_ -eq ':folders') {
            Get-ChildItem -Path "$typed*" -Directory:($_ -eq ':folders') | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new((Resolve-Path -Relative $_.FullName))
            }
        } else {
            $value, $meaning = $_ -split "\`t", 2
            if (-not $meaning) { $meaning = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $meaning)
        }
    }
}
`;

/** The script that makes a shell complete godwit's verbs, flags, ids and streams. */
export function completionScript(shell: Shell): string {
  return { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL }[shell];
}
