"""`kelmu completion bash|zsh|fish`: shell completion, generated from the table of commands."""

from __future__ import annotations

from collections.abc import Iterable

from kelmu_tui.cli.commands import COMMANDS, EPHEMERAL, GLOBAL, Command, Option
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import Exit


def completion(env: Env) -> int:
    """Print the completion script of a shell."""
    script = {"bash": bash, "zsh": zsh, "fish": fish}[env.args.shell](env)
    if env.out.as_json:
        env.out.data("completion", {"shell": env.args.shell, "script": script})
    else:
        env.out.line(script)
    return Exit.OK


def _shown() -> list[Command]:
    return [command for command in COMMANDS if not command.hidden]


def _words() -> dict[str, list[str]]:
    """Return the second words of each first word; single commands have none."""
    found: dict[str, list[str]] = {}
    for command in _shown():
        found.setdefault(command.words[0], []).extend(command.words[1:])
    return found


def _flags(options: Iterable[Option]) -> list[str]:
    return [flag for option in options for flag in option.flags if flag.startswith("--")]


def _choices(options: Iterable[Option]) -> dict[str, list[str]]:
    """Return the values that options take from a list; the empty flag stands for a bare argument."""
    found = {}
    for option in options:
        choices = dict(option.settings).get("choices")
        if choices:
            found[option.flags[0] if option.flags[0].startswith("--") else ""] = [str(choice) for choice in choices]
    return found


def bash(_: Env) -> str:
    """Return the script for bash."""
    cases = []
    for command in _shown():
        words = [*_flags((*command.options, *GLOBAL)), *_choices(command.options).get("", [])]
        cases.append(f'    "{" ".join(command.words)}") words="{" ".join(words)}" ;;')
    values = {
        flag: choices for command in _shown() for flag, choices in _choices((*command.options, *GLOBAL)).items() if flag
    }
    groups = [f'    "{word}") words="{" ".join(seconds)}" ;;' for word, seconds in _words().items() if seconds]
    value_cases = [f'    {flag}) words="{" ".join(choices)}" ;;' for flag, choices in values.items()]
    return "\n".join(
        [
            "_kelmu() {",
            '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" given="" words="" i',
            "  for ((i = 1; i < COMP_CWORD; i++)); do",
            '    [[ "${COMP_WORDS[i]}" == -* ]] || given="${given:+$given }${COMP_WORDS[i]}"',
            "  done",
            '  case "$given" in',
            f'    "") words="{" ".join((*_words(), *_flags((*GLOBAL, EPHEMERAL))))}" ;;',
            *groups,
            *cases,
            "  esac",
            '  case "$previous" in',
            *value_cases,
            "  esac",
            '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
            "}",
            "complete -F _kelmu kelmu",
        ]
    )


def zsh(env: Env) -> str:
    """Return the script for zsh: bash's function, which zsh can run."""
    return "\n".join(["#compdef kelmu", "autoload -U +X bashcompinit && bashcompinit", bash(env)])


def fish(env: Env) -> str:
    """Return the script for fish, with the help texts in the user's language."""
    from kelmu_tui.cli.texts import help_text

    text = help_text(env.t)

    def quoted(words: str) -> str:
        return "'" + words.replace("%%", "%").replace("\\", "\\\\").replace("'", "\\'") + "'"

    lines = ["complete -c kelmu -f"]
    firsts = " ".join(_words())
    for word, seconds in _words().items():
        about = text(f"group.{word}") if seconds else text(f"command.{word.replace('-', '_')}")
        lines.append(
            f"complete -c kelmu -n 'not __fish_seen_subcommand_from {firsts}' -a {word} -d {quoted(about or '')}"
        )
    for command in _shown():
        condition = " && ".join(f"__fish_seen_subcommand_from {word}" for word in command.words)
        if len(command.words) == 2:
            rest = " ".join(_words()[command.words[0]])
            about = text(f"command.{command.name}")
            lines.append(
                f"complete -c kelmu -n '__fish_seen_subcommand_from {command.words[0]} && not "
                f"__fish_seen_subcommand_from {rest}' -a {command.words[1]} -d {quoted(about or '')}"
            )
        for option in command.options:
            lines.extend(_fish_option(option, f"-n '{condition}' ", quoted(text(f"option.{option.name}") or "")))
    for option in GLOBAL:
        lines.extend(_fish_option(option, "", quoted(text(f"option.{option.name}") or "")))
    return "\n".join(lines)


def _fish_option(option: Option, condition: str, about: str) -> list[str]:
    settings = dict(option.settings)
    choices = " ".join(str(choice) for choice in settings.get("choices", ()))
    values = f" -a '{choices}'" if choices else ""
    if not option.flags[0].startswith("--"):
        return [f"complete -c kelmu {condition}{values.strip()}"] if choices else []
    takes = "" if "action" in settings else " -r"
    return [f"complete -c kelmu {condition}-l {option.flags[0][2:]}{takes}{values} -d {about}"]
