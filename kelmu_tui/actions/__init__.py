"""Everything a user can do with a key: the registry drives keys, footer, palette, help and menus.

An action is known by its id (`inbox.transfer`), under which it stands in the settings file, in the texts
(`actions.inbox.transfer.label` and `.help`) and, with underscores, as a method of the faces
(`action_inbox_transfer`). `python -m kelmu_tui.actions` prints `docs/keys.md`.

    registry    the actions, contexts and groups
    keys        names of keys, as people write them and as Textual calls them
    keymap      the keys in force: defaults, changed by the settings, with every mistake reported
    state       why an action can't be used now
    footer      the hints that fit a width
    search      what the palette and the help screen find
"""

from __future__ import annotations

from kelmu_tui.actions.action import Action
from kelmu_tui.actions.contexts import ACTIVE, Context, Group
from kelmu_tui.actions.footer import Footer, Hint, footer
from kelmu_tui.actions.keymap import Keymap, KeymapFault, KeymapProblem
from kelmu_tui.actions.keys import parse_key, show_key
from kelmu_tui.actions.registry import ACTIONS, REGISTRY
from kelmu_tui.actions.search import Match, search
from kelmu_tui.actions.state import State, Why, disabled

__all__ = [
    "ACTIONS",
    "ACTIVE",
    "REGISTRY",
    "Action",
    "Context",
    "Footer",
    "Group",
    "Hint",
    "Keymap",
    "KeymapFault",
    "KeymapProblem",
    "Match",
    "State",
    "Why",
    "disabled",
    "footer",
    "parse_key",
    "search",
    "show_key",
]
