"""A desk at which claims are made: the real store and services, and rows as the feed brings them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from textual.pilot import Pilot
from textual.screen import Screen

from kelmu_tui.api.contract.claims import AccountRow, ClaimRecord
from kelmu_tui.domain.capabilities import PAYMENT_CLAIMS_REGISTER
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.screens.claim import ClaimScreen
from kelmu_tui.screens.claims import ClaimsScreen
from kelmu_tui.store import outbox, replica
from kelmu_tui.widgets.chrome import Caption
from tests.screens.customers import LookUpOffice
from tests.screens.support import SESSION, press, settled, text_of
from tests.store.build import NOW, OWN
from tests.widgets.support import until

CLAIMANT: Final = SESSION._replace(capabilities=SESSION.capabilities | {PAYMENT_CLAIMS_REGISTER})
GENERATION: Final = 19
IBAN: Final = "FI2112345600000785"
CODE: Final = "010190-900P"
COLLEAGUE: Final = "Matti Meri"


def claim(id: str, **changes: Any) -> dict[str, Any]:  # noqa: A002
    """Return a claim as the wire's JSON; `family`, `given`, `code` and `non_disclosure` reach inside."""
    values: dict[str, Any] = {
        "id": id,
        "version": 1,
        "status": Status.IN_FORCE,
        "payee": {
            "identity_code": changes.pop("code", CODE),
            "family_name": changes.pop("family", "Virtanen"),
            "given_names": changes.pop("given", "Aino"),
            "non_disclosure": changes.pop("non_disclosure", False),
        },
        "basis": "client_fees_14",
        "benefit": "national_pension_old_age",
        "first": "2026-10-01",
        "last": "2027-03-31",
        "amount": "412.50",
        "account": IBAN,
        "reference": "RF18 5390",
        "grounds": "Laitoshoito jatkuu.",
        "handler": "Laura Koski",
        "telephone": "09 123 4567",
        "care_first": "2026-10-01",
        "registered_at": "2026-11-02T08:30:00Z",
        "registered_by": "Laura Koski",
        "payment_day": "2026-12-04",
        "events": [{"at": "2026-11-02T08:30:00Z", "what": "register", "by": "Laura Koski"}],
    }
    return ClaimRecord(**values | changes).model_dump(mode="json")


def in_every_state() -> list[dict[str, Any]]:
    """Return a claim in each state, of different people."""
    heard = "2026-12-04"
    return [
        claim("registered", family="Aalto", status=Status.REGISTERED, last=None),
        claim("late", family="Eerola", status=Status.REGISTERED, late=True, payment_day="2027-01-07"),
        claim("handled", family="Haapala", status=Status.IN_HANDLING),
        claim("heard", family="Korpi", status=Status.HEARING, hearing_until=heard),
        claim(
            "paid",
            family="Lahti",
            payments=[{"on": "2026-11-06", "amount": "412.50"}, {"on": "2026-11-19", "amount": "100.00"}],
        ),
        claim("protected", family="Niemi", non_disclosure=True),
        claim("rejected", family="Oja", status=Status.REJECTED, rejection="no_benefit", decided_on="2026-11-12"),
        claim("ended", family="Salo", status=Status.ENDED, end_reason="care_ended", ended_on="2026-11-10"),
        claim("cancelled", family="Toivola", status=Status.CANCELLED),
    ]


