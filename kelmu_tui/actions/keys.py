"""Names of keys: as people write them in settings and read them in help, and as Textual calls them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

RESERVED: Final = frozenset({"ctrl+c", "ctrl+z", "ctrl+backslash"})
"""Keys with a meaning of their own in every terminal program: interrupt, suspend, quit."""

_ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "esc": "escape",
        "return": "enter",
        "pgdn": "pagedown",
        "pgdown": "pagedown",
        "page_down": "pagedown",
        "pgup": "pageup",
        "page_up": "pageup",
        "del": "delete",
        "ins": "insert",
        "spacebar": "space",
    }
)
_EDITING: Final = frozenset({"escape", "enter", "tab", "space", "backspace", "delete", "insert"})
_MOVING: Final = frozenset({"home", "end", "pageup", "pagedown", "up", "down", "left", "right"})
_FUNCTION: Final = re.compile(r"f([1-9]|1[0-9]|2[0-4])\Z")
_SHOWN: Final[Mapping[str, str]] = MappingProxyType(
    {"escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "delete": "del", "insert": "ins"}
)
_ARROWS: Final[Mapping[str, str]] = MappingProxyType({"up": "↑", "down": "↓", "left": "←", "right": "→"})

# Terminals send these as another key: ctrl+i is tab, ctrl+m enter, ctrl+j a line feed, ctrl+h backspace.
_SAME_BYTE: Final = frozenset({"i", "m", "j", "h", "left_square_bracket"})
# With shift a terminal tells tab and the keys below; shifted letters are the capital letter itself.
_SHIFTABLE: Final = _MOVING | {"tab"}


_RENAMED: Final[Mapping[str, str]] = MappingProxyType(
    {"/": "slash", "\\": "backslash", "@": "at", "_": "underscore", "-": "minus", "+": "plus"}
)
_CHARACTERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        _RENAMED.get(c) or unicodedata.name(c).lower().replace("-", "_").replace(" ", "_"): c
        for c in [*map(chr, range(33, 127)), *"§½¤£€´¨"]
        if not c.isalnum()
    }
)
"""Signs of a Nordic keyboard by Textual's names, which are those of Unicode but for a few."""
_NAMES: Final[Mapping[str, str]] = MappingProxyType({character: name for name, character in _CHARACTERS.items()})


def _character_name(character: str) -> str | None:
    """Return Textual's name of a character one can type: itself for letters and digits."""
    return character if character.isalnum() else _NAMES.get(character)


def parse_key(text: str) -> str | None:
    """Return Textual's name of the key that a person wrote (`?`, `ctrl+P`, `PgDn`, `F5`), None when it is unusable.

    Unusable are combinations that terminals don't send or send as another key; whether a usable key may be taken is
    the keymap's question.
    """
    text = text.strip()
    if len(text) == 1:
        return _character_name(text)
    *modifiers, base = text.split("+") if not text.endswith("++") else (*text[:-2].split("+"), "+")
    modifiers = [name.strip().lower() for name in modifiers]
    key = _base(base.strip())
    if key is None or len(set(modifiers)) != len(modifiers):
        return None
    if not modifiers:
        return key
    return _modified(modifiers, key)


def _base(text: str) -> str | None:
    if len(text) == 1:
        return _character_name(text)
    name = text.lower()
    name = _ALIASES.get(name, name)
    if name in _EDITING or name in _MOVING or name in _CHARACTERS or _FUNCTION.match(name):
        return name
    return None


def _modified(modifiers: list[str], key: str) -> str | None:
    if modifiers == ["ctrl"]:
        # Letters reach the terminal as control characters, and there is no difference between small and capital.
        low = key.lower()
        if (len(low) == 1 and low.isascii() and low.isalpha() and low not in _SAME_BYTE) or low == "backslash":
            return f"ctrl+{low}"
        return f"ctrl+{key}" if key in _MOVING else None
    if modifiers == ["shift"]:
        return f"shift+{key}" if key in _SHIFTABLE else None
    if modifiers == ["alt"]:
        return f"alt+{key}" if len(key) == 1 and key.isascii() else None
    return None


def is_printable(key: str) -> bool:
    """Tell whether pressing `key` types a character."""
    return len(key) == 1 or key in _CHARACTERS or key == "space"


def show_key(key: str, *, arrows: bool = True) -> str:
    """Return how people read `key`: `?` for `question_mark`, `pgdn`, `↑`; words for arrows where glyphs are ASCII."""
    *modifiers, base = key.split("+")
    shown = _CHARACTERS.get(base) or _SHOWN.get(base) or (_ARROWS.get(base) if arrows else None) or base
    return "+".join((*modifiers, shown))
