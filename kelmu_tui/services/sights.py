"""Customers' files and lists held against the user's mandates: what may not be seen any more is destroyed."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from kelmu_tui.domain.capabilities import Allowed
from kelmu_tui.domain.lists import access_to
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.domain.sections import CUSTOMER_LOOKUP, Section, Sight, person_hides, sight
from kelmu_tui.services.known import KnownOrganisation
from kelmu_tui.store import customers, feed, lists
from kelmu_tui.store.database import Store


class Sights(NamedTuple):
    """What may be seen of a customer; `sections` is None when nobody may be looked up."""

    sections: dict[Section, Sight] | None
    person_hides: frozenset[str]


def sights_of(found: KnownOrganisation | None, on: date) -> Sights:
    """Return what the mandates for an organisation show on a day; nothing without an organisation."""
    if found is None:
        return Sights(None, frozenset())
    opened = found.capabilities(on)
    if not opened.has(CUSTOMER_LOOKUP):
        return Sights(None, frozenset())
    return Sights({section: sight(opened, found.agreement, section) for section in Section}, person_hides(opened))


def govern(store: Store, sights: Sights) -> bool:
    """Destroy what these sights don't show, of the attached organisation; say whether they were other ones before."""
    with store.read() as db:
        if customers.governed_by(db) == customers.sights_print(*sights):
            return False
        held = customers.any_held(db)
    with store.write("replica") as db:
        touched = customers.govern(db, *sights)
        if held:
            feed.unscrub(db)
        if touched:
            store.changed("customer", keys=touched)
    if held:
        scrub(store)
    return True


def opened_lists(found: KnownOrganisation | None, on: date) -> frozenset[str]:
    """Return the lists that the mandates for an organisation open on a day; none without an organisation."""
    if found is None:
        return frozenset()
    held = found.capabilities(on)
    named = held.names & catalogue().keys()
    return frozenset(id_ for id_ in named if isinstance(access_to(catalogue()[id_], held), Allowed))


def govern_lists(store: Store, opened: frozenset[str]) -> bool:
    """Destroy what is there of lists that are not open, of the attached organisation; say whether there was any."""
    with store.read() as db:
        if lists.named(db) <= opened:
            return False
    with store.write("replica") as db:
        gone = lists.keep_only(db, opened)
        feed.unscrub(db)
        store.changed("list", "invoice", keys=gone)
    scrub(store)
    return True


def scrub(store: Store) -> None:
    """Empty the log of what was destroyed; where a reader is in the way, the next pull does it."""
    if store.scrub():
        with store.write("replica") as db:
            feed.scrubbed(db)
