"""`kelmu invoices list|review`: what Kela bills and when, and what does not stand up in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.invoice_output import billing_data, finding_lines, reviewed_data, rules_told
from kelmu_tui.cli.list_link import linked, reached, refresh
from kelmu_tui.cli.lists import need_open, wanted_period, why_closed
from kelmu_tui.cli.output import Column
from kelmu_tui.cli.own_files import residents
from kelmu_tui.domain.capabilities import Denied
from kelmu_tui.domain.lists import Invoice
from kelmu_tui.domain.lists import invoices as kinds
from kelmu_tui.domain.own_files import ABROAD
from kelmu_tui.domain.review.billing import billed_list
from kelmu_tui.services.context import Context
from kelmu_tui.services.invoices import Billing, KindOffer, NoHead
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.lists import NotHere
from kelmu_tui.services.reviewing import Missing, Reviewed, review

NEEDS: Final = OPENERS
STEPS: Final = 10
"""Lines of progress that a fetch or a review writes at the most."""
_SUFFIX: Final = "_2025"


# --- what there is --------------------------------------------------------------------------------------------------


def list_invoices(env: Env) -> int:
    """List what was billed, what comes next, and what is closed and why."""
    with env.context(NEEDS) as context:
        if not env.args.offline:
            refresh(env, context, invoices=True)
        offers, calendar = context.invoices.offers(), context.invoices.calendar()
    if env.out.as_json:
        data = {"kinds": [_offer_data(env, one) for one in offers], "invoices": [billing_data(b) for b in calendar]}
        env.out.data("invoices.list", data)
        return Exit.OK
    t = env.t
    columns = [
        Column(t("cli.column_id")),
        Column(t("cli.column_name"), shrinks=True),
        Column(t("cli.column_period")),
        Column(t("cli.column_sent")),
        Column(t("cli.column_due_on")),
        Column(t("cli.column_total")),
        Column(t("cli.column_state"), shrinks=True),
    ]
    rows = [
        [
            one.kind.id,
            one.kind.name.get(t.language),
            one.period,
            t.formats.date(one.sent_on),
            t.formats.date(one.due_on),
            "–" if one.total is None else t.formats.euros(one.total),
            _state(env, one),
        ]
        for one in calendar
    ]
    closed = [(offer.kind, offer.verdict) for offer in offers if isinstance(offer.verdict, Denied)]
    rows += [[kind.id, kind.name.get(t.language), "–", "–", "–", "–", why_closed(env, why)] for kind, why in closed]
    env.out.table(columns, rows)
    return Exit.OK


def _state(env: Env, one: Billing) -> str:
    t, entry = env.t, one.entry
    if one.expected:
        return t("cli.invoice_expected")
    if entry is None or (entry.publication is None and entry.copy is None):
        state = t("cli.invoice_no_rows")
    elif entry.publication is not None and entry.publication.withdrawn:
        state = t("cli.list_withdrawn")
    elif entry.outdated:
        state = t("cli.list_outdated")
    elif entry.copy is None:
        state = t("cli.list_open")
    else:
        state = t("cli.list_here", until=t.formats.date(entry.copy.expires_at))
    corrections = len(one.heads) - 1
    return f"{state}; {t('cli.invoice_corrected', count=corrections)}" if corrections else state


def _offer_data(env: Env, offer: KindOffer) -> dict[str, Any]:
    denied = offer.verdict if isinstance(offer.verdict, Denied) else None
    return {
        "kind": offer.kind.id,
        "name": offer.kind.name.get(env.t.language),
        "list": offer.list.id,
        "open": denied is None,
        "reason": None if denied is None else denied.reason.value,
        "mandates": [] if denied is None else list(denied.mandates),
    }


# --- reviewing ------------------------------------------------------------------------------------------------------


def review_invoice(env: Env) -> int:
    """Review an invoice, the newest one by default."""
    kind, given = wanted_kind(env), wanted_period(env, env.args.period)
    full = bool(env.option("full"))
    with env.context(NEEDS) as context:
        need_open(env, context, billed_list(kind.id))
        find = _fetched if env.option("fetch") else newest_here
        period = find(env, context, kind, given)
        with here(env, kind, period):
            reviewed = run_review(env, context, kind, period)
            rows = context.invoices.rows(reviewed, reviewed.found)
            summed = context.invoices.summed(reviewed, reviewed.disputed)
    t = env.t
    if env.out.as_json:
        env.out.data("invoices.review", reviewed_data(reviewed, rows, summed, t, full=full))
        return Exit.OK
    columns = [
        Column(t("cli.column_key")),
        Column(t("cli.column_finding"), shrinks=True),
        Column(t("cli.column_row"), shrinks=True),
        Column(t("cli.column_name"), shrinks=True),
        Column(t("cli.identity")),
        Column(t("cli.column_billed")),
        Column(t("cli.column_judged"), shrinks=True),
    ]
    env.out.table(columns, list(finding_lines(reviewed, rows, t, full=full)))
    for line in rules_told(reviewed, t):
        env.out.note(line)
    _tell(env, reviewed)
    if reviewed.disputed:
        billed = t.formats.euros(summed.billed)
        env.out.note(t("cli.invoice_disputed", findings=len(reviewed.disputed), rows=summed.rows, total=billed))
    return Exit.OK


def _tell(env: Env, reviewed: Reviewed) -> None:
    """Tell whose invoice was reviewed, against what, and what could not be looked at."""
    from kelmu_tui.services.review_text import missing_text

    t, billing = env.t, reviewed.billing
    assert billing.total is not None
    name, rows = billing.kind.name.get(t.language), t.formats.number(reviewed.rows)
    billed, total = t.formats.euros(billing.total), t.formats.euros(reviewed.total)
    env.out.note(t("cli.invoice_reviewed", invoice=name, period=billing.period, rows=rows, billed=billed, total=total))
    env.out.note(t("cli.invoice_found", count=len(reviewed.found)))
    if reviewed.earlier:
        env.out.note(t("cli.invoice_since", since=t.formats.date(reviewed.since)))
    for missing in Missing:
        if missing in reviewed.without:
            env.out.note(missing_text(missing, t))


def run_review(env: Env, context: Context, kind: Invoice, period: str) -> Reviewed:
    """Review an invoice against all that is at hand, telling the progress; to be called `here`."""
    known = residents(env, context)
    answers = context.own_data.answers() if billed_list(kind.id).id == ABROAD else {}

    async def run() -> Reviewed:
        from kelmu_tui.store.thread import StoreThread

        thread = StoreThread(context.store)
        try:
            return await review(
                thread.run,
                context.invoices,
                kind.id,
                period,
                residents=known,
                answers=answers or None,
                hear=_progress(env),
            )
        finally:
            thread.close()

    return asyncio.run(run())


@contextmanager
def here(env: Env, kind: Invoice, period: str) -> Iterator[None]:
    """Say in words what keeps an invoice from being reviewed, or its rows from being read on.

    Raises:
        CliError: its rows are not here (any more), or it has not come.
    """
    try:
        yield
    except NoHead:
        raise CliError(Exit.NOT_FOUND, "not_billed", env.t("cli.invoice_not_billed")) from None
    except NotHere:
        raise _not_here(env, kind, period) from None


def _progress(env: Env) -> Callable[[int, int], None]:
    """Return what writes a line at some steps of the way."""
    step = -1

    def hear(rows: int, total: int) -> None:
        nonlocal step
        reached_step = STEPS if not total else rows * STEPS // total
        if reached_step != step:
            step = reached_step
            env.out.note(env.t("cli.list_progress", rows=env.t.formats.number(rows), total=env.t.formats.number(total)))

    return hear


def _fetched(env: Env, context: Context, kind: Invoice, given: str | None) -> str:
    """Fetch the rows of an invoice, the newest one by default, unless they are here as they were published last."""
    refresh(env, context, invoices=True)
    one = billed_list(kind.id)
    for billing in _came(context, kind):
        entry = billing.entry
        published = None if entry is None else entry.publication
        if given not in (None, billing.period):
            continue
        if published is None or published.withdrawn:
            if given is None:
                continue
            withdrawn = published is not None
            code = "list_withdrawn" if withdrawn else "not_published"
            said = env.t("errors.api.list_withdrawn") if withdrawn else env.t("cli.list_not_published")
            raise CliError(Exit.REFUSED if withdrawn else Exit.NOT_FOUND, code, said)
        assert entry is not None
        if entry.copy is None or entry.outdated:
            with reached(env, context) as url:
                asyncio.run(_fetch(env, context, url, one.id, billing.period))
        return billing.period
    raise CliError(Exit.NOT_FOUND, "not_billed", env.t("cli.invoice_not_billed"))


async def _fetch(env: Env, context: Context, url: str, list_: str, period: str) -> None:
    from kelmu_tui.services.list_fetching import fetch_list

    async with linked(context, url) as connection:
        await fetch_list(connection, context, list_, period, _progress(env))
    env.out.note(env.t("cli.invoice_fetched", period=period))


# --- what was meant -------------------------------------------------------------------------------------------------


def wanted_kind(env: Env) -> Invoice:
    """Return the kind of invoice that the line names, with or without the year of its law.

    Raises:
        CliError: there is no such kind.
    """
    word = env.args.invoice
    found = kinds().get(word) or kinds().get(f"{word}{_SUFFIX}")
    if found is None:
        listed = [f"  {one.id}  {one.name.get(env.t.language)}" for one in kinds().values()]
        raise CliError(Exit.USAGE, "invoice_unknown", "\n".join([env.t("cli.invoice_unknown"), *listed]))
    return found


def newest_here(env: Env, context: Context, kind: Invoice, given: str | None) -> str:
    """Return the period given, or the newest one of which the rows are here.

    Raises:
        CliError: none is.
    """
    if given is not None:
        return given
    came = _came(context, kind)
    for billing in came:
        if billing.entry is not None and billing.entry.copy is not None:
            return billing.period
    raise _not_here(env, kind, came[0].period if came else None)


def _came(context: Context, kind: Invoice) -> Sequence[Billing]:
    return [one for one in context.invoices.calendar() if one.kind.id == kind.id and not one.expected]


def _not_here(env: Env, kind: Invoice, period: str | None) -> CliError:
    command = " ".join(["kelmu invoices review", kind.id, *([period] if period else []), "--fetch"])
    return CliError(Exit.NOT_FOUND, "list_not_here", env.t("cli.invoice_not_here", command=command))
