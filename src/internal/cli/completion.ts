import type { Shell } from "./command.js"
import { formats } from "./format.js"
import { all } from "./options.js"

const longs = all.map(({ name }) => `--${name}`)

const named = (argument: string): ReadonlyArray<string> =>
  all
    .filter((option) => option.argument === argument)
    .flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])])

const files = [...named("file"), ...named("path")]
const shells: ReadonlyArray<Shell> = ["bash", "zsh", "fish"]

const bash = `_nngcat() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  case $before in
    ${files.join("|")}) COMPREPLY=($(compgen -f -- "$word")) ;;
    --format) COMPREPLY=($(compgen -W "${formats.join(" ")}" -- "$word")) ;;
    --completion) COMPREPLY=($(compgen -W "${shells.join(" ")}" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "${longs.join(" ")}" -- "$word")) ;;
  esac
}
complete -o default -F _nngcat nngcat`

const zshAction = (argument: string): string => {
  if (argument === "file" || argument === "path") return "_files"
  if (argument === "format") return `(${formats.join(" ")})`
  return argument === "shell" ? `(${shells.join(" ")})` : ""
}

const zsh = `#compdef nngcat
_arguments ${all
  .flatMap(({ argument, name, short }) =>
    [`--${name}`, ...(short === undefined ? [] : [`-${short}`])].map((option) =>
      argument === undefined ? `'${option}'` : `'${option}:${argument}:${zshAction(argument)}'`
    )
  )
  .join(" \\\n  ")}`

const fishArgument = (argument: string | undefined): string => {
  if (argument === undefined) return ""
  if (argument === "file" || argument === "path") return " -r -F"
  if (argument === "format") return ` -x -a "${formats.join(" ")}"`
  return argument === "shell" ? ` -x -a "${shells.join(" ")}"` : " -x"
}

const fish = ["complete -c nngcat -f"]
  .concat(
    all.map(
      ({ argument, name, short }) =>
        `complete -c nngcat -l ${name}${short === undefined ? "" : ` -s ${short}`}${fishArgument(argument)}`
    )
  )
  .join("\n")

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }

/**
 * A script for that shell which completes the options of nngcat.
 *
 * @internal
 */
export const completion = (shell: Shell): string => scripts[shell]
