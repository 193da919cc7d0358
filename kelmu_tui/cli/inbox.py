"""`kelmu inbox list` and `kelmu inbox show`: reading the local store, logged before shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.output import Column
from kelmu_tui.store.rows import NoticeDetail, NoticeLine, Query, Sort, TraceLine, View

if TYPE_CHECKING:
    from datetime import datetime


def list_notices(env: Env) -> int:
    """List notices of a view; traces for `transferred`, since their content has left with them."""
    args = env.args
    with env.context() as context:
        query = Query(View(args.view), args.filter, Sort(args.sort), args.descending)
        total = context.inbox.count(query)
        context.inbox.log_list(query, min(total, args.limit))
        rows = context.inbox.page(query, limit=args.limit)
        if query.view is View.TRANSFERRED:
            return _show_traces(env, [r for r in rows if isinstance(r, TraceLine)], total)
        lines = [row for row in rows if isinstance(row, NoticeLine)]
        synced = context.session.synced_at()
    if env.out.as_json:
        env.out.data(
            "inbox.list",
            {
                "organisation": context.active.organisation.business_id,
                "view": query.view,
                "total": total,
                "synced_at": synced,
                "notices": [notice(line) for line in lines],
            },
        )
        return Exit.OK
    _table(env, lines)
    if len(lines) < total:
        env.out.note(env.t("cli.more", shown=len(lines), total=total))
    if synced is None:
        env.out.note(env.t("cli.never_synced"))
    return Exit.OK


def notice(line: NoticeLine) -> dict[str, Any]:
    """Return a notice of a list as JSON shows it."""
    return {name: getattr(line, name) for name in NoticeLine._fields}


def shown_id(env: Env, id_: str) -> str:
    """Return an identifier as a table shows it: short for people, whole where a program may read along."""
    from kelmu_tui.services.short_ids import SHOWN

    return id_[:SHOWN] if env.out.terminal else id_


def _table(env: Env, lines: list[NoticeLine]) -> None:
    from kelmu_tui.domain.deadlines import local_date
    from kelmu_tui.domain.organisations import municipalities

    t, today, known = env.t, local_date(env.clock.now()), municipalities()
    columns = [
        Column(t("cli.column_id")),
        Column(t("cli.column_due")),
        Column(t("cli.column_kind"), shrinks=True),
        Column(t("cli.column_customer"), shrinks=True),
        Column(t("cli.column_municipality"), shrinks=True),
        Column(t("cli.column_status"), shrinks=True),
        Column(t("cli.column_assignee"), shrinks=True),
    ]
    rows = [
        [
            shown_id(env, line.id),
            ("! " if line.urgent else "") + t.formats.due(line.due, today),
            t.choice("kinds.urgent", line.kind) if line.urgent else t.choice("kinds.short", line.kind),
            line.customer,
            known[line.municipality].name.get(t.language) if line.municipality in known else line.municipality,
            t.choice("kinds.status", line.status) + (" ↑" if line.pending else "") + (" ✗" if line.conflict else ""),
            line.assignee_name or "–",
        ]
        for line in lines
    ]
    env.out.table(columns, rows)


def _show_traces(env: Env, traces: list[TraceLine], total: int) -> int:
    if env.out.as_json:
        rows = [{name: getattr(trace, name) for name in TraceLine._fields} for trace in traces]
        env.out.data("inbox.list", {"view": View.TRANSFERRED, "total": total, "traces": rows})
        return Exit.OK
    from kelmu_tui.domain.organisations import municipalities

    t, known = env.t, municipalities()
    columns = [
        Column(t("cli.column_id")),
        Column(t("cli.column_at")),
        Column(t("cli.column_kind"), shrinks=True),
        Column(t("cli.column_to"), shrinks=True),
        Column(t("cli.column_status")),
        Column(t("cli.column_reason"), shrinks=True),
    ]
    env.out.table(
        columns,
        [
            [
                shown_id(env, trace.id),
                t.formats.short_instant(trace.at),
                t.choice("kinds.short", trace.kind),
                known[trace.to_municipality].name.get(t.language),
                t.choice("states.trace", trace.state),
                trace.reason,
            ]
            for trace in traces
        ],
    )
    return Exit.OK


def show(env: Env) -> int:
    """Show one notice whole; the identity code only with `--full`, as on the screen only on a key."""
    from kelmu_tui.services.short_ids import notice_ids

    with env.context() as context:
        (wanted,) = notice_ids(context.store, [env.args.id])
        found = context.inbox.read(wanted)
        opened = context.inbox.open(wanted) if found is not None else None
        if opened is not None and opened.commands:
            # The team and a sender who might still take it back should know now, but reading needs no connection.
            from kelmu_tui.cli.pushing import PUSH_SECONDS, push

            ended = push(env, context, PUSH_SECONDS).ended
            if ended is not None:
                raise ended
    if found is None:
        raise CliError(Exit.NOT_FOUND, "not_found", env.t("cli.not_found", ids=env.args.id))
    full = bool(env.option("full"))
    if env.out.as_json:
        env.out.data("inbox.show", detail(found, full=full))
        return Exit.OK
    for label, text in described(env, found, full=full):
        env.out.line(f"{label}: {text}" if label else f"  {text}")
    return Exit.OK


def detail(found: NoticeDetail, *, full: bool) -> dict[str, Any]:
    """Return a notice as JSON shows it."""
    from kelmu_tui.domain.identifiers import mask, mask_account

    customer = found.customer._asdict()
    content = {key: value for key, value in found.content._asdict().items() if value not in (None, ())}
    if not full:
        customer["identity_code"] = mask(found.customer.identity_code)
        if found.content.bank_account:
            content["bank_account"] = mask_account(found.content.bank_account)
    if found.content.household:
        content["household"] = [person._asdict() for person in found.content.household]
    if found.content.expenses:
        content["expenses"] = [{"text": e.text, "amount": str(e.amount)} for e in found.content.expenses]
    return {
        **notice(found.line),
        "organisation": found.organisation,
        "created": found.created,
        "customer": customer,
        "content": content,
        "notes": [note._asdict() for note in found.notes],
        "origin": None if found.origin is None else found.origin._asdict(),
        "handled_at": found.handled_at,
        "handled_by": found.handled_by,
        "data_at": found.data_at,
    }


def described(env: Env, found: NoticeDetail, *, full: bool) -> list[tuple[str, str]]:
    """Return a notice as labelled lines for people, with everything that the screen shows."""
    from kelmu_tui.domain.identifiers import mask
    from kelmu_tui.domain.organisations import municipalities
    from kelmu_tui.services.described import content_fields

    t, line, customer, known = env.t, found.line, found.customer, municipalities()
    formats = t.formats

    def place(code: str | None) -> str | None:
        return None if code is None else known[code].name.get(t.language) if code in known else code

    def when(instant: datetime | None, *more: str | None) -> str | None:
        return None if instant is None else ", ".join([formats.instant(instant), *filter(None, more)])

    origin = found.origin
    rows: list[tuple[str, str | None]] = [
        (t("cli.column_id"), line.id),
        (t("cli.column_kind"), t.choice("kinds.full", line.kind) + (f" ({t('cli.urgent')})" if line.urgent else "")),
        (t("kinds.field.status"), t.choice("kinds.status", line.status)),
        (t("kinds.field.due"), formats.date(line.due)),
        (t("kinds.field.arrived"), formats.instant(line.arrived)),
        (t("kinds.field.municipality"), place(line.municipality)),
        (t("kinds.field.assignee"), line.assignee_name),
        (t("kinds.field.handled"), when(found.handled_at, found.handled_by)),
        (t("cli.column_customer"), line.customer),
        (t("cli.identity"), customer.identity_code if full else mask(customer.identity_code)),
        (t("cli.language"), t.choice("kinds.language", customer.language, customer.language)),
        (t("kinds.field.non_disclosure"), t("common.yes") if customer.non_disclosure else None),
        (t("kinds.field.home_municipality"), place(customer.home_municipality)),
        (t("kinds.field.address"), customer.address),
        (t("kinds.field.telephone"), customer.telephone),
        *content_fields(found.content, line.subtype, t, full=full),
        *[(t("kinds.field.notes"), f"{formats.instant(n.at)} {n.by}: {n.text}") for n in found.notes],
        (t("kinds.field.origin"), origin and f"{place(origin.municipality)}, {formats.instant(origin.at)}"),
        (t("kinds.field.transfer_reason"), origin and origin.reason),
        (t("cli.data_at"), when(found.data_at)),
    ]
    return [(label, text.replace("\n", "\n  ")) for label, text in rows if text]
