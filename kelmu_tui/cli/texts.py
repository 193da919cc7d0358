"""Texts of `--help`: from the catalogue, by the names in the grammar's table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kelmu_tui.cli.exits import Exit
from kelmu_tui.i18n import Translator

ARGPARSE: Final = {
    "usage: ": "usage",
    "options": "options",
    "positional arguments": "arguments",
    "show this help message and exit": "help",
    "the following arguments are required: %s": "required",
    "unrecognized arguments: %s": "unrecognised",
    "invalid choice: %(value)r (choose from %(choices)s)": "choice",
    "argument %(argument_name)s: %(message)s": "argument",
    "expected one argument": "one",
    "expected at least one argument": "some",
    "invalid %(type)s value: %(value)r": "value",
}
"""argparse's own sentences that a user may meet, with the names of their translations."""
ARGPARSE_NAMES: Final = tuple(ARGPARSE.values())
EXIT_NAMES: Final = tuple(code.name.lower() for code in Exit)


def help_text(t: Translator) -> Callable[[str], str | None]:
    """Return the function that gives the grammar its texts; argparse takes `%` for its own."""

    def text(name: str) -> str | None:
        kind, _, rest = name.partition(".")
        match kind:
            case "command":
                found = t.choice("cli.command", rest)
            case "group":
                found = t.choice("cli.group", rest)
            case "option":
                found = t.choice("cli.option", rest)
            case "exits":
                found = exits(t)
            case "commands":
                found = t("cli.commands")
            case _:
                found = t("cli.description")
        return found.replace("%", "%%")

    return text


def argparse_text(t: Translator) -> Callable[[str], str | None]:
    """Return the function that translates argparse's sentences; None leaves one as it is."""

    def text(message: str) -> str | None:
        name = ARGPARSE.get(message)
        return None if name is None else t.choice("cli.argparse", name)

    return text


def exits(t: Translator) -> str:
    """Return the list of exit codes for `--help`."""
    lines = [f"  {code.value:>3}  {t.choice('cli.exit', code.name.lower())}" for code in Exit]
    return "\n".join([t("cli.exits"), *lines])
