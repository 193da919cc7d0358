"""Claims and accounts as the feed brings them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from kelmu_tui.api.contract.claims import AccountRow, AssistancePaid, ClaimEvent, ClaimPayee, ClaimRecord
from kelmu_tui.domain.claims.content import Assistance, Content
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.store import replica
from kelmu_tui.store.database import Store
from tests.store.build import NOW, OWN

GENERATION: Final = 12
CLAIM_TABLES: Final = ("claim", "claim_body", "account")
LATER_TABLES: Final = ("sending",)
"""Tables that came to the replica after those of claims."""
CODE: Final = "010190-900P"
ACCOUNT: Final = "FI2112345600000785"
REGISTERED: Final = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
SCOPE: Final = f"claims:{OWN}"


def content(**changes: Any) -> Content:
    """Return what a claim on the housing allowance of the winter says, for which assistance was paid."""
    values: dict[str, Any] = {
        "payee": CODE,
        "basis": "social_assistance_23",
        "benefit": "general_housing_allowance",
        "first": date(2026, 12, 5),
        "last": date(2027, 2, 28),
        "amount": Decimal("320.50"),
        "account": ACCOUNT,
        "reference": "TT 123/26",
        "grounds": "Ennakkona ehkäisevää tukea.",
        "handler": "Laura Koski",
        "telephone": "040 1234567",
        "assistance": Assistance(date(2026, 12, 5), date(2027, 2, 28), Decimal("400.00"), date(2026, 11, 10)),
    }
    return Content(**values | changes)


def claim(id: str, **changes: Any) -> dict[str, Any]:  # noqa: A002
    """Return a claim of the wire; `family`, `given`, `code` and `non_disclosure` are of its payee."""
    said = content()
    paid = said.assistance
    assert paid is not None
    payee = ClaimPayee(
        identity_code=changes.pop("code", CODE),
        family_name=changes.pop("family", "Virtanen"),
        given_names=changes.pop("given", "Aino"),
        non_disclosure=changes.pop("non_disclosure", False),
    )
    values: dict[str, Any] = {
        "id": id,
        "version": 1,
        "status": Status.REGISTERED,
        "payee": payee,
        "basis": said.basis,
        "benefit": said.benefit,
        "first": said.first,
        "last": said.last,
        "amount": said.amount,
        "account": said.account,
        "reference": said.reference,
        "grounds": said.grounds,
        "handler": said.handler,
        "telephone": said.telephone,
        "assistance": AssistancePaid(first=paid.first, last=paid.last, amount=paid.amount, decided_on=paid.decided_on),
        "registered_at": REGISTERED,
        "registered_by": "Maija Mäki",
        "payment_day": date(2027, 1, 4),
        "events": [ClaimEvent(at=REGISTERED, what="register", by="Maija Mäki")],
    }
    return ClaimRecord(**values | changes).model_dump(mode="json", exclude_none=True)


def account(id: str, iban: str = ACCOUNT, name: str = "Toimeentulotuki", version: int = 1) -> dict[str, Any]:  # noqa: A002
    """Return an account of the wire."""
    return AccountRow(id=id, version=version, iban=iban, name=name).model_dump(mode="json", exclude_none=True)


def hold(store: Store, rows: Iterable[dict[str, Any]]) -> None:
    """Put rows into the generation of claims that is shown."""
    with store.write() as db:
        replica.put_rows(db, GENERATION, rows)
        db.execute("INSERT OR REPLACE INTO replica.scope (name, generation) VALUES (?, ?)", (SCOPE, GENERATION))
        store.changed("claim", "account")


HOUR: Final = timedelta(hours=1)
LATER: Final = NOW + HOUR
