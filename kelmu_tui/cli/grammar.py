"""The parts of which the command line's grammar is made: options and commands."""

import argparse
from typing import Any, Final, NamedTuple


class Option(NamedTuple):
    """An option or argument: what argparse takes, and `name`, under which its help text stands."""

    name: str
    flags: tuple[str, ...]
    settings: tuple[tuple[str, Any], ...] = ()


class Command(NamedTuple):
    """A command: its words, the function that does it (`module:function`) and its options."""

    words: tuple[str, ...]
    handler: str
    options: tuple[Option, ...] = ()
    hidden: bool = False

    @property
    def name(self) -> str:
        """Name under which the command's texts stand, `inbox_take_back` for example."""
        return "_".join(self.words).replace("-", "_")


def option(name: str, *flags: str, **settings: Any) -> Option:
    """Return an option; `settings` are those of argparse."""
    return Option(name, flags, tuple(settings.items()))


def number(text: str) -> int:
    """Read a number from 1 on."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError("1…")
    return int(text)


def seconds(text: str) -> float:
    """Read seconds up to an hour."""
    if not (text.isascii() and text.isdecimal() and int(text) <= 3600):
        raise argparse.ArgumentTypeError("0…3600")
    return float(text)


WAIT: Final = option("wait", "--wait", type=seconds, metavar="SECONDS")
NO_WAIT: Final = option("no_wait", "--no-wait", dest="wait", action="store_const", const=0.0)
"""How long a command waits for the backend."""
