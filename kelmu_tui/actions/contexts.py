"""Where actions work: the contexts, which of them are active together on each screen, and the headings of the help."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Context(StrEnum):
    """Where an action works."""

    GLOBAL = "global"
    MAIN = "main"
    LIST = "list"
    INBOX = "inbox"
    NOTICE = "notice"
    CUSTOMERS = "customers"
    CUSTOMER = "customer"
    CUSTOMER_TEXT = "customer_text"
    FOLLOWED = "followed"
    LISTS = "lists"
    LIST_ROWS = "list_rows"
    LIST_COLUMNS = "list_columns"
    LIST_VIEWS = "list_views"
    DIFFERENCES = "differences"
    INVOICES = "invoices"
    INVOICE = "invoice"
    FINDING_ROWS = "finding_rows"
    DISPUTE = "dispute"
    CLAIMS = "claims"
    CLAIM = "claim"
    CLAIM_TEXT = "claim_text"
    DOCUMENTS = "documents"
    SENDING = "sending"
    HISTORY = "history"
    SUPERVISION = "supervision"
    OUTBOX = "outbox"
    ANNOUNCEMENTS = "announcements"
    ORGANISATIONS = "organisations"
    SIGN_IN = "sign_in"
    PERSONAS = "personas"
    ABOUT = "about"
    DIALOG = "dialog"
    LOOK_UP = "look_up"
    TRANSFER = "transfer"
    NOTE = "note"
    CONFIRM = "confirm"
    OWN_TABLE = "own_table"
    CLAIM_FORM = "claim_form"
    CLAIM_PICK = "claim_pick"
    CLAIM_TOLD = "claim_told"
    CLAIM_PREVIEW = "claim_preview"
    SENDING_FORM = "sending_form"
    SENDING_PREVIEW = "sending_preview"
    DOCUMENT_PICK = "document_pick"
    FORM_PAGE = "form_page"
    HELP = "help"
    PALETTE = "palette"
    FILTER = "filter"
    LOCKED = "locked"


class Group(StrEnum):
    """Headings of the help screen."""

    WORK = "work"
    MOVE = "move"
    CHOOSE = "choose"
    PLACES = "places"
    PROGRAM = "program"
    DIALOGS = "dialogs"


_PAGE = (Context.MAIN, Context.GLOBAL)
_ROWS = (Context.LIST, *_PAGE)

ACTIVE: Final[Mapping[Context, tuple[Context, ...]]] = MappingProxyType(
    {
        Context.INBOX: (Context.INBOX, *_ROWS),
        Context.NOTICE: (Context.NOTICE, *_PAGE),
        Context.CUSTOMERS: (Context.CUSTOMERS, *_ROWS),
        # Its sections have the numbers of the main ones: nothing else of those is needed while reading a file.
        Context.CUSTOMER: (Context.CUSTOMER, Context.LIST, Context.GLOBAL),
        Context.CUSTOMER_TEXT: (Context.CUSTOMER_TEXT, Context.GLOBAL),
        Context.FOLLOWED: (Context.FOLLOWED, *_ROWS),
        Context.LISTS: (Context.LISTS, *_ROWS),
        Context.LIST_ROWS: (Context.LIST_ROWS, *_ROWS),
        # Its parts have the numbers of the sections, as in a customer's file.
        Context.DIFFERENCES: (Context.DIFFERENCES, Context.GLOBAL),
        Context.LIST_COLUMNS: (Context.LIST_COLUMNS, Context.DIALOG),
        Context.LIST_VIEWS: (Context.LIST_VIEWS, Context.DIALOG),
        Context.INVOICES: (Context.INVOICES, *_ROWS),
        Context.INVOICE: (Context.INVOICE, *_ROWS),
        Context.FINDING_ROWS: (Context.FINDING_ROWS, *_ROWS),
        Context.DISPUTE: (Context.DISPUTE, Context.GLOBAL),
        Context.CLAIMS: (Context.CLAIMS, *_ROWS),
        Context.CLAIM: (Context.CLAIM, *_PAGE),
        Context.CLAIM_TEXT: (Context.CLAIM_TEXT, Context.GLOBAL),
        Context.DOCUMENTS: (Context.DOCUMENTS, *_ROWS),
        Context.SENDING: (Context.SENDING, *_PAGE),
        Context.HISTORY: (Context.HISTORY, *_ROWS),
        Context.SUPERVISION: (Context.SUPERVISION, *_ROWS),
        Context.OUTBOX: (Context.OUTBOX, *_ROWS),
        Context.ANNOUNCEMENTS: (Context.ANNOUNCEMENTS, *_ROWS),
        Context.ABOUT: (Context.ABOUT, *_PAGE),
        Context.ORGANISATIONS: (Context.ORGANISATIONS, Context.LIST, Context.GLOBAL),
        Context.SIGN_IN: (Context.SIGN_IN, Context.GLOBAL),
        Context.PERSONAS: (Context.PERSONAS, Context.LIST, Context.GLOBAL),
        Context.LOOK_UP: (Context.LOOK_UP, Context.DIALOG),
        Context.TRANSFER: (Context.TRANSFER, Context.DIALOG),
        Context.NOTE: (Context.NOTE, Context.DIALOG),
        Context.CONFIRM: (Context.CONFIRM, Context.DIALOG),
        Context.OWN_TABLE: (Context.OWN_TABLE, Context.DIALOG),
        # Everything that can be done in the form has a key that is no letter.
        Context.CLAIM_FORM: (Context.CLAIM_FORM,),
        Context.CLAIM_PICK: (Context.CLAIM_PICK, Context.PALETTE, Context.DIALOG),
        Context.CLAIM_TOLD: (Context.CLAIM_TOLD, Context.DIALOG),
        Context.CLAIM_PREVIEW: (Context.CLAIM_PREVIEW, Context.ABOUT, Context.GLOBAL),
        # As in the form of a payment claim.
        Context.SENDING_FORM: (Context.SENDING_FORM,),
        Context.SENDING_PREVIEW: (Context.SENDING_PREVIEW, Context.ABOUT, Context.GLOBAL),
        # From a page over a form no number leads away from what was filled in.
        Context.FORM_PAGE: (Context.FORM_PAGE, Context.ABOUT, Context.GLOBAL),
        Context.DOCUMENT_PICK: (Context.DOCUMENT_PICK, Context.CONFIRM, Context.DIALOG),
        Context.HELP: (Context.HELP, Context.DIALOG),
        Context.PALETTE: (Context.PALETTE, Context.DIALOG),
        Context.FILTER: (Context.FILTER, Context.DIALOG),
        Context.LOCKED: (Context.LOCKED,),
    }
)
"""Contexts that are active together on each screen, the innermost first; a key means one thing on a screen."""

TYPING: Final = frozenset(
    {
        Context.DIALOG,
        Context.LOOK_UP,
        Context.TRANSFER,
        Context.NOTE,
        Context.CONFIRM,
        Context.HELP,
        Context.PALETTE,
        Context.FILTER,
        Context.LOCKED,
        Context.CLAIM_FORM,
        Context.CLAIM_PICK,
        Context.SENDING_FORM,
        Context.DOCUMENT_PICK,
    }
)
"""Contexts in which letters are text: an action there needs another kind of key."""
