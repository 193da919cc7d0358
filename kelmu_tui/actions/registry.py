"""All actions, and which of them work where."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from kelmu_tui.actions.action import Action
from kelmu_tui.actions.claims import CLAIM_FORM, CLAIMS
from kelmu_tui.actions.contexts import ACTIVE, Context, Group
from kelmu_tui.actions.documents import DOCUMENTS
from kelmu_tui.domain.capabilities import CUSTOMER_LOOKUP, NOTICE_TRANSFER, NOTICES_INBOX, PAYMENT_CLAIMS_REGISTER


def _command(
    name: str, key: str, priority: int | None, *, capability: str = NOTICES_INBOX, undoable: bool = True
) -> Action:
    """A command on notices: works on the list and while reading one."""
    return Action(
        f"inbox.{name}",
        (Context.INBOX, Context.NOTICE),
        (key,),
        Group.WORK,
        priority,
        capability=capability,
        selection=True,
        undoable=undoable,
    )


def _judging(name: str, key: str, priority: int) -> Action:
    """What the user says of findings; the same key again takes it back."""
    return Action(f"invoice.{name}", (Context.INVOICE,), (key,), Group.WORK, priority, selection=True, undoable=True)


def _part(name: str, key: str) -> Action:
    """A part of a customer's file."""
    return Action(f"customer.{name}", (Context.CUSTOMER,), (key,), Group.PLACES)


_BULK = (
    Context.INBOX,
    Context.OUTBOX,
    Context.FOLLOWED,
    Context.LIST_ROWS,
    Context.INVOICE,
    Context.FINDING_ROWS,
    Context.CLAIMS,
)
"""Lists whose commands act on several rows; elsewhere a mark would mean nothing."""
_FORMS = (Context.CLAIM_FORM, Context.SENDING_FORM)
_LOOK_UPS = (Context.HISTORY, Context.SUPERVISION)
_PICKING = (Context.LIST_COLUMNS, Context.LIST_VIEWS, Context.CLAIM_TOLD)
"""Boxes with choices in which nothing is typed: letters are keys there."""
_MOVING = (
    *(Context.LIST, Context.NOTICE, Context.ABOUT, Context.CUSTOMER_TEXT, Context.DIFFERENCES, Context.DISPUTE),
    *(Context.CLAIM, Context.CLAIM_TEXT, Context.SENDING),
    *(Context.OWN_TABLE, *_PICKING),
)

