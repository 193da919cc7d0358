"""The keys in force: the registry's defaults, changed by the settings as far as they make sense."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from kelmu_tui.actions.action import Action
from kelmu_tui.actions.contexts import ACTIVE, TYPING, Context
from kelmu_tui.actions.keys import RESERVED, is_printable, parse_key
from kelmu_tui.actions.registry import ACTIONS, REGISTRY, reachable

NO_KEY: Final = "none"
"""Written in the settings, it takes all keys from an action."""


class KeymapFault(StrEnum):
    """What is wrong with a key in the settings."""

    UNKNOWN_ACTION = "unknown_action"
    UNUSABLE_KEY = "unusable_key"
    RESERVED_KEY = "reserved_key"
    TYPED_KEY = "typed_key"
    CONFLICT = "conflict"
    ESSENTIAL = "essential"


class KeymapProblem(NamedTuple):
    """A setting that does not count; the action keeps its default keys.

    Attributes:
        action: id as it stands in the settings, where its line is found.
        key: the key as written, or for a conflict as Textual names it.
        other: for a conflict, id of the action that has the key on the same screen.
    """

    fault: KeymapFault
    action: str
    key: str = ""
    other: str | None = None


class Keymap:
    """Which key does what on which screen; built from what the settings change (action id to keys)."""

    def __init__(self, changes: Mapping[str, str] | None = None) -> None:
        self._problems: list[KeymapProblem] = []
        self._keys = {action.id: action.keys for action in ACTIONS}
        changed = set()
        for name, text in (changes or {}).items():
            keys = self._parse(name, text)
            if keys is not None:
                self._keys[name] = keys
                changed.add(name)
        self._settle(changed)
        self._found = {
            context: {key: action for action in reachable(context) for key in self._keys[action.id]}
            for context in ACTIVE
        }

    @property
    def problems(self) -> tuple[KeymapProblem, ...]:
        """Settings that do not count, in the order in which they were found."""
        return tuple(self._problems)

    def keys(self, action: str) -> tuple[str, ...]:
        """Return the keys of an action (id), the one to show first."""
        return self._keys[action]

    def find(self, context: Context, key: str) -> Action | None:
        """Return what `key` does on the screen `context`."""
        return self._found[context].get(key)

    def _parse(self, name: str, text: str) -> tuple[str, ...] | None:
        """Return the keys that a setting asks for, or report why it does not count and return None."""
        action = REGISTRY.get(name)
        if action is None:
            self._report(KeymapFault.UNKNOWN_ACTION, name)
            return None
        if text.strip().lower() in ("", NO_KEY):
            if action.essential:
                self._report(KeymapFault.ESSENTIAL, name)
                return None
            return ()
        keys = []
        for written in _split(text):
            key = parse_key(written)
            fault = _fault(action, key)
            if fault is not None or key is None:
                self._report(fault or KeymapFault.UNUSABLE_KEY, name, written)
                return None
            if key not in keys:
                keys.append(key)
        return tuple(keys)

    def _report(self, fault: KeymapFault, name: str, key: str = "", other: str | None = None) -> None:
        self._problems.append(KeymapProblem(fault, name, key, other))

    def _settle(self, changed: set[str]) -> None:
        """Take back changes until no key means two things on a screen; the defaults themselves never clash."""
        while True:
            clash = next(self._clashes(changed), None)
            if clash is None:
                return
            name, key, other = clash
            self._report(KeymapFault.CONFLICT, name, key, other)
            self._keys[name] = REGISTRY[name].keys
            changed.discard(name)

    def _clashes(self, changed: set[str]) -> Iterator[tuple[str, str, str]]:
        for context in ACTIVE:
            owner: dict[str, str] = {}
            for action in reachable(context):
                for key in self._keys[action.id]:
                    other = owner.setdefault(key, action.id)
                    if other != action.id:
                        yield (action.id, key, other) if action.id in changed else (other, key, action.id)


def _split(text: str) -> list[str]:
    """Split `t, f5`; a comma that stands alone is the key itself."""
    if text.strip() == ",":
        return [","]
    return [part.strip() for part in text.split(",") if part.strip()]


def _fault(action: Action, key: str | None) -> KeymapFault | None:
    if key is None:
        return KeymapFault.UNUSABLE_KEY
    if key in RESERVED:
        return KeymapFault.RESERVED_KEY
    if is_printable(key) and not TYPING.isdisjoint(action.contexts):
        return KeymapFault.TYPED_KEY
    return None
