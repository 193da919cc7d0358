"""What the screens work with while somebody works for an organisation: services on the store's thread, and the sync."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kelmu_tui.services.announcements import Announcements
from kelmu_tui.services.drafts import Drafts
from kelmu_tui.services.inbox import Inbox
from kelmu_tui.services.outbox import Outbox
from kelmu_tui.store.rows import ActiveSession, NoticeLine, TraceLine
from kelmu_tui.sync.status import SyncStatus

if TYPE_CHECKING:
    from kelmu_tui.services.claims import Claims
    from kelmu_tui.services.customers import Customers, LookUp
    from kelmu_tui.services.following import Following
    from kelmu_tui.services.invoices import Invoices
    from kelmu_tui.services.lists import Lists
    from kelmu_tui.services.look_ups import LookUpLog
    from kelmu_tui.services.own_data import OwnData
    from kelmu_tui.services.sendings import Sendings

InboxLine = NoticeLine | TraceLine
Hear = Callable[[str], None]
"""Hears the customer's id after each part of an answer that was stored."""
HearRows = Callable[[int, int], None]
"""Hears how many rows of a list are here, and how many there are."""


@dataclass
class Desk:
    """One user at work for one organisation.

    Attributes:
        run: runs a unit of work on the store's thread.
        status: the engine's present status.
        poke: makes the engine look for work at once.
        get_customers, get_following: give the services of customers and of those who are followed, which are made
            when they are first needed.
        look_up: asks the backend for a customer, stores the answer and returns the customer's id; raises `ApiError`,
            `NotAllowed` or `StoreError`.
        get_look_ups, get_lists: give the log of look-ups and the lists, which are made when they are first needed.
        refresh_lists: asks the backend which lists are published; raises `ApiError`, `NotAllowed` or `StoreError`.
        fetch_list: fetches a list's period, or goes on with it; raises the same, `NotHere` when it is not published
            any more, and `Overtaken` when another terminal fetches it.
        get_invoices: gives the invoices, which are made when they are first needed.
        refresh_invoices: asks the backend what was billed; raises as `refresh_lists`.
        get_own_data: gives what the organisation itself knows, made when it is first needed.
        get_claims: gives the payment claims, made when they are first needed.
        tell_editing: tells the backend that the user changes a claim (id, True), or has stopped; it can be repeated as
            often as there is something to tell, is silent without a network, and raises nothing.
        get_sendings: gives the documents that are sent to Kela, made when they are first needed.
        upload_rate: bytes a second at which documents go up just now; None while none does, or another terminal sends.
    """

    session: ActiveSession
    run: Callable[..., Awaitable[Any]]
    inbox: Inbox
    outbox: Outbox
    drafts: Drafts
    announcements: Announcements
    status: Callable[[], SyncStatus]
    poke: Callable[[], None]
    get_customers: Callable[[], Customers]
    look_up: Callable[[LookUp, Hear], Awaitable[str]]
    get_following: Callable[[], Following]
    get_look_ups: Callable[[], LookUpLog]
    get_lists: Callable[[], Lists]
    refresh_lists: Callable[[], Awaitable[None]]
    fetch_list: Callable[[str, str, HearRows], Awaitable[None]]
    get_invoices: Callable[[], Invoices]
    refresh_invoices: Callable[[], Awaitable[None]]
    get_own_data: Callable[[], OwnData]
    get_claims: Callable[[], Claims]
    tell_editing: Callable[[str, bool], Awaitable[None]]
    get_sendings: Callable[[], Sendings]
    upload_rate: Callable[[], float | None]

    @cached_property
    def customers(self) -> Customers:
        """What may be known of customers."""
        return self.get_customers()

    @cached_property
    def following(self) -> Following:
        """Which customers are followed."""
        return self.get_following()

    @cached_property
    def look_ups(self) -> LookUpLog:
        """The log of look-ups, as the backend has it."""
        return self.get_look_ups()

    @cached_property
    def lists(self) -> Lists:
        """Which lists may be fetched, and what stands in those that are here."""
        return self.get_lists()

    @cached_property
    def invoices(self) -> Invoices:
        """What Kela bills, and what is said of it."""
        return self.get_invoices()

    @cached_property
    def claims(self) -> Claims:
        """What the organisation claims."""
        return self.get_claims()

    @cached_property
    def own_data(self) -> OwnData:
        """What the organisation itself knows."""
        return self.get_own_data()

    @cached_property
    def sendings(self) -> Sendings:
        """Which documents are sent to Kela, and what became of them."""
        return self.get_sendings()
