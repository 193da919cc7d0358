"""Finding actions by a few letters: for the palette and the help screen."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from kelmu_tui.actions.action import Action
from kelmu_tui.actions.keymap import Keymap
from kelmu_tui.actions.keys import show_key
from kelmu_tui.actions.registry import ACTIONS

# How good a word of the query matches, from the key itself down to letters scattered over the label.
_KEY: Final = 100
_LABEL_START: Final = 80
_LABEL_WORD: Final = 70
_LABEL_PART: Final = 60
_ID: Final = 50
_HELP_WORD: Final = 40
_HELP_PART: Final = 30
_SCATTERED: Final = 10


class Match(NamedTuple):
    """An action that was found, with its texts; the higher the score, the better."""

    action: Action
    score: int
    label: str
    help: str
    keys: tuple[str, ...]


def fold(text: str) -> str:
    """Return `text` without case and diacritics, so that `kasittele` finds `käsittele`."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def search(
    query: str, keymap: Keymap, translate: Callable[[str], str], actions: Iterable[Action] = ACTIONS
) -> list[Match]:
    """Return the actions that match every word of `query`, best first; all of them, in order, without a word."""
    words = query.split()
    found = []
    for action in actions:
        label, explained = translate(action.label_key), translate(action.help_key)
        keys = tuple(show_key(key) for key in keymap.keys(action.id))
        scores = [_score(word, action.id, fold(label), fold(explained), keys) for word in words]
        if all(scores):
            found.append(Match(action, sum(scores), label, explained, keys))
    return sorted(found, key=lambda match: -match.score)


def _score(word: str, name: str, label: str, explained: str, keys: tuple[str, ...]) -> int:
    if word in keys:
        return _KEY
    word = fold(word)
    checks = (
        (_LABEL_START, label.startswith(word)),
        (_LABEL_WORD, f" {word}" in label),
        (_LABEL_PART, word in label),
        (_ID, word in name),
        (_HELP_WORD, f" {word}" in f" {explained}"),
        (_HELP_PART, word in explained),
        (_SCATTERED, len(word) > 1 and _scattered(word, label)),
    )
    return next((score for score, holds in checks if holds), 0)


def _scattered(word: str, text: str) -> bool:
    """Tell whether the letters of `word` occur in `text` in this order."""
    letters = iter(text)
    return all(letter in letters for letter in word)
