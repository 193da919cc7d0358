"""What the list of own commands still tells of a customer once the notice has been given away."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kelmu_tui.store import aftermath, outbox
from kelmu_tui.store.database import Store
from tests.store.build import OWN

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
OTHER = "9900050-1"
EPOCH = "one"


def give(store: Store, verb: str, to: str | None) -> str:
    """Save, send and acknowledge a command on the notice `n`."""
    label = {"customer": "Virta, Oskar", "kind": "reduced_basic_amount"} | ({"to_organisation": to} if to else {})
    payload = {"municipality": "853", "reason": "muutto"} if verb == "transfer" else {}
    draft = outbox.Draft("user", OWN, "n", verb, payload, label, 1, "lease")
    with store.write() as db:
        id_ = outbox.append(db, draft, id=f"command-{verb}", now=NOW)
        outbox.freeze(db, id_)
        outbox.acknowledge(db, id_, seq=7, version=2, epoch=EPOCH, now=NOW)
    return id_


def settle(store: Store) -> None:
    with store.write() as db:
        aftermath.settle(db, OWN, epoch=EPOCH, checkpoint=7, filling=False, now=NOW)


def labels(store: Store) -> dict[str, dict[str, object]]:
    with store.read() as db:
        found = [outbox.command(db, id_) for (id_,) in db.execute("SELECT id FROM main.command").fetchall()]
    return {command.verb: command.label for command in found if command is not None}


@pytest.mark.parametrize(("to", "stays"), [(OTHER, False), (OWN, True)])
def test_a_name_stays_only_while_the_notice_does(store: Store, to: str, stays: bool) -> None:
    give(store, "open", None)
    give(store, "transfer", to)
    settle(store)
    found = labels(store)
    assert set(found) == {"open", "transfer"}
    assert all(("customer" in label) is stays for label in found.values())
    assert all(label["kind"] == "reduced_basic_amount" for label in found.values())


def test_a_name_stays_while_the_transfer_is_on_its_way(store: Store) -> None:
    give(store, "transfer", OTHER)
    assert labels(store)["transfer"]["customer"] == "Virta, Oskar"
