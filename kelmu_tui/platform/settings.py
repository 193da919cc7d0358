"""The user's settings: one TOML file, read with forgiveness and written with restraint.

A mistake never keeps the program from starting. Each one becomes a `SettingsProblem` with its line, the value in
question keeps its default, and all the others count. When the program changes a value itself (language, profile), it
edits that one line and leaves the user's comments and order alone. The TOML itself is the business of
`settings_file`, which is imported only where there is a file.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

MAX_BYTES: Final = 256 * 1024
"""A settings file larger than this is a mistake, not a settings file."""

LANGUAGES: Final = ("fi", "sv", "en")
CHOICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "language": LANGUAGES,
        "theme": ("dark", "light", "contrast"),
        "motion": ("auto", "on", "off"),
        "mouse": ("auto", "on", "off"),
        "glyphs": ("auto", "unicode", "ascii"),
    }
)
"""Settings that take one of a few words."""
RANGES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType({"lock_minutes": (1, 15)})
"""Settings that take a whole number, from the first to the second."""
NAMES: Final = (*CHOICES, "profile", "backend", *RANGES)
"""Every setting by its name in the file, but for the keys."""


class SettingsProblem(NamedTuple):
    """A mistake in the settings file.

    Attributes:
        line: line number from 1; 0 when the mistake concerns the file as a whole.
        key: dotted name of the setting, empty for syntax and file problems.
        code: `syntax`, `unknown`, `type`, `choice`, `value`, `unreadable`, `encoding` or `size`.
        detail: what would have been right, or what the parser said; never the value itself.
    """

    line: int
    key: str
    code: str
    detail: str = ""


class Settings(NamedTuple):
    """What the user has chosen.

    Attributes:
        language: `fi`, `sv` or `en`; None follows the session and the environment.
        profile: profile used when none is named on the command line.
        backend_url: address of the backend, None when none was set. Plain http is for loopback alone.
        lock_minutes: minutes without a key after which the app locks.
        keys: action id to keys, several separated by commas; only what differs from the defaults.
    """

    language: str | None = None
    profile: str = "default"
    backend_url: str | None = None
    theme: str = "dark"
    motion: str = "auto"
    mouse: str = "auto"
    glyphs: str = "auto"
    lock_minutes: int = 10
    keys: Mapping[str, str] = MappingProxyType({})


class Loaded(NamedTuple):
    """The settings in force, what was wrong with the file, and the lines of `[keys]` by action id.

    Whether an action of that id exists is only known to the key map, which has no lines of its own.
    """

    settings: Settings
    problems: tuple[SettingsProblem, ...] = ()
    key_lines: Mapping[str, int] = MappingProxyType({})


# --- reading --------------------------------------------------------------------------------------------------------


def load(path: Path) -> Loaded:
    """Read the settings file; a missing file means the defaults, and nothing in it raises."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Loaded(Settings())
    except OSError as error:
        return Loaded(Settings(), (SettingsProblem(0, "", "unreadable", error.strerror or ""),))
    if len(data) > MAX_BYTES:
        return Loaded(Settings(), (SettingsProblem(0, "", "size", str(MAX_BYTES)),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return Loaded(Settings(), (SettingsProblem(line, "", "encoding"),))
    from kelmu_tui.platform.settings_file import parse

    return parse(text)


def is_profile_name(name: str) -> bool:
    """Tell whether `name` may name a profile: it becomes a folder, so nothing that could leave one."""
    plain = name.isascii() and name == name.lower() and name.replace("_", "a").replace("-", "a").isalnum()
    return plain and name[:1].isalnum() and len(name) <= 32
