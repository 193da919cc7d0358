"""Somebody who makes claims, with a customer's file, a notice and an account, for the tests of services."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from kelmu_tui.api.contract import PassedOnRow, SectionLine
from kelmu_tui.api.contract.customers import ClaimRow, DecisionRow, PaymentRow
from kelmu_tui.domain.sections import Section
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context
from kelmu_tui.store import outbox, replica
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import State
from tests.services.customers import at_work
from tests.services.signed_in import FIRST, NOW
from tests.store.claim_rows import ACCOUNT, CODE, GENERATION, account, content
from tests.store.customer_lines import answer, head, person

NAME: Final = "Virtanen, Aino Örnvik"


def hold_claims(store: Store, *rows: dict[str, Any]) -> None:
    """Put claims into the generation that is shown, with the organisation's account."""
    with store.write() as db:
        replica.put_rows(db, GENERATION, [account("a1"), *rows])
        db.execute(
            "INSERT OR REPLACE INTO replica.scope (name, generation) VALUES (?, ?)", (f"claims:{FIRST}", GENERATION)
        )
        store.changed("claim", "account")


def making_claims(profile: Profile, store: Store, *rows: dict[str, Any]) -> Context:
    """Return the context of somebody who may make claims."""
    context = at_work(profile, store)
    hold_claims(store, *rows)
    return context


def section(name: Section, rows: Iterable[Any], at: datetime = NOW, **changes: Any) -> SectionLine:
    """Return an answered section."""
    found = list(rows)
    values: dict[str, Any] = {
        "section": name,
        "state": "shown" if found else "none",
        "source_at": at,
        name.value: found,
    }
    return SectionLine(**values | changes)


def keep_file(
    store: Store,
    *,
    payments: Iterable[PaymentRow] = (),
    decisions: Iterable[DecisionRow] = (),
    claims: Iterable[ClaimRow] = (),
    passed_on: Iterable[PassedOnRow] = (),
    narrowed: bool = False,
    **changes: Any,
) -> None:
    """Let the payee's file be held, with the sections that the rules of claims ask for."""
    answer(
        store,
        head(NOW, who=person(identity_code=CODE, **changes)),
        section(Section.PAYMENTS, payments, narrowed=narrowed),
        section(Section.DECISIONS, decisions),
        section(Section.CLAIMS, claims),
        section(Section.PASSED_ON, passed_on),
    )


__all__ = ["ACCOUNT", "CODE", "NAME", "hold_claims", "keep_file", "making_claims", "section"]


def commands(store: Store) -> list[outbox.Command]:
    """Return what waits to be sent or was refused, the oldest first."""
    with store.read() as db:
        ids = [row[0] for row in db.execute("SELECT id FROM main.command ORDER BY number")]
        found = [outbox.command(db, id_) for id_ in ids]
    return [one for one in found if one is not None]


def register(context: Context, draft: str | None = None, **changes: Any) -> str:
    """Register a claim; `changes` are of its content."""
    return context.claims.register(content(**changes), name=NAME, non_disclosure=False, draft=draft)


def set_state(store: Store, command: str, state: State) -> None:
    """Bring a command into a state in which its bytes are fixed."""
    with store.write() as db:
        db.execute("UPDATE main.command SET state = ?, body = x'7b7d' WHERE id = ?", (state.value, command))


def refuse(store: Store, command: str) -> None:
    """Let the backend refuse a command by a rule."""
    with store.write() as db:
        outbox.freeze(db, command)
        outbox.refuse(db, command, {"code": "rule_refused", "rule": "payee_died"}, None, NOW)


# --- what there is --------------------------------------------------------------------------------------------------
