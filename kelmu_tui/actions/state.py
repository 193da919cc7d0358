"""Why an action can't be used now: the faces grey it and say the reason when its key is pressed."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from kelmu_tui.actions.action import Action


class Why(StrEnum):
    """Reasons, the first that applies in this order."""

    CAPABILITY = "capability"
    SUPERVISION = "supervision"
    OFFLINE = "offline"
    NOTHING_SELECTED = "nothing_selected"
    NOTHING_TO_UNDO = "nothing_to_undo"
    NOTHING_TO_REPEAT = "nothing_to_repeat"


class State(NamedTuple):
    """What of the present moment decides over actions.

    Attributes:
        selected: rows marked, or 1 for the row under the cursor, or 0.
        supervisor: whether the user supervises the organisation's look-ups.
    """

    capabilities: Collection[str] = ()
    online: bool = True
    selected: int = 0
    can_undo: bool = False
    can_repeat: bool = False
    supervisor: bool = False


def disabled(action: Action, state: State) -> Why | None:
    """Return why `action` can't be used in `state`, None when it can."""
    if action.capability is not None and action.capability not in state.capabilities:
        return Why.CAPABILITY
    if action.supervisor and not state.supervisor:
        return Why.SUPERVISION
    if action.needs_network and not state.online:
        return Why.OFFLINE
    if action.selection and not state.selected:
        return Why.NOTHING_SELECTED
    if action.id == "main.undo" and not state.can_undo:
        return Why.NOTHING_TO_UNDO
    if action.id == "main.repeat" and not (state.can_repeat and state.selected):
        return Why.NOTHING_TO_REPEAT
    return None