class ClaimsOffice(LookUpOffice):
    """An office whose user makes claims."""

    def __init__(self, folder: Path, rows: Iterable[dict[str, Any]] = (), **options: Any) -> None:
        options.setdefault("session", CLAIMANT)
        super().__init__(folder, rows, **options)
        self.hold([], accounts=True)

    def hold(self, rows: Iterable[dict[str, Any]], *, accounts: bool = False) -> None:
        """Let the feed bring claims."""
        made = [AccountRow(id="account", version=1, iban=IBAN, name="Sosiaalipalvelut").model_dump(mode="json")]
        with self.store.write() as db:
            replica.put_rows(db, GENERATION, [*rows, *(made if accounts else [])])
            db.execute(
                "INSERT OR REPLACE INTO replica.scope (name, generation) VALUES (?, ?)", (f"claims:{OWN}", GENERATION)
            )
            self.store.changed("claim", "account")

    def lose(self) -> None:
        """Let the mandate end: the scope goes, and the session opens claims no more."""
        self.give()
        with self.store.write() as db:
            db.execute("DELETE FROM replica.scope WHERE name = ?", (f"claims:{OWN}",))
            self.store.changed("scope", "claim")

    def give(self, *mandates: str, kind: str = "wellbeing_county") -> None:
        """Let the session be one with these mandates alone, in an organisation of a kind."""
        from kelmu_tui.services.session import put_secrets
        from tests.services.customers import grant
        from tests.services.signed_in import organisation, session_text

        made = organisation(OWN, "Pirkanmaa", grants=[grant(mandate) for mandate in mandates], type=kind)
        user = {"id": SESSION.user_id, "name": "Laura Koski", "language": "fi"}
        put_secrets(self.store, {"session": session_text(made, user=user)})

    def commands(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return verb, claim and payload of the commands that wait, in their order."""
        with self.store.read() as db:
            found = outbox.pending(db, OWN)
        return [(one.verb, one.aggregate, dict(one.payload)) for one in found]

    def refuse(self, code: str = "rule_refused", rule: str | None = None, current: dict[str, Any] | None = None) -> str:
        """Let the backend refuse the oldest command that waits; return its id."""
        with self.store.write() as db:
            first = outbox.pending(db, OWN)[0]
            outbox.freeze(db, first.id)
            told = None if current is None else json.dumps(current)
            outbox.refuse(db, first.id, {"code": code, "rule": rule, "request_id": "req-1"}, told, NOW)
            self.store.changed("command", "conflict", keys=(first.aggregate,))
        return first.id

    def looks(self) -> list[tuple[str, str | None, int]]:
        """Return view, subject and rows of what was logged."""
        with self.store.read() as db:
            found = db.execute(
                "SELECT body ->> 'view', body ->> 'subject', body ->> 'rows' FROM main.view_event ORDER BY number"
            ).fetchall()
        return [(view, subject, int(rows)) for view, subject, rows in found if view.startswith("claim")]


@asynccontextmanager
async def claiming(
    folder: Path, rows: Iterable[dict[str, Any]] = (), size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[tuple[ClaimsOffice, Pilot[Any]]]:
    """Run an office with claims; wait until its inbox is there."""
    app = ClaimsOffice(folder, **options)
    app.hold(rows)
    try:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            yield app, pilot
    finally:
        app.gate.set()
        app.thread.close()


@asynccontextmanager
async def listing(
    folder: Path, rows: Iterable[dict[str, Any]] = (), size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[tuple[ClaimsOffice, Pilot[Any]]]:
    """Run it with the list of claims on top."""
    async with claiming(folder, rows, size, **options) as (app, pilot):
        await press(pilot, "5")
        assert isinstance(app.screen, ClaimsScreen)
        yield app, pilot


def shown(app: ClaimsOffice) -> ClaimsScreen:
    """Return the list, which has to be on top."""
    assert isinstance(app.screen, ClaimsScreen)
    return app.screen


def page(app: ClaimsOffice) -> ClaimScreen:
    """Return the claim's page, which has to be on top."""
    assert isinstance(app.screen, ClaimScreen)
    return app.screen


def ids(app: ClaimsOffice) -> list[str]:
    """Return which claims are listed."""
    return [row.id for row in shown(app).rows.rows]


def cells(app: ClaimsOffice, id: str) -> dict[str, str]:  # noqa: A002
    """Return the texts of a claim's cells."""
    row = next(row for row in shown(app).rows.rows if row.id == id)
    return {name: cell.text for name, cell in shown(app).cells(row).items()}


def words(app: ClaimsOffice) -> str:
    """Return what is on the screen as one line of words."""
    return " ".join(text_of(app).split())


def effect(app: ClaimsOffice) -> str:
    """Return what the box says of the answer."""
    return app.screen.query_one("#effect", Caption).text


def top(app: ClaimsOffice) -> Screen[Any]:
    """Return the screen on top."""
    return app.screen


def draft(app: ClaimsOffice, **values: str) -> str:
    """Keep a draft of a claim; return its id."""
    assert app.desk is not None
    typed = {"basis": "client_fees_14", "benefit": "national_pension_old_age", **values}
    return app.desk.claims.save_draft(None, claim=None, payee=CODE, name="Virtanen, Aino", values=typed)


def editing(until_: datetime) -> list[dict[str, str]]:
    """Return that a colleague is changing a claim until an instant."""
    return [{"user": "user-2", "name": COLLEAGUE, "until": until_.isoformat()}]


async def at(app: ClaimsOffice, pilot: Pilot[Any], id: str) -> None:  # noqa: A002
    """Put the cursor on a claim."""
    shown(app).rows.jump(id)
    await settled(pilot)


async def opened(app: ClaimsOffice, pilot: Pilot[Any], id: str) -> ClaimScreen:  # noqa: A002
    """Open a claim from the list."""
    await at(app, pilot, id)
    await press(pilot, "enter")
    await until(pilot, lambda: isinstance(app.screen, ClaimScreen) and app.screen.file is not None, "the claim")
    await settled(pilot)
    return page(app)
