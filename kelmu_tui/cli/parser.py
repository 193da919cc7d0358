"""The parser of the command line, made from the table of `commands`.

Only the parser of the command in hand is built, and texts are looked up only when help was asked for: a script that
calls `kelmu inbox list` a thousand times should not pay for either.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from kelmu_tui.cli.commands import COMMANDS, EPHEMERAL, GLOBAL, Command, Option
from kelmu_tui.cli.exits import CliError, Exit

Text = Callable[[str], str | None]
"""Gives the help text of an option; nothing when no help was asked for."""


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks the user's language and ends through `CliError`."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing: where and how it is told depends on `--json`."""
        raise CliError(Exit.USAGE, "usage", f"{self.format_usage().rstrip()}\n{self.prog}: {message}")


class _Unread(argparse.HelpFormatter):
    """Formats what nobody reads: argparse makes one for each option, and its own asks for the screen's width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


class _QuickParser(Parser):
    """A parser whose complaints are not fit for people."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, formatter_class=_Unread)


def translate_argparse(text: Callable[[str], str | None]) -> None:
    """Let argparse's own sentences be spoken in the user's language.

    argparse takes them from its module's `_`, which is gettext's; giving it another function is the way to change
    them without shipping gettext catalogues. Where a later Python does it otherwise, they stay English.
    """
    setattr(argparse, "_", lambda message: text(message) or message)  # noqa: B010


def build(argv: Sequence[str], text: Text | None = None, *, everything: bool = False, quick: bool = False) -> Parser:
    """Return the parser for `argv`.

    Args:
        text: gives help texts; without it there are none.
        everything: build all commands with all their options, for completion and documentation.
        quick: build the commands that `argv` names and no others; its complaints are not fit for people.
    """
    words = {word for word in argv if not word.startswith("-")}
    wanted = {command.words for command in COMMANDS if words.issuperset(command.words)}
    text = text or (lambda _: None)
    kind = _QuickParser if quick else Parser
    parser = kind(prog="kelmu", description=text("description"), epilog=text("exits"), allow_abbrev=False)
    if not quick:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--version", action="store_true", help=text("option.version"))
    _add(parser, (*GLOBAL, EPHEMERAL), text)
    top = parser.add_subparsers(
        dest="command", metavar="COMMAND", title=text("commands") or "commands", parser_class=kind
    )
    groups: dict[str, Any] = {}
    for command in COMMANDS:
        group = command.words[0]
        full = everything or command.words in wanted
        if quick and not full:
            continue
        if len(command.words) == 1:
            _add_command(top, command, text, full=full)
            continue
        if group not in groups:
            groups[group] = _add_group(top, group, text)
        if everything or group in words:
            _add_command(groups[group], command, text, full=full)
    return parser


def _add_group(top: Any, group: str, text: Text) -> Any:
    parser = top.add_parser(group, help=text(f"group.{group}"), allow_abbrev=False)
    _add(parser, GLOBAL, text)
    return parser.add_subparsers(dest="subcommand", metavar="COMMAND", required=True, parser_class=type(parser))


def _add_command(parent: Any, command: Command, text: Text, *, full: bool) -> None:
    about = text(f"command.{command.name}")
    parser = parent.add_parser(command.words[-1], help=about, description=about, allow_abbrev=False)
    parser.set_defaults(chosen=command)
    if full:
        _add(parser, GLOBAL, text)
        _add(parser, command.options, text)


def _add(parser: argparse.ArgumentParser, options: Sequence[Option], text: Text) -> None:
    for option in options:
        settings = dict(option.settings)
        if option in GLOBAL or settings.get("action") == "store_const":
            # Suppressed defaults: given before the command, the value must survive the command's own parser.
            settings.setdefault("default", argparse.SUPPRESS)
        parser.add_argument(*option.flags, help=text(f"option.{option.name}"), **settings)
