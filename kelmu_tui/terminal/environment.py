"""Before anything is painted: what kind of terminal this is, and a process that leaves no traces.

Nothing here imports Textual, which reads its variables when it is imported; `prepare` must run before that.
"""

import sys
from collections.abc import Mapping, MutableMapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

ALLOWED: Final = frozenset(
    {
        "TEXTUAL_ANIMATIONS",
        "TEXTUAL_COLOR_SYSTEM",
        "TEXTUAL_DISABLE_KITTY_KEY",
        "TEXTUAL_FPS",
        "TEXTUAL_SMOOTH_SCROLL",
    }
)
"""Variables of Textual that only change looks; every other one is removed: they write logs and screenshots, connect to
a console, press keys, load a driver or let Ctrl-C kill."""

_PLAIN_TERMS: Final = frozenset({"", "dumb", "unknown", "ansi", "linux", "vt52", "vt100", "vt102", "vt220", "cons25"})
_NO_DUMPS: Final = 4  # PR_SET_DUMPABLE, linux/prctl.h


class Kind(StrEnum):
    """How much may be asked of the terminal."""

    LOCAL = "local"
    SSH = "ssh"
    COMPAT = "compat"


class TerminalProfile(NamedTuple):
    """What the app does and leaves to be on a kind of terminal; each can be changed in the settings.

    Attributes:
        mouse: ask for mouse reports.
        queries: ask the terminal what it can do, and use what it answers.
        focus: ask to be told when the window gets and loses the focus.
        motion: animate.
        ascii: no glyph outside ASCII in the app's own drawing.
        colours: `auto`, or `standard` for the 16 colours that every terminal has and the user has chosen.
    """

    kind: Kind
    mouse: bool
    queries: bool
    focus: bool
    motion: bool
    ascii: bool
    colours: str


_PROFILES: Final[Mapping[Kind, TerminalProfile]] = MappingProxyType(
    {
        Kind.LOCAL: TerminalProfile(Kind.LOCAL, True, True, True, True, False, "auto"),
        Kind.SSH: TerminalProfile(Kind.SSH, False, True, False, False, False, "standard"),
        Kind.COMPAT: TerminalProfile(Kind.COMPAT, False, False, False, False, True, "standard"),
    }
)


def profile_of(kind: Kind, environment: Mapping[str, str]) -> TerminalProfile:
    """Return the profile of a kind of terminal; glyphs are ASCII wherever the locale is not UTF-8."""
    profile = _PROFILES[kind]
    if profile.ascii or _is_utf8(environment):
        return profile
    return TerminalProfile(
        kind, profile.mouse, profile.queries, profile.focus, profile.motion, ascii=True, colours=profile.colours
    )


def detect(environment: Mapping[str, str]) -> TerminalProfile:
    """Return the profile that the environment speaks for."""
    term = environment.get("TERM", "").lower()
    if term in _PLAIN_TERMS or term.startswith("putty"):
        return profile_of(Kind.COMPAT, environment)
    over_network = any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "MOSH_IP"))
    return profile_of(Kind.SSH if over_network else Kind.LOCAL, environment)


def _is_utf8(environment: Mapping[str, str]) -> bool:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environment.get(name)
        if value:
            return "utf-8" in value.lower() or "utf8" in value.lower()
    return False


def prepare(environment: MutableMapping[str, str], profile: TerminalProfile) -> tuple[str, ...]:
    """Take dangerous variables of Textual out of `environment`, set those of the profile, return the names taken.

    What the user has set among the harmless ones stays.

    Raises:
        RuntimeError: Textual is imported already, so that a dangerous variable may have had its effect.
    """
    removed = tuple(sorted(n for n in environment if n.startswith("TEXTUAL") and n not in ALLOWED))
    if removed and "textual" in sys.modules:
        raise RuntimeError("Textual was imported before its variables were removed")
    for name in removed:
        del environment[name]
    if not profile.motion:
        environment.setdefault("TEXTUAL_ANIMATIONS", "none")
        environment.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
        environment.setdefault("TEXTUAL_FPS", "30")
    if not profile.queries:
        environment.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
    if profile.colours != "auto":
        environment.setdefault("TEXTUAL_COLOR_SYSTEM", profile.colours)
    return removed


class Hardened(NamedTuple):
    """What could be done against traces of the process."""

    no_core: bool
    not_dumpable: bool


def harden() -> Hardened:
    """Forbid core dumps and, on Linux, being traced or read by other processes of the same user."""
    return Hardened(_no_core(), _not_dumpable())


def _no_core() -> bool:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        return False
    return True


def _not_dumpable() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        return bool(ctypes.CDLL(None, use_errno=True).prctl(_NO_DUMPS, 0, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


class Facts(NamedTuple):
    """What `kelmu doctor` tells about the terminal.

    Attributes:
        multiplexer: `tmux`, `screen` or None.
        recorders: names of programs that record what the terminal shows, as far as they admit it.
        ignored: variables of Textual that are set and will have no effect.
    """

    profile: TerminalProfile
    term: str
    program: str
    utf8: bool
    multiplexer: str | None
    recorders: tuple[str, ...]
    ignored: tuple[str, ...]


def facts(environment: Mapping[str, str]) -> Facts:
    """Return the facts of the terminal; a recorder that hides itself is not found."""
    multiplexer = "tmux" if environment.get("TMUX") else "screen" if environment.get("STY") else None
    recorders = [
        name
        for name, variable in (("asciinema", "ASCIINEMA_REC"), ("asciinema", "ASCIINEMA_SESSION"), ("script", "SCRIPT"))
        if environment.get(variable)
    ]
    return Facts(
        detect(environment),
        environment.get("TERM", ""),
        environment.get("TERM_PROGRAM", ""),
        _is_utf8(environment),
        multiplexer,
        tuple(dict.fromkeys(recorders)),
        tuple(sorted(n for n in environment if n.startswith("TEXTUAL") and n not in ALLOWED)),
    )
