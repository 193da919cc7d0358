"""What a claim says, between its value and the JSON of rows and commands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from kelmu_tui.domain.claims.content import Assistance, Content
from kelmu_tui.domain.claims.life import Cancel, Change, Command, End, Prolong, Register

_OPEN_END: Final = "-"
"""What the form has in the place of a last day: until further notice."""
_DAYS: Final = ("first", "last", "care_first", "care_last")
_TEXTS: Final = ("reference", "grounds", "handler", "telephone")


def of_row(row: Mapping[str, Any]) -> Content:
    """Return what a claim of the wire (`contract.ClaimRecord`) says."""
    return of_payload({**row, "payee": row["payee"]["identity_code"]})


def of_payload(payload: Mapping[str, Any]) -> Content:
    """Return what the command says that registers or changes a claim (`contract.ClaimBody`)."""
    return Content(
        payee=payload["payee"],
        basis=payload["basis"],
        benefit=payload["benefit"],
        first=date.fromisoformat(payload["first"]),
        last=day(payload.get("last")),
        amount=amount(payload.get("amount")),
        account=payload["account"],
        reference=payload.get("reference") or "",
        grounds=payload.get("grounds") or "",
        handler=payload.get("handler") or "",
        telephone=payload.get("telephone") or "",
        care_first=day(payload.get("care_first")),
        care_last=day(payload.get("care_last")),
        assistance=_assistance(payload.get("assistance")),
    )


def to_payload(content: Content) -> dict[str, Any]:
    """Return the JSON of a command that says this, in the fields of `contract.ClaimBody`."""
    paid = content.assistance
    return {
        "payee": content.payee,
        "basis": content.basis,
        "benefit": content.benefit,
        "first": text(content.first),
        "last": text(content.last),
        "amount": text(content.amount),
        "account": content.account,
        **{name: getattr(content, name) for name in _TEXTS},
        "care_first": text(content.care_first),
        "care_last": text(content.care_last),
        "assistance": None
        if paid is None
        else {
            "first": text(paid.first),
            "last": text(paid.last),
            "amount": text(paid.amount),
            "decided_on": text(paid.decided_on),
        },
    }


def command_payload(command: Command) -> dict[str, Any]:
    """Return the JSON of a command's own fields."""
    match command:
        case Register(content) | Change(content):
            return to_payload(content)
        case Prolong(last):
            return {"last": text(last)}
        case End(last, reason):
            return {"last": text(last), "reason": reason}
    return {}


def command_of(verb: str, payload: Mapping[str, Any]) -> Command:
    """Return the rule's command that a command of the outbox stands for."""
    match verb:
        case "claim-register":
            return Register(of_payload(payload))
        case "claim-change":
            return Change(of_payload(payload))
        case "claim-prolong":
            return Prolong(date.fromisoformat(payload["last"]))
        case "claim-end":
            return End(date.fromisoformat(payload["last"]), payload["reason"])
        case _:
            return Cancel()


def typed(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of the form's fields from which a command was given: as they were typed, else as they read."""
    kept = payload.get("typed")
    if kept is not None:
        return {str(name): str(value) for name, value in kept.items()}
    fields = {name: payload.get(name) for name in ("basis", "benefit", "amount", "account", *_DAYS, *_TEXTS)}
    paid = payload.get("assistance") or {}
    fields |= {f"assistance_{name}": value for name, value in paid.items()}
    fields["last"] = fields["last"] or _OPEN_END
    return {name: str(value) for name, value in fields.items() if value}


def day(found: str | None) -> date | None:
    """Return a day of the wire, None without one."""
    return None if found is None else date.fromisoformat(found)


def amount(found: str | float | None) -> Decimal | None:
    """Return a sum of the wire, None without one."""
    return None if found is None else Decimal(str(found))


def text(value: date | Decimal | None) -> str | None:
    """Return a day or a sum as the wire has it."""
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else str(value)


def _assistance(found: Mapping[str, Any] | None) -> Assistance | None:
    if found is None:
        return None
    return Assistance(
        date.fromisoformat(found["first"]),
        date.fromisoformat(found["last"]),
        Decimal(str(found["amount"])),
        date.fromisoformat(found["decided_on"]),
    )
