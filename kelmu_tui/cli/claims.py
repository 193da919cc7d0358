"""`kelmu claims list|show|accounts`: what the organisation claims, from the local store, logged before it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.inbox import shown_id
from kelmu_tui.cli.output import Column
from kelmu_tui.services.context import Context
from kelmu_tui.services.known import CLAIMS
from kelmu_tui.services.short_ids import among
from kelmu_tui.store.claim_rows import Account, ClaimFile, ClaimLine

NOTHING: Final = "–"
CLOSED: Final = frozenset({"rejected", "ended", "cancelled"})


def list_claims(env: Env) -> int:
    """List drafts and claims, those that need somebody first."""
    wanted, shown_closed = frozenset(env.option("claim_status") or ()), env.option("all_claims")
    with env.context(CLAIMS) as context:
        lines = [one for one in context.claims.lines() if _fits(one, wanted, env.option("filter") or "")]
        if not wanted and not shown_closed:
            lines = [one for one in lines if one.status not in CLOSED or one.conflict]
        shown = lines[: env.args.limit]
        context.claims.log_list(len(shown))
        synced = context.session.synced_at()
    if env.out.as_json:
        env.out.data("claims.list", {"total": len(lines), "synced_at": synced, "claims": [data(one) for one in shown]})
        return Exit.OK
    _table(env, shown)
    if len(shown) < len(lines):
        env.out.note(env.t("cli.more", shown=len(shown), total=len(lines)))
    if synced is None:
        env.out.note(env.t("cli.claims_never_synced"))
    return Exit.OK


def _fits(line: ClaimLine, statuses: frozenset[str], text: str) -> bool:
    from kelmu_tui.store.words import asked, folded

    words = folded(line.name)
    named = all(any(word.startswith(beginning) for word in words) for beginning in asked(text))
    return named and (not statuses or line.status in statuses)


def data(line: ClaimLine) -> dict[str, Any]:
    """Return a claim of a list as JSON shows it; sums are texts."""
    return {name: plain(value) for name, value in line._asdict().items()}


def plain(value: object) -> object:
    """Return a value as JSON shows it."""
    return str(value) if isinstance(value, Decimal) else value


def _table(env: Env, lines: Sequence[ClaimLine]) -> None:
    from kelmu_tui.services.benefit_words import benefit_name
    from kelmu_tui.services.claim_views import is_late
    from kelmu_tui.services.claim_words import field_name

    t = env.t
    columns = [
        Column(t("cli.column_id")),
        Column(field_name("status", t), shrinks=True),
        Column(t("cli.column_customer"), shrinks=True),
        Column(t("cli.identity")),
        Column(field_name("benefit", t), shrinks=True),
        Column(field_name("period", t)),
        Column(field_name("amount", t)),
        Column(field_name("payment_day", t)),
    ]
    rows = [
        [
            shown_id(env, one.id),
            status_text(env, one),
            one.name or NOTHING,
            one.masked_code or NOTHING,
            benefit_name(one.benefit, t) if one.benefit else NOTHING,
            NOTHING if one.first is None else t.formats.period(one.first, one.until),
            NOTHING if one.amount is None else t.formats.euros(one.amount),
            f"{'! ' if is_late(one) else ''}{_day(env, one.payment_day)}",
        ]
        for one in lines
    ]
    env.out.table(columns, rows)


def status_text(env: Env, line: ClaimLine) -> str:
    """Return a claim's state, with marks for what is on its way and for what was refused."""
    from kelmu_tui.services.claim_words import status_name

    return status_name(line.status, env.t) + (" ↑" if line.pending else "") + (" ✗" if line.conflict else "")


def _day(env: Env, day: date | None) -> str:
    return NOTHING if day is None else env.t.formats.date(day)


# --- one claim ------------------------------------------------------------------------------------------------------


def show(env: Env) -> int:
    """Show a claim whole; the payee's code with `--full` only."""
    with env.context(CLAIMS) as context:
        (id_,) = meant(context, [env.args.claim])
        found = context.claims.open(id_)
    if found is None:
        # It is a draft, which says nothing but what the user typed, in the form alone.
        raise CliError(Exit.NOT_FOUND, "claim_draft", env.t("cli.claim_draft"))
    full = bool(env.option("full"))
    if env.out.as_json:
        env.out.data("claims.show", _file(found, full=full))
        return Exit.OK
    for name, text in _described(env, found, full=full):
        env.out.line(f"{name}: {text}")
    return Exit.OK


def meant(context: Context, words: Sequence[str]) -> list[str]:
    """Return the claims and drafts that the words mean, by the beginning of their ids, each once and in order.

    Raises:
        Unknown, Ambiguous: a word means nothing, or several.
    """
    return list(among([one.id for one in context.claims.lines()], words))


