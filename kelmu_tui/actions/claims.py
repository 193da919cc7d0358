"""Actions on payment claims, and those of the form of one."""

from __future__ import annotations

from typing import Final

from kelmu_tui.actions.action import Action, in_form
from kelmu_tui.actions.contexts import Context, Group
from kelmu_tui.domain.capabilities import CUSTOMER_LOOKUP, PAYMENT_CLAIMS_REGISTER


def _claim(name: str, key: str, priority: int, *, selection: bool = True, undoable: bool = False) -> Action:
    """Something to do with claims: works on the list and while reading one."""
    return Action(
        f"claims.{name}",
        (Context.CLAIMS, Context.CLAIM),
        (key,),
        Group.WORK,
        priority,
        capability=PAYMENT_CLAIMS_REGISTER,
        selection=selection,
        undoable=undoable,
    )


CLAIMS: Final = (
    _claim("new", "n", 20, selection=False),
    _claim("change", "e", 21),
    _claim("prolong", "p", 22, undoable=True),
    _claim("end", "d", 23, undoable=True),
    _claim("cancel", "c", 24, undoable=True),
    _claim("explain", "K", 25),
    _claim("letter", "w", 26),
    _claim("copy", "y", 27),
    _claim("again", "C", 28),
    Action(
        "claims.customer",
        (Context.CLAIMS, Context.CLAIM),
        ("i",),
        Group.WORK,
        29,
        capability=CUSTOMER_LOOKUP,
        selection=True,
    ),
    Action("claims.views", (Context.CLAIMS,), ("v",), Group.CHOOSE, 33, capability=PAYMENT_CLAIMS_REGISTER),
    Action("claims.sort", (Context.CLAIMS,), ("s",), Group.CHOOSE, 37, capability=PAYMENT_CLAIMS_REGISTER),
    Action("claim_text.send", (Context.CLAIM_TEXT,), ("y",), Group.WORK, 20),
    Action("claim_text.save", (Context.CLAIM_TEXT,), ("w",), Group.WORK, 21),
    Action("claim_text.print", (Context.CLAIM_TEXT,), ("P",), Group.WORK, 22),
)
"""On the list of claims, on one, and on its text."""

CLAIM_FORM: Final = (
    in_form(Context.CLAIM_FORM, "register", ("ctrl+s",), 10, essential=True),
    in_form(Context.CLAIM_FORM, "leave", ("escape",), 11, essential=True),
    in_form(Context.CLAIM_FORM, "next_blocking", ("ctrl+g", "f8"), 12),
    in_form(Context.CLAIM_FORM, "preview", ("ctrl+r", "f2"), 13),
    in_form(Context.CLAIM_FORM, "told", ("ctrl+t", "f3"), 14),
    in_form(Context.CLAIM_FORM, "customer", ("ctrl+o", "f4"), 15),
    in_form(Context.CLAIM_FORM, "meanwhile", ("ctrl+y", "f6")),
    in_form(Context.CLAIM_FORM, "choose", ("enter",), essential=True),
    in_form(Context.CLAIM_FORM, "next", ("tab",), 16, essential=True),
    in_form(Context.CLAIM_FORM, "previous", ("shift+tab",), essential=True),
    in_form(Context.CLAIM_FORM, "down", ("down",)),
    in_form(Context.CLAIM_FORM, "up", ("up",)),
    in_form(Context.CLAIM_FORM, "clear", ("ctrl+u",)),
    in_form(Context.CLAIM_FORM, "drop", ("f9",)),
    in_form(Context.CLAIM_FORM, "help", ("f1",), 1, essential=True),
    Action("claim_pick.letter", (Context.CLAIM_PICK,), ("ctrl+t", "f3"), Group.DIALOGS, 12),
    Action("claim_told.source", (Context.CLAIM_TOLD,), ("K",), Group.DIALOGS, 12),
    Action("claim_told.customer", (Context.CLAIM_TOLD,), ("i",), Group.DIALOGS, 13),
    Action("claim_preview.register", (Context.CLAIM_PREVIEW,), ("enter", "ctrl+s"), Group.DIALOGS, 10, essential=True),
)
"""In the form, where letters are text, and on what is chosen, told and shown in it."""
