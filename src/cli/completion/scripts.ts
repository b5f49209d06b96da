/*
 * Completion scripts. Each calls `whisklens complete -- <words>`, which prints lines of candidate, tab and description, and a
 * last line `:none`, `:files` or `:folders`.
 */

/** Bash 3.2 of macOS has no compopt: there, files are offered whenever nothing else matches. */
const bash = `# bash completion of whisklens: source <(whisklens completion bash)
_whisklens() {
  local current=\${COMP_WORDS[COMP_CWORD]} line kind=files
  COMPREPLY=()
  [[ $current == = ]] && current=
  while IFS= read -r line; do
    case $line in
      :*) kind=\${line#:} ;;
      *)
        line=\${line%%$'\\t'*}
        [[ $line == "$current"* ]] && COMPREPLY+=("$line")
        ;;
    esac
  done < <("$1" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  type compopt &>/dev/null || return 0
  case $kind in
    none) compopt +o default ;;
    folders) compopt +o default -o plusdirs ;;
    files) compopt -o plusdirs ;;
  esac
}
complete -o default -F _whisklens whisklens
`

const zsh = `#compdef whisklens
# zsh completion of whisklens: source <(whisklens completion zsh), or this file as _whisklens in a folder of $fpath
_whisklens() {
  local line kind=files value about
  local -a candidates
  while IFS= read -r line; do
    case $line in
      :*) kind=\${line#:} ;;
      *)
        value=\${line%%$'\\t'*}
        about=\${line#*$'\\t'}
        candidates+=("\${value//:/\\\\:}\${about:+:$about}")
        ;;
    esac
  done < <("$words[1]" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  [[ $PREFIX == --*=* ]] && compset -P 1 '*='
  local found=1
  (( $#candidates )) && _describe whisklens candidates && found=0
  case $kind in
    folders) _files -/ && found=0 ;;
    files) _files && found=0 ;;
  esac
  return found
}
if [[ $funcstack[1] == _whisklens ]]; then
  _whisklens "$@"
else
  compdef _whisklens whisklens
fi
`

const fish = `# fish completion of whisklens: whisklens completion fish > ~/.config/fish/completions/whisklens.fish
function __whisklens_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l option (string match -r -- '^--[^=]+=' $current)
    for line in ($words[1] complete -- $words[2..] "$current" 2>/dev/null)
        switch $line
            case :none
            case :folders
                __fish_complete_directories (string replace -- "$option" '' $current) | string replace -r -- '^' "$option"
            case :files
                __fish_complete_path (string replace -- "$option" '' $current) | string replace -r -- '^' "$option"
            case '*'
                echo -- "$option$line"
        end
    end
end
complete -c whisklens -f -a '(__whisklens_complete)'
`

/** The script of each shell. */
export const scripts = { bash, zsh, fish } as const
