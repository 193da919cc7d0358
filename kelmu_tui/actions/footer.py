"""The hints at the bottom: as many as fit, the most important ones, and how many more there are."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from kelmu_tui.actions.action import Action
from kelmu_tui.actions.contexts import Context
from kelmu_tui.actions.keymap import Keymap
from kelmu_tui.actions.keys import show_key
from kelmu_tui.actions.registry import reachable
from kelmu_tui.actions.state import State, Why, disabled

GAP: Final = 2
"""Cells between two hints."""


class Hint(NamedTuple):
    """One hint: `t siirrä`; `usable` is False when the action has a reason against it now."""

    action: Action
    key: str
    label: str
    usable: bool

    @property
    def width(self) -> int:
        """Cells of the hint."""
        return cells(self.key) + 1 + cells(self.label)


class Footer(NamedTuple):
    """The hints that fit, in the order of the screen, and how many actions with a key are not among them."""

    hints: tuple[Hint, ...]
    more: int

    @property
    def rest(self) -> str:
        """Text at the right end: `+6`, empty when everything is shown."""
        return f"+{self.more}" if self.more else ""


@lru_cache(1024)  # keys and labels of the actions, at each move of a cursor
def cells(text: str) -> int:
    """Return the terminal cells that `text` takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def footer(
    context: Context, keymap: Keymap, translate: Callable[[str], str], width: int, state: State, *, arrows: bool = True
) -> Footer:
    """Choose hints for `width` cells: by priority which ones, by the registry in which order.

    Actions without capability are left out altogether, help tells about them; the others stay in their place when
    they can't be used at the moment, since a footer that jumps cannot be learnt.
    """
    candidates = []
    for action in reachable(context):
        why = disabled(action, state)
        keys = keymap.keys(action.id)
        if action.priority is not None and keys and why is not Why.CAPABILITY:
            candidates.append(Hint(action, show_key(keys[0], arrows=arrows), translate(action.label_key), why is None))
    chosen: set[str] = set()
    used = -GAP
    for hint in sorted(candidates, key=lambda h: h.action.priority or 0):
        used += GAP + hint.width
        left = len(candidates) - len(chosen) - 1
        if used + (GAP + cells(f"+{left}") if left else 0) > width:
            # No less important hint slips into the gap: what stands there should not depend on word lengths.
            break
        chosen.add(hint.action.id)
    hints = tuple(hint for hint in candidates if hint.action.id in chosen)
    return Footer(hints, len(candidates) - len(hints))
