"""From the process's arguments to its exit code: parsing, dispatch, and one place where failures become words."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

from kelmu_tui.cli.commands import LANGUAGES, Command
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.output import Output
from kelmu_tui.cli.parser import build, translate_argparse

Handler = Callable[[Env], int]

_IDENTITY_CODE: Final = re.compile(
    r"(?<![0-9A-Za-z])[0-9]{6}(?:[A-FU-Ya-fu-y]|\s*[-+\u2010-\u2015\u2212\uff0d]\s*)[0-9]{3}[0-9A-Za-z](?![0-9A-Za-z])"
)
"""Also as it is pasted, with spaces and other hyphens."""


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command; nothing but the exit code comes out, whatever happens."""
    argv = list(sys.argv[1:] if argv is None else argv)
    _tame_streams()
    env = Env(Output(as_json="--json" in argv))
    env.language = _language(argv)
    try:
        code = _run(argv, env)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) went away: nobody to tell, and nothing may be flushed at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.BROKEN_PIPE
    return code


def _run(argv: list[str], env: Env) -> int:
    try:
        return _dispatch(argv, env)
    except CliError as error:
        env.out.error(error.code, error.message, error.exit)
        return error.exit
    except KeyboardInterrupt:
        env.out.error("interrupted", env.t("cli.interrupted"), Exit.INTERRUPTED)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: what is not known by name still ends in one sentence
        from kelmu_tui.cli.faults import explain

        known = explain(error, env.t)
        message = _reported(error, env) if known.code == "unexpected" else known.message
        env.out.error(known.code, message, known.exit)
        return known.exit


def _dispatch(argv: list[str], env: Env) -> int:
    if _IDENTITY_CODE.search(" ".join(argv)):
        raise CliError(Exit.USAGE, "identity_code", env.t("cli.identity_code"))
    helping = "-h" in argv or "--help" in argv
    if "--version" in argv and not helping:
        env.out.line(f"kelmu {version()}")
        return Exit.OK
    if helping:
        from kelmu_tui.cli.texts import argparse_text, help_text

        translate_argparse(argparse_text(env.t))
        parser = build(argv, help_text(env.t))
    else:
        translate_argparse(lambda _: None)  # else gettext would look for catalogues on the disk
        parser = build(argv, quick=True)
    try:
        env.args = parser.parse_args(argv)
    except SystemExit as done:  # --help has been printed
        return int(done.code or 0)
    except CliError:
        if not helping:
            _parse_again(argv, env)
        raise
    chosen: Command | None = getattr(env.args, "chosen", None)
    if chosen is None:
        return _handler("kelmu_tui.cli.demo:app")(env)
    if env.option("ephemeral") and chosen.words != ("demo",):
        raise CliError(Exit.USAGE, "ephemeral", env.t("cli.ephemeral_app"))
    return _handler(chosen.handler)(env)


def _parse_again(argv: list[str], env: Env) -> None:
    """Fail once more, with all commands at hand and in the user's language; the first try was quick."""
    from kelmu_tui.cli.parser import translate_argparse
    from kelmu_tui.cli.texts import argparse_text

    translate_argparse(argparse_text(env.t))
    build(argv).parse_args(argv)


def _reported(error: Exception, env: Env) -> str:
    """Write a crash report, which holds types and line numbers and no values, and return the sentence about it."""
    if env.option("ephemeral"):
        return env.t("errors.crash_unsaved")
    from kelmu_tui.platform.paths import profile
    from kelmu_tui.terminal.crash import Reporter, sentence

    return sentence(Reporter(profile("default").reports, env.clock, env.ids).report(error), env.t)


def _handler(path: str) -> Handler:
    module, name = path.split(":")
    found: Handler = getattr(import_module(module), name)
    return found


def _language(argv: Sequence[str]) -> str | None:
    """Look for `--lang` before the line is parsed, so that a complaint about the line comes in that language."""
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        value = following if word == "--lang" else word.removeprefix("--lang=") if word.startswith("--lang=") else ""
        if value in LANGUAGES:
            return value
    return None


def _tame_streams() -> None:
    """A terminal that cannot show a letter gets a question mark instead of a crash; a closed stream gets nothing."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - lives to the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def version() -> str:
    """Return the program's version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("kelmu-tui")
    except PackageNotFoundError:
        return "0"
