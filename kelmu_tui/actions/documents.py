"""Actions on documents to Kela, and those of the form of a sending."""

from __future__ import annotations

from typing import Final

from kelmu_tui.actions.action import Action, in_form
from kelmu_tui.actions.contexts import Context, Group
from kelmu_tui.domain.capabilities import DOCUMENTS_SEND


def _sending(name: str, key: str, priority: int, *, selection: bool = True) -> Action:
    """Something to do with documents that are sent: works on the list and while reading one sending."""
    return Action(
        f"documents.{name}",
        (Context.DOCUMENTS, Context.SENDING),
        (key,),
        Group.WORK,
        priority,
        capability=DOCUMENTS_SEND,
        selection=selection,
    )


DOCUMENTS: Final = (
    _sending("new", "n", 20, selection=False),
    _sending("cancel", "c", 21),
    _sending("retry", "t", 22),
    _sending("copy", "y", 23),
    _sending("explain", "K", 24, selection=False),
    Action("customer.documents", (Context.CUSTOMER,), ("C",), Group.WORK, 30, capability=DOCUMENTS_SEND),
    Action("main.documents", (Context.MAIN,), ("9",), Group.PLACES, capability=DOCUMENTS_SEND),
    in_form(Context.SENDING_FORM, "preview", ("ctrl+s", "f2"), 10, essential=True),
    in_form(Context.SENDING_FORM, "leave", ("escape",), 11, essential=True),
    in_form(Context.SENDING_FORM, "add", ("ctrl+o", "f3"), 12, essential=True),
    in_form(Context.SENDING_FORM, "kind", ("ctrl+t", "f4"), 13, essential=True),
    in_form(Context.SENDING_FORM, "name", ("ctrl+r", "f5"), 14),
    in_form(Context.SENDING_FORM, "remove", ("ctrl+d", "f8"), 15),
    in_form(Context.SENDING_FORM, "look", ("ctrl+g", "f6"), 16),
    in_form(Context.SENDING_FORM, "customer", ("ctrl+y", "f7"), 18),
    in_form(Context.SENDING_FORM, "next", ("tab",), 17, essential=True),
    in_form(Context.SENDING_FORM, "previous", ("shift+tab",), essential=True),
    in_form(Context.SENDING_FORM, "choose", ("enter",), essential=True),
    in_form(Context.SENDING_FORM, "down", ("down",)),
    in_form(Context.SENDING_FORM, "up", ("up",)),
    in_form(Context.SENDING_FORM, "clear", ("ctrl+u",)),
    in_form(Context.SENDING_FORM, "help", ("f1",), 1, essential=True),
    Action("sending_preview.send", (Context.SENDING_PREVIEW,), ("enter", "ctrl+s"), Group.DIALOGS, 10, essential=True),
    Action("document_pick.mark", (Context.DOCUMENT_PICK,), ("ctrl+t", "insert", "f3"), Group.DIALOGS, 12),
    Action("document_pick.hidden", (Context.DOCUMENT_PICK,), ("ctrl+g", "f4"), Group.DIALOGS, 13),
)
"""On the list of sendings and on one, in the form, its preview and its file picker."""