ACTIONS: Final = (
    # Work on notices
    _command("transfer", "t", 20, capability=NOTICE_TRANSFER),
    _command("take", "a", 21),
    _command("handle", "d", 22),
    _command("release", "A", 60),
    _command("reopen", "D", 62),
    _command("note", "n", 40, undoable=False),
    _command("take_back", "b", 61, capability=NOTICE_TRANSFER, undoable=False),
    Action("inbox.views", (Context.INBOX,), ("v",), Group.CHOOSE, 41, capability=NOTICES_INBOX),
    Action("inbox.sort", (Context.INBOX,), ("s",), Group.CHOOSE, 45, capability=NOTICES_INBOX),
    Action("inbox.show_new", (Context.INBOX,), ("N",), Group.CHOOSE, 63, capability=NOTICES_INBOX),
    Action("inbox.pane", (Context.INBOX,), ("tab",), Group.MOVE, 64, capability=NOTICES_INBOX),
    Action("inbox.preview", (Context.INBOX,), ("p",), Group.CHOOSE, 68, capability=NOTICES_INBOX),
    Action("notice.next", (Context.NOTICE,), ("J", "right_square_bracket"), Group.MOVE, 50),
    Action("notice.previous", (Context.NOTICE,), ("K", "left_square_bracket"), Group.MOVE, 51),
    # A customer's file
    Action("customers.find", (Context.CUSTOMERS,), ("i",), Group.WORK, 20, capability=CUSTOMER_LOOKUP),
    Action(
        "inbox.customer",
        (Context.INBOX, Context.NOTICE),
        ("i",),
        Group.WORK,
        39,
        capability=CUSTOMER_LOOKUP,
        selection=True,
    ),
    Action("customer.next", (Context.CUSTOMER,), ("tab", "right_square_bracket"), Group.MOVE, 20),
    Action("customer.previous", (Context.CUSTOMER,), ("shift+tab", "left_square_bracket"), Group.MOVE),
    Action("customer.explain", (Context.CUSTOMER,), ("K",), Group.WORK, 21),
    Action("customer.copy", (Context.CUSTOMER,), ("y",), Group.WORK, 22),
    Action("customer.text", (Context.CUSTOMER,), ("e",), Group.WORK, 23),
    Action("customer.fetch", (Context.CUSTOMER,), ("r",), Group.WORK, 24, needs_network=True),
    Action("customer.household", (Context.CUSTOMER,), ("H",), Group.WORK, 25, needs_network=True),
    Action("customer.follow", (Context.CUSTOMER,), ("f",), Group.WORK, 28),
    Action("customer.claim", (Context.CUSTOMER,), ("B",), Group.WORK, 29, capability=PAYMENT_CLAIMS_REGISTER),
    Action("customer.another", (Context.CUSTOMER,), ("i",), Group.WORK, 33),
    Action("customer.sort", (Context.CUSTOMER,), ("s",), Group.CHOOSE, 32),
    Action("customer.numbers", (Context.CUSTOMER,), ("n",), Group.CHOOSE, 34),
    Action("customer.code", (Context.CUSTOMER,), ("c",), Group.CHOOSE, 35),
    Action("customer.send", (Context.CUSTOMER_TEXT,), ("y",), Group.WORK, 20),
    Action("customer.save", (Context.CUSTOMER, Context.CUSTOMER_TEXT), ("w",), Group.WORK, 26),
    Action("customer.print", (Context.CUSTOMER_TEXT,), ("P",), Group.WORK, 27),
    _part("overview", "1"),
    _part("pending", "2"),
    _part("decisions", "3"),
    _part("payments", "4"),
    _part("claims", "5"),
    _part("insurance", "6"),
    _part("recovery", "7"),
    _part("medicine", "8"),
    _part("passed_on", "9"),
    # Customers who are followed
    Action("followed.renew", (Context.FOLLOWED,), ("n",), Group.WORK, 20, selection=True),
    Action("followed.end", (Context.FOLLOWED,), ("d",), Group.WORK, 21, selection=True),
    # Lists, the rows of one, and two periods of one against each other
    Action("lists.fetch", (Context.LISTS,), ("f",), Group.WORK, 20),
    Action("lists.copy", (Context.LIST_ROWS, Context.FINDING_ROWS), ("y",), Group.WORK, 20, selection=True),
    Action("lists.export", (Context.LISTS, Context.LIST_ROWS), ("e",), Group.WORK, 25),
    Action("lists.compare", (Context.LISTS, Context.LIST_ROWS), ("v",), Group.WORK, 21),
    Action("lists.sort", (Context.LIST_ROWS,), ("s",), Group.CHOOSE, 22),
    Action("lists.groups", (Context.LIST_ROWS, Context.DIFFERENCES), ("m",), Group.CHOOSE, 23),
    Action("lists.views", (Context.LIST_ROWS,), ("V",), Group.CHOOSE, 32),
    Action("lists.columns", (Context.LIST_ROWS,), ("C",), Group.CHOOSE, 33),
    Action("lists.code", (Context.LIST_ROWS, Context.DIFFERENCES, Context.FINDING_ROWS), ("c",), Group.CHOOSE, 34),
    Action("differences.next", (Context.DIFFERENCES,), ("tab", "right_square_bracket"), Group.MOVE, 20),
    Action("differences.previous", (Context.DIFFERENCES,), ("shift+tab", "left_square_bracket"), Group.MOVE),
    Action("differences.came", (Context.DIFFERENCES,), ("1",), Group.PLACES),
    Action("differences.went", (Context.DIFFERENCES,), ("2",), Group.PLACES),
    Action("differences.changed", (Context.DIFFERENCES,), ("3",), Group.PLACES),
    Action("columns.mark", (Context.LIST_COLUMNS,), ("x", "space"), Group.CHOOSE),
    Action("columns.earlier", (Context.LIST_COLUMNS,), ("K",), Group.CHOOSE),
    Action("columns.later", (Context.LIST_COLUMNS,), ("J",), Group.CHOOSE),
    Action("columns.all", (Context.LIST_COLUMNS,), ("a",), Group.CHOOSE),
    Action("list_views.save", (Context.LIST_VIEWS,), ("s",), Group.CHOOSE),
    Action("list_views.drop", (Context.LIST_VIEWS,), ("d",), Group.CHOOSE),
    # Kela's invoices, and the review of one
    Action("invoices.fetch", (Context.INVOICES, Context.INVOICE), ("f",), Group.WORK, 26),
    _judging("accept", "a", 20),
    _judging("dispute", "d", 21),
    _judging("note", "n", 22),
    Action("invoice.edit", (Context.INVOICE,), ("e",), Group.WORK, 35, selection=True),
    Action("invoice.explain", (Context.INVOICE,), ("K",), Group.WORK, 23, selection=True),
    Action("invoice.write", (Context.INVOICE,), ("w",), Group.WORK, 24),
    Action("invoice.rows", (Context.INVOICE,), ("A",), Group.WORK, 34),
    Action("invoice.review", (Context.INVOICE,), ("R",), Group.WORK, 36),
    Action("invoice.own", (Context.INVOICE,), ("i",), Group.WORK, 27),
    Action("invoice.facts", (Context.INVOICE,), ("t",), Group.WORK, 25),
    Action("invoice.states", (Context.INVOICE,), ("v",), Group.CHOOSE, 33),
    Action("invoice.sort", (Context.INVOICE,), ("s",), Group.CHOOSE, 37),
    Action("dispute.save", (Context.DISPUTE,), ("w",), Group.WORK, 20),
    Action("dispute.print", (Context.DISPUTE,), ("P",), Group.WORK, 21),
    *CLAIMS,
    *DOCUMENTS,
    # The log of look-ups
    Action("supervision.search", (Context.SUPERVISION,), ("s",), Group.WORK, 20, supervisor=True),
    Action("supervision.sample", (Context.SUPERVISION,), ("t",), Group.WORK, 21, supervisor=True),
    Action("supervision.extract", (Context.SUPERVISION,), ("e",), Group.WORK, 22, supervisor=True),
    Action("supervision.copy", (Context.SUPERVISION,), ("y",), Group.WORK, 23, selection=True, supervisor=True),
    Action("supervision.write", (Context.SUPERVISION,), ("w",), Group.WORK, 24, supervisor=True),
    Action("look_ups.fetch", _LOOK_UPS, ("R",), Group.WORK, 25, needs_network=True),
    # Commands on their way
    Action("outbox.retry", (Context.OUTBOX,), ("t",), Group.WORK, 20, selection=True),
    Action("outbox.redo", (Context.OUTBOX,), ("R",), Group.WORK, 21, selection=True),
    Action("outbox.reload", (Context.OUTBOX,), ("v",), Group.WORK, 22, selection=True),
    Action("outbox.discard", (Context.OUTBOX,), ("d",), Group.WORK, 23, selection=True),
    Action("outbox.pane", (Context.OUTBOX,), ("tab",), Group.MOVE, 29),
    # Choosing who to be and for whom to work
    Action("sign_in.again", (Context.SIGN_IN,), ("n",), Group.WORK, 20, needs_network=True),
    # Rows
    Action(
        "list.open", (Context.LIST, Context.DIFFERENCES), ("enter", "l"), Group.MOVE, 44, selection=True, essential=True
    ),
    Action("list.mark", _BULK, ("x", "space"), Group.CHOOSE, 30),
    Action("list.mark_range", _BULK, ("X",), Group.CHOOSE, 70),
    Action("list.mark_all", _BULK, ("asterisk",), Group.CHOOSE, 71),
    Action("list.filter", (Context.LIST, Context.DIFFERENCES), ("slash",), Group.CHOOSE, 31),
    Action("list.down", _MOVING, ("j", "down"), Group.MOVE, essential=True),
    Action("list.up", _MOVING, ("k", "up"), Group.MOVE, essential=True),
    Action("list.page_down", _MOVING, ("pagedown", "ctrl+f"), Group.MOVE),
    Action("list.page_up", _MOVING, ("pageup", "ctrl+b"), Group.MOVE),
    Action("list.top", _MOVING, ("g", "home"), Group.MOVE),
    Action("list.bottom", _MOVING, ("G", "end"), Group.MOVE),
    # Everywhere after sign-in
    Action("main.undo", (Context.MAIN,), ("u",), Group.WORK, 32),
    Action("main.repeat", (Context.MAIN,), ("full_stop",), Group.WORK, 42),
    Action("main.sync", (Context.MAIN,), ("r", "f5"), Group.PROGRAM, 65),
    Action("main.organisation", (Context.MAIN,), ("o",), Group.PLACES, 66),
    Action("main.inbox", (Context.MAIN,), ("1",), Group.PLACES, capability=NOTICES_INBOX),
    Action("main.customer", (Context.MAIN,), ("2",), Group.PLACES, capability=CUSTOMER_LOOKUP),
    Action("main.lists", (Context.MAIN,), ("3",), Group.PLACES),
    Action("main.invoices", (Context.MAIN,), ("4",), Group.PLACES),
    Action("main.claims", (Context.MAIN,), ("5",), Group.PLACES, capability=PAYMENT_CLAIMS_REGISTER),
    Action("main.outbox", (Context.MAIN,), ("6",), Group.PLACES),
    Action("main.announcements", (Context.MAIN,), ("7",), Group.PLACES),
    Action("main.followed", (Context.MAIN,), ("8",), Group.PLACES, capability=CUSTOMER_LOOKUP),
    Action("main.history", (Context.MAIN,), ("H",), Group.PLACES, capability=CUSTOMER_LOOKUP),
    Action("main.supervision", (Context.MAIN,), ("S",), Group.PLACES, supervisor=True),
    Action("main.diagnostics", (Context.MAIN,), ("exclamation_mark",), Group.PROGRAM),
    Action("main.passphrase", (Context.MAIN,), (), Group.PROGRAM),
    Action("main.sign_out", (Context.MAIN,), (), Group.PROGRAM),
    # Always
    Action("app.back", (Context.GLOBAL,), ("q", "h", "escape"), Group.MOVE, 43, essential=True),
    Action("app.palette", (Context.GLOBAL,), ("colon", "ctrl+p"), Group.PROGRAM, 67, essential=True),
    Action("app.language", (Context.GLOBAL,), ("L",), Group.PROGRAM, 72),
    Action("app.mouse", (Context.GLOBAL,), (), Group.PROGRAM),
    Action("app.about", (Context.GLOBAL,), ("I",), Group.PLACES, 73),
    Action("app.lock", (Context.GLOBAL, Context.DIALOG, *_FORMS), ("ctrl+l",), Group.PROGRAM, essential=True),
    Action("lock.unlock", (Context.LOCKED,), ("enter",), Group.PROGRAM, 10, essential=True),
    Action("app.quit", (Context.GLOBAL, Context.LOCKED, *_FORMS), ("ctrl+q",), Group.PROGRAM, 74, essential=True),
    Action("app.help", (Context.GLOBAL,), ("question_mark", "f1"), Group.PROGRAM, 1, essential=True),
    *CLAIM_FORM,
    # A table of the organisation's own
    Action("own_table.columns", (Context.OWN_TABLE,), ("c",), Group.DIALOGS, 20),
    Action("own_table.sheet", (Context.OWN_TABLE,), ("s",), Group.DIALOGS, 21),
    # Dialogs, where letters are text
    Action(
        "dialog.accept",
        (
            *(Context.LOOK_UP, Context.TRANSFER, Context.CONFIRM, Context.OWN_TABLE),
            *(Context.HELP, Context.PALETTE, Context.FILTER, *_PICKING),
        ),
        ("enter",),
        Group.DIALOGS,
        10,
        essential=True,
    ),
    Action("dialog.save", (Context.NOTE,), ("ctrl+s",), Group.DIALOGS, 10, essential=True),
    Action("dialog.cancel", (Context.DIALOG,), ("escape",), Group.DIALOGS, 11, essential=True),
    Action(
        "dialog.down",
        (Context.LOOK_UP, Context.TRANSFER, Context.CONFIRM, Context.HELP, Context.PALETTE),
        ("down", "ctrl+n"),
        Group.DIALOGS,
        essential=True,
    ),
    Action(
        "dialog.up",
        (Context.LOOK_UP, Context.TRANSFER, Context.CONFIRM, Context.HELP, Context.PALETTE),
        ("up", "ctrl+p"),
        Group.DIALOGS,
        essential=True,
    ),
    Action(
        "dialog.next", (Context.LOOK_UP, Context.TRANSFER, Context.CONFIRM), ("tab",), Group.DIALOGS, 20, essential=True
    ),
    Action(
        "dialog.previous",
        (Context.LOOK_UP, Context.TRANSFER, Context.CONFIRM),
        ("shift+tab",),
        Group.DIALOGS,
        essential=True,
    ),
    Action(
        "dialog.clear",
        (
            Context.LOOK_UP,
            Context.TRANSFER,
            Context.NOTE,
            Context.CONFIRM,
            Context.HELP,
            Context.PALETTE,
            Context.FILTER,
        ),
        ("ctrl+u",),
        Group.DIALOGS,
    ),
)
"""All actions, in the order in which help shows them and the footer places them."""

REGISTRY: Final[Mapping[str, Action]] = MappingProxyType({action.id: action for action in ACTIONS})


@cache
def reachable(context: Context) -> tuple[Action, ...]:
    """Return the actions that work on the screen `context`, the innermost context's first, else in registry order."""
    depth = {name: number for number, name in enumerate(ACTIVE[context])}
    found = [
        (min(depth[c] for c in action.contexts if c in depth), order, action)
        for order, action in enumerate(ACTIONS)
        if any(c in depth for c in action.contexts)
    ]
    return tuple(action for _, _, action in sorted(found, key=lambda entry: entry[:2]))
