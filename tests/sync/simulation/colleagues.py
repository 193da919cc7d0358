"""What happens by itself: colleagues without a terminal, and Kela's side of claims."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from kelmu_backend.commands import Envelope
from kelmu_backend.rows import encode
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.store import claim_content
from kelmu_tui.store.outbox import Frozen
from tests.sync.simulation import claims
from tests.sync.simulation.ground import COLLEAGUES, PLACES, ServerCrash
from tests.sync.simulation.record import Record

DIES: Final = 0.1
"""Share of Kela's moves in which the backend dies at some statement."""


def work(record: Record, dice: random.Random, sent: frozenset[str]) -> None:
    """Let a colleague without a terminal do something, most often give a notice away.

    Args:
        sent: notices in answers that have not arrived: what happens to these is the most interesting.
    """
    user, organisation = dice.choice(list(COLLEAGUES.items()))
    held = record.standing(f"notices:{organisation.business_id}")
    if not held:
        return
    notice, version = dice.choice([one for one in held if one[0] in sent] or held)
    verb = dice.choice(("transfer", "transfer", "transfer", "take", "note", "release"))
    others = [place for holder, places in PLACES.items() if holder != organisation.business_id for place in places]
    body: dict[str, Any] = {}
    if verb == "transfer":
        body = {"municipality": dice.choice(others), "reason": "Muuttanut"}
    elif verb == "note":
        body = {"text": "Työpari on selvittänyt"}
    given = Frozen(record.ids.new(), organisation.business_id, notice, verb, version, encode(body), "", 1, 1)
    record.command(user, given._replace(lease=record.lease(user)))


def register(record: Record, dice: random.Random, accounts: dict[str, str], count: int) -> None:
    """Let colleagues register claims and Kela begin with them, so that there are some from the start."""
    today = local_date(record.now())
    for user, organisation in list(COLLEAGUES.items()) * count:
        account = accounts[organisation.business_id]
        content = replace(claims.content(dice, today, account), benefit=dice.choice(claims.BENEFITS), account=account)
        body, claim = encode(claim_content.to_payload(content)), record.ids.new()
        key, lease = record.ids.new(), record.lease(user)
        record.run(
            Envelope(
                user, f"device-{user}", organisation.business_id, claim, "register", key, 0, lease, body, "request",
                "claim",
            )
        )  # fmt: skip
    for _ in range(2 * count):
        handle(record, dice)


def handle(record: Record, dice: random.Random) -> None:
    """Let Kela handle a claim, or a colleague begin to change one; the backend may die in it."""
    record.fuse = dice.randrange(14) if dice.random() < DIES else None
    done: Callable[[], None] | None = None
    try:
        with record.write() as connection:
            done = claims.handle(connection, record.book, dice, record.now(), record.ids)
    except ServerCrash:
        return
    finally:
        record.fuse = None
    if done is not None:
        record.booked(done)