def _file(found: ClaimFile, *, full: bool) -> dict[str, Any]:
    said, paid = found.content, found.content.assistance
    return {
        **data(found.line),
        "payee": said.payee if full else found.line.masked_code,
        "account": said.account,
        "reference": said.reference,
        "grounds": said.grounds,
        "handler": said.handler,
        "telephone": said.telephone,
        "care_first": said.care_first,
        "care_last": said.care_last,
        "assistance": None
        if paid is None
        else {
            "first": paid.first,
            "last": paid.last,
            "amount": str(paid.amount),
            "decided_on": paid.decided_on,
        },
        "events": [one._asdict() for one in found.events],
        "payments": [{"on": one.on, "amount": str(one.amount)} for one in found.payments],
        "decided_on": found.decided_on,
        "rejection": found.rejection,
        "end_reason": found.end_reason,
        "ended_on": found.ended_on,
        "data_at": found.data_at,
    }


def _described(env: Env, found: ClaimFile, *, full: bool) -> Iterator[tuple[str, str]]:
    from kelmu_tui.domain.claims.accounts import shown_account
    from kelmu_tui.services import claim_words as words
    from kelmu_tui.services.benefit_words import benefit_name

    t, line, said = env.t, found.line, found.content
    label = {name: words.field_name(name, t) for name in _FIELDS}
    yield t("cli.column_id"), line.id
    yield label["status"], status_text(env, line)
    yield label["payee"], f"{line.name}  {said.payee if full else line.masked_code}"
    yield label["basis"], words.basis_name(said.basis, t)
    yield label["benefit"], benefit_name(said.benefit, t)
    yield label["period"], t.formats.period(said.first, said.last)
    if said.amount is not None:
        yield label["amount"], t.formats.euros(said.amount)
    yield label["account"], shown_account(said.account)
    for name in ("reference", "grounds", "handler", "telephone"):
        if getattr(said, name):
            yield label[name], getattr(said, name).replace("\n", "\n  ")
    if said.care_first is not None:
        yield label["care"], t.formats.period(said.care_first, said.care_last)
    if said.assistance is not None:
        days = t.formats.period(said.assistance.first, said.assistance.last)
        decided = t.formats.date(said.assistance.decided_on)
        yield label["assistance"], f"{days}, {t.formats.euros(said.assistance.amount)}, {decided}"
    yield from _times(env, found, label)
    for event in found.events:
        at = t.formats.instant(event.at)
        mark = " ↑" if event.pending else ""
        yield at, ", ".join(one for one in (words.event_text(event.what, t), event.by) if one) + mark
    for payment in found.payments:
        yield t.formats.date(payment.on), f"{label['paid']} {t.formats.euros(payment.amount)}"


_FIELDS: Final = (
    "status", "payee", "basis", "benefit", "period", "amount", "account", "reference", "grounds", "handler",
    "telephone", "care", "assistance", "payment_day", "latest", "hearing_until", "decided_on", "rejection",
    "end_reason", "ended_on", "paid",
)  # fmt: skip


def _times(env: Env, found: ClaimFile, label: dict[str, str]) -> Iterator[tuple[str, str]]:
    from kelmu_tui.services.claim_views import is_late
    from kelmu_tui.services.claim_words import end_reason_name, rejection_text

    t, line = env.t, found.line
    if line.payment_day is not None:
        yield label["payment_day"], _day(env, line.payment_day)
    if line.latest is not None:
        yield label["latest"], f"{'! ' if is_late(line) else ''}{_day(env, line.latest)}"
    if line.hearing_until is not None:
        yield label["hearing_until"], _day(env, line.hearing_until)
    if found.decided_on is not None:
        yield label["decided_on"], _day(env, found.decided_on)
    if found.rejection is not None:
        yield label["rejection"], rejection_text(found.rejection, t)
    if found.end_reason is not None:
        yield label["end_reason"], end_reason_name(found.end_reason, t)
    if found.ended_on is not None:
        yield label["ended_on"], _day(env, found.ended_on)
    if line.editing is not None:
        yield t("cli.claim_editing"), line.editing


# --- accounts -------------------------------------------------------------------------------------------------------


def list_accounts(env: Env) -> int:
    """List the organisation's accounts to which claims can be paid."""
    from kelmu_tui.domain.claims.accounts import shown_account

    with env.context(CLAIMS) as context:
        found: Sequence[Account] = context.claims.accounts()
    if env.out.as_json:
        env.out.data("claims.accounts", {"accounts": [one._asdict() for one in found]})
        return Exit.OK
    t = env.t
    columns = [
        Column(t("cli.column_id")),
        Column(t("cli.column_name"), shrinks=True),
        Column(t("claims.field.account")),
    ]
    env.out.table(columns, [[shown_id(env, one.id), one.name, shown_account(one.iban)] for one in found])
    if not found:
        env.out.note(t("cli.claim_no_accounts"))
    return Exit.OK
