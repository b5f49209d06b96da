/* Commands of a shell block, and its conversion to a script. */

/** Programs that run until interrupted: the local mode, and `watch` without a batch. */
const endless = /^(?:\w+=\S* )*(?:npm (?:run )?start|(?:npx )?whisklens (?:up|watch(?! +[^\s#-])))\b/

/** Whether a line must be sent to the background; false if it ends in `&`. */
export const isEndless = (line: string): boolean =>
  endless.test(line.trim()) && !/--help|(?<!&)&\s*(#.*)?$/.test(line)

const startsLocalMode = (line: string): boolean => isEndless(line) && !/\bwatch\b/.test(line)

/** Whether a line starts the local mode in the working folder. */
export const startsOwnLocalMode = (line: string): boolean => startsLocalMode(line) && !/--data\b/.test(line)

/** Commands of a block, including continuation lines. Ignores comments and here-documents. */
export function commandsOf(script: string): string[] {
  const commands: string[] = []
  let open = ''
  let delimiter: string | undefined
  for (const line of script.split('\n')) {
    if (delimiter !== undefined) {
      if (line.trim() === delimiter) delimiter = undefined
      continue
    }
    if (!open && /^\s*(#|$)/.test(line)) continue
    open += open ? `\n${line}` : line
    delimiter = /<<-?\s*(['"]?)(\w+)\1/.exec(line)?.[2]
    if (isContinued(open)) continue
    commands.push(open.trim())
    open = ''
  }
  return open ? [...commands, open.trim()] : commands
}

/** A command continues after a backslash, an operator or an open quote. */
function isContinued(text: string): boolean {
  const { quote, code } = withoutQuoted(text)
  return quote !== undefined || /(?:\\|\||&&)$/.test(code.trimEnd())
}

/** Removes quoted text and comments. Returns the quote that is open at the end, too. */
function withoutQuoted(text: string): { code: string; quote: string | undefined } {
  let quote: string | undefined
  let code = ''
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] as string
    if (quote) {
      if (letter === '\\' && quote === '"') at++
      else if (letter === quote) quote = undefined
    } else if (letter === '\\' && at + 1 < text.length) at++
    else if (letter === '"' || letter === "'") quote = letter
    else if (letter === '#' && /^$|\s/.test(text[at - 1] ?? '')) {
      const end = text.indexOf('\n', at)
      at = (end < 0 ? text.length : end) - 1
    } else code += letter
  }
  return { code, quote }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Pattern of the output that shows that a program has started. */
const startedPattern = (line: string): string => (startsLocalMode(line) ? 'Whisklens is up|"apiHost"' : '.')

/** Sends endless lines to the background; keeps line numbers. */
export const scriptOf = (text: string): string =>
  text
    .split('\n')
    .map((line) =>
      isEndless(line) ? `in_background ${quoted(line.trim())} ${quoted(startedPattern(line))}` : line,
    )
    .join('\n')

/**
 * Preamble of each block in bash. Restores variables and the working folder of the previous block, because a page is
 * read in one terminal. Writes the number of a failing line to the file `failed`.
 */
export const prelude = `
set -Eeuo pipefail
declare_names=$(compgen -v)
[ ! -f "$DOCS_STATE/variables" ] || . "$DOCS_STATE/variables"

in_background() {
  local log
  log=$(mktemp "$DOCS_STATE/background-XXXXXX")
  eval "$1" >"$log" 2>&1 &
  local job=$!
  while ! grep -qE "$2" "$log" && kill -0 "$job" 2>/dev/null; do sleep 0.1; done
  kill -0 "$job" 2>/dev/null || wait "$job" || { cat "$log" >&2; return 1; }
}

keep_variables() {
  export -p
  for name in $(compgen -v); do
    case " $(echo $declare_names) _ BASH_COMMAND BASH_LINENO BASH_SOURCE FUNCNAME PIPESTATUS declare_names name " in
      *" $name "*) ;;
      *) declare -p "$name" ;;
    esac
  done
  printf 'cd %q\\n' "$PWD"
}
trap 'echo "$LINENO" >"$DOCS_STATE/failed"' ERR
trap 'keep_variables >"$DOCS_STATE/variables"' EXIT
`
