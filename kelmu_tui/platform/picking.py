"""Which files a path that is being typed can become."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

LOOKED_AT: Final = 5000
"""Entries of a folder that are looked at."""
MOST: Final = 200
"""Entries that are offered."""


class Entry(NamedTuple):
    """A file or a folder; `size` in bytes is None for a folder and for what is neither."""

    name: str
    folder: bool
    size: int | None


class Listing(NamedTuple):
    """What is in a folder under a beginning of a name.

    Attributes:
        typed: the folder's part of the path as it was typed, with its slash.
        there: whether there is such a folder, and it can be read.
        denied: it is there, and may not be read.
        unshown: entries that are left out since a terminal cannot show their names.
        more: whether there are more than are offered.
    """

    typed: str
    entries: tuple[Entry, ...]
    there: bool
    denied: bool = False
    unshown: int = 0
    more: bool = False


def begun_anew(text: str) -> str:
    """Return the part of a text that counts: a path typed behind another (`~//srv`, `~/~/x`) takes its place."""
    anew = max(text.rfind("//") + 1, text.rfind("/~/") + 1, text.find("/~") + 1 if text.endswith("/~") else 0)
    return text[anew:]


def path_of(text: str) -> Path:
    """Return the path that a text means: `~` is the home folder, and a bare name lies there too.

    Raises:
        ValueError: no path is meant.
    """
    try:
        return Path.home() / Path(begun_anew(text.strip())).expanduser()
    except RuntimeError:
        raise ValueError("no home folder") from None


def listing(text: str, *, hidden: bool = False) -> Listing:
    """Return what a path can become: folders first.

    Names that a terminal cannot show are left out, since they could not be typed either.

    Args:
        hidden: whether hidden names are offered before their point is typed.
    """
    text = begun_anew(text)
    typed, _, beginning = text.rpartition("/")
    typed = f"{typed}/" if "/" in text else ""
    if text in ("~", ".."):
        typed, beginning = f"{text}/", ""
    try:
        with os.scandir(path_of(typed or "~/")) as found:
            names = [one for one in islice(found, LOOKED_AT) if _fits(one.name, beginning, hidden=hidden)]
            cut = next(found, None) is not None
            entries = [_entry(one) for one in names if one.name.isprintable()]
    except PermissionError:
        return Listing(typed, (), there=False, denied=True)
    except (OSError, ValueError):
        return Listing(typed, (), there=False)
    entries.sort(key=lambda entry: (not entry.folder, entry.name.casefold(), entry.name))
    more = cut or len(entries) > MOST
    return Listing(typed, tuple(entries[:MOST]), there=True, unshown=len(names) - len(entries), more=more)


def completed(found: Listing, text: str) -> str:
    """Return the path as far as all that it can become agree; a single folder is entered."""
    if not found.entries:
        return text
    if len(found.entries) == 1:
        only = found.entries[0]
        return f"{found.typed}{only.name}{'/' if only.folder else ''}"
    beginning = text.rpartition("/")[2]
    common = _common([entry.name for entry in found.entries])
    return f"{found.typed}{common}" if len(common) >= len(beginning) else text


def _common(names: Sequence[str]) -> str:
    """Return what names have in common at their beginning; capitals of the first one."""
    shortest = min(map(len, names))
    same = (place for place in range(shortest) if len({name[place].casefold() for name in names}) > 1)
    return names[0][: next(same, shortest)]


def _fits(name: str, beginning: str, *, hidden: bool) -> bool:
    if name.startswith(".") and not hidden and not beginning.startswith("."):
        return False
    return name.casefold().startswith(beginning.casefold())


def _entry(one: os.DirEntry[str]) -> Entry:
    try:
        folder = one.is_dir()
        size = one.stat().st_size if not folder and one.is_file() else None
    except OSError:
        return Entry(one.name, folder=False, size=None)
    return Entry(one.name, folder, size)
