"""What is known of one thing a user can do, and the ways in which many are alike."""

from __future__ import annotations

from typing import NamedTuple

from kelmu_tui.actions.contexts import Context, Group


class Action(NamedTuple):
    """One thing a user can do.

    Attributes:
        contexts: where it works.
        keys: default keys as Textual names them; empty when it is reached through the palette alone.
        capability: needed for it, None when every user may.
        supervisor: it is for those who supervise the organisation's look-ups.
        selection: it acts on the marked rows, or on the one under the cursor.
        undoable: `u` takes it back.
        needs_network: it can't be done while offline; commands don't need it, they wait in the outbox.
        priority: the lower, the earlier it gets a place in the footer; None stays out of it.
        essential: it may be given other keys, but not none.
    """

    id: str
    contexts: tuple[Context, ...]
    keys: tuple[str, ...]
    group: Group
    priority: int | None = None
    capability: str | None = None
    selection: bool = False
    undoable: bool = False
    needs_network: bool = False
    essential: bool = False
    supervisor: bool = False

    @property
    def label_key(self) -> str:
        """Key of its label: a word or two for the footer."""
        return f"actions.{self.id}.label"

    @property
    def help_key(self) -> str:
        """Key of its help: one sentence."""
        return f"actions.{self.id}.help"

    @property
    def method(self) -> str:
        """Name of the action in the faces: the method is `action_<method>`."""
        return self.id.replace(".", "_")


def in_form(
    context: Context, name: str, keys: tuple[str, ...], priority: int | None = None, *, essential: bool = False
) -> Action:
    """Return something to do in a form, where letters are text; `name` stands behind the form's."""
    return Action(f"{context.value}.{name}", (context,), keys, Group.DIALOGS, priority, essential=essential)
