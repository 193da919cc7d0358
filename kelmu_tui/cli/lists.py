"""`kelmu lists …`: which lists may be fetched, fetching one, showing its rows, and holding two periods together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.list_link import linked, reached, refresh
from kelmu_tui.cli.list_output import Cells, sums_data, sums_text
from kelmu_tui.cli.output import Column
from kelmu_tui.domain.capabilities import Denied, mandates
from kelmu_tui.domain.lists import KelaList, lists, read_period
from kelmu_tui.services.context import Context
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.lists import NotHere, Offer
from kelmu_tui.store.list_compare import Difference, Kind
from kelmu_tui.store.list_pages import ListQuery, SortKey
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.store.lists import Copy, Entry

NEEDS: Final = OPENERS
PAGE: Final = 500
STEPS: Final = 10
"""Lines of progress that a fetch writes at the most."""
_DOWN: Final = ":desc"


# --- what there is --------------------------------------------------------------------------------------------------


def list_lists(env: Env) -> int:
    """List what may be fetched, what is here, and what is closed and why."""
    with env.context(NEEDS) as context:
        if not env.args.offline:
            refresh(env, context)
        offers, shelf, told = context.lists.offers(), context.lists.shelf(), context.lists.told()
    by_list = {offer.list.id: [one for one in shelf if one.list == offer.list.id] for offer in offers}
    if env.out.as_json:
        found = [_offer_data(env, one, by_list[one.list.id]) for one in offers]
        env.out.data("lists.list", {"known_at": told, "lists": found})
        return Exit.OK
    t = env.t
    columns = [
        Column(t("cli.column_id")),
        Column(t("cli.column_name"), shrinks=True),
        Column(t("cli.column_period")),
        Column(t("cli.column_published")),
        Column(t("cli.column_rows")),
        Column(t("cli.column_fetched")),
        Column(t("cli.column_state"), shrinks=True),
    ]
    rows = []
    for offer in offers:
        head = [offer.list.id, offer.list.name.get(t.language)]
        entries = by_list[offer.list.id]
        if isinstance(offer.verdict, Denied):
            rows.append([*head, "–", "–", "–", "–", why_closed(env, offer.verdict)])
        elif not entries:
            rows.append([*head, "–", "–", "–", "–", t("cli.list_none")])
        shown = (
            entries if env.option("all") else [one for n, one in enumerate(entries) if not n or one.copy or one.staged]
        )
        rows += [[*head, *_entry_cells(env, one)] for one in shown]
    env.out.table(columns, rows)
    env.out.note(t("cli.lists_never_told") if told is None else t("cli.lists_told", at=t.formats.instant(told)))
    return Exit.OK


def _entry_cells(env: Env, one: Entry) -> list[str]:
    t, published, copy = env.t, one.publication, one.copy
    rows = published.rows if published is not None else copy.rows if copy is not None else None
    return [
        one.period,
        "–" if published is None else t.formats.short_instant(published.published_at),
        "–" if rows is None else t.formats.number(rows),
        "–" if copy is None else t.formats.short_instant(copy.fetched_at),
        _state(env, one),
    ]


def _state(env: Env, one: Entry) -> str:
    t = env.t
    if one.publication is not None and one.publication.withdrawn:
        return t("cli.list_withdrawn")
    if one.staged is not None:
        return t("cli.list_staged", rows=t.formats.number(one.staged))
    if one.outdated:
        return t("cli.list_outdated")
    return t("cli.list_open") if one.copy is None else t("cli.list_here", until=t.formats.date(one.copy.expires_at))


def why_closed(env: Env, denied: Denied) -> str:
    """Return why a list is closed, with the mandates that would open it."""
    names = ", ".join(mandates()[mandate].name.get(env.t.language) for mandate in denied.mandates)
    return env.t.choice("errors.reason", denied.reason, mandate=names)


def _offer_data(env: Env, offer: Offer, entries: Sequence[Entry]) -> dict[str, Any]:
    denied = offer.verdict if isinstance(offer.verdict, Denied) else None
    return {
        "list": offer.list.id,
        "name": offer.list.name.get(env.t.language),
        "open": denied is None,
        "reason": None if denied is None else denied.reason.value,
        "mandates": [] if denied is None else list(denied.mandates),
        "periods": [_entry_data(one) for one in entries],
    }


def _entry_data(one: Entry) -> dict[str, Any]:
    published = one.publication
    told = None if published is None else {k: v for k, v in published._asdict().items() if k not in ("list", "period")}
    return {
        "period": one.period,
        "published": told,
        "fetched": None if one.copy is None else _copy_data(one.copy),
        "outdated": one.outdated,
        "staged": one.staged,
    }


def _copy_data(copy: Copy) -> dict[str, Any]:
    return {name: value for name, value in copy._asdict().items() if name not in ("number", "list", "period")}


# --- fetching -------------------------------------------------------------------------------------------------------


def fetch(env: Env) -> int:
    """Fetch a period of a list, the newest by default; one that broke off goes on."""
    one = wanted_list(env)
    given = wanted_period(env, env.args.period)
    with env.context(NEEDS) as context:
        need_open(env, context, one)
        refresh(env, context)
        entry = _newest(env, context, one, given)
        fresh = entry.copy is None or entry.outdated or bool(env.option("again"))
        if fresh:
            with reached(env, context) as url:
                asyncio.run(_fetch(env, context, url, one, entry.period))
        copy = next((e.copy for e in context.lists.shelf() if (e.list, e.period) == (one.id, entry.period)), None)
    if copy is None:
        raise not_here(env)
    if env.out.as_json:
        data = {"list": one.id, "period": entry.period, "new": fresh, **_copy_data(copy)}
        env.out.data("lists.fetch", data)
    told = env.t("cli.list_fetched", count=copy.rows) if fresh else env.t("cli.list_already")
    env.out.note(f"{one.name.get(env.t.language)} {entry.period}: {told}")
    return Exit.OK


def _newest(env: Env, context: Context, one: KelaList, period: str | None) -> Entry:
    for entry in context.lists.shelf():
        if entry.list == one.id and entry.publication is not None and period in (None, entry.period):
            if not entry.publication.withdrawn:
                return entry
            if period is not None:
                raise CliError(Exit.REFUSED, "list_withdrawn", env.t("errors.api.list_withdrawn"))
    raise CliError(Exit.NOT_FOUND, "not_published", env.t("cli.list_not_published"))


async def _fetch(env: Env, context: Context, url: str, one: KelaList, period: str) -> None:
    from kelmu_tui.services.list_fetching import fetch_list

    step = -1

    def hear(rows: int, total: int) -> None:
        nonlocal step
        reached_step = STEPS if not total else rows * STEPS // total
        if reached_step != step:
            step = reached_step
            env.out.note(env.t("cli.list_progress", rows=env.t.formats.number(rows), total=env.t.formats.number(total)))

    async with linked(context, url) as connection:
        await fetch_list(connection, context, one.id, period, hear)


# --- rows -----------------------------------------------------------------------------------------------------------


def show(env: Env) -> int:
    """Show the rows of a list that is here, the newest period by default."""
    from kelmu_tui.cli.list_views import viewed

    one = wanted_list(env)
    period = wanted_period(env, env.args.period)
    sort = tuple(wanted_sort(env, one, word) for word in env.option("sort_by") or ())
    given = [wanted_column(env, one, word) for word in env.option("column") or ()]
    query = ListQuery(sort, env.args.filter, env.option("municipality"))
    with env.context(NEEDS) as context:
        need_open(env, context, one)
        query, columns = viewed(env, context, one, query, given)
        try:
            reading = context.lists.open(one.id, period or newest_here(env, context, one), query)
            totals = context.lists.totals(reading)
            rows: list[ListRow] = []
            while len(rows) < env.args.limit:
                after = rows[-1].place if rows else None
                page = context.lists.page(reading, after=after, limit=min(PAGE, env.args.limit - len(rows)))
                if not page:
                    break
                rows += page
        except NotHere:
            raise not_here(env) from None
    cells = Cells(one, env.t, full=bool(env.option("full")))
    if env.out.as_json:
        copy = reading.copy
        head = {"list": one.id, "period": copy.period, **_copy_data(copy)}
        data = [_chosen(cells.data(row), columns) for row in rows]
        env.out.data("lists.show", head | {"found": totals.rows, "sums": sums_data(totals.sums), "shown": data})
        return Exit.OK
    headings = [Column(cells.heading(column), shrinks=True) for column in columns]
    env.out.table(headings, [[cells.text(column, row) for column in columns] for row in rows])
    shown, total = env.t.formats.number(len(rows)), env.t.formats.number(totals.rows)
    env.out.note(env.t("cli.list_shown", shown=shown, total=total))
    for line in sums_text(cells, totals.sums, env.t):
        env.out.note(line)
    return Exit.OK


def _chosen(data: Mapping[str, Any] | None, columns: Sequence[str]) -> dict[str, Any]:
    found = data or {}
    return {name: found.get(name) for name in ("id", "non_disclosure", *columns)}


def newest_here(env: Env, context: Context, one: KelaList) -> str:
    """Return the newest period of a list that is here.

    Raises:
        CliError: there is none.
    """
    found = next((entry.period for entry in context.lists.shelf() if entry.list == one.id and entry.copy), None)
    if found is None:
        raise not_here(env)
    return found


# --- two periods ----------------------------------------------------------------------------------------------------


def diff(env: Env) -> int:
    """Tell who is new in a period, who left, and whose values changed, against another period."""
    one = wanted_list(env)
    before, after = wanted_period(env, env.args.before), wanted_period(env, env.args.after)
    assert before is not None
    assert after is not None
    columns = tuple(wanted_column(env, one, word) for word in env.option("column") or ()) or None
    with env.context(NEEDS) as context:
        need_open(env, context, one)
        try:
            comparing = context.lists.compare(one.id, before, after, columns)
            found = {kind: context.lists.differences(comparing, kind, limit=env.args.limit) for kind in Kind}
        except NotHere:
            raise not_here(env) from None
    cells = Cells(one, env.t, full=bool(env.option("full")))
    numbers = comparing.found
    if env.out.as_json:
        counts = {kind.value: getattr(numbers, kind)._asdict() for kind in Kind}
        differences = [_difference_data(cells, kind, each) for kind in Kind for each in found[kind]]
        data = {"list": one.id, "before": before, "after": after, **counts, "same": numbers.same}
        env.out.data("lists.diff", data | {"differences": differences})
        return Exit.OK
    t = env.t
    headings = [
        Column(t("cli.column_what")),
        Column(t("cli.column_name"), shrinks=True),
        Column(t("cli.identity")),
        Column(t("cli.column_column"), shrinks=True),
        Column(before, shrinks=True),
        Column(after, shrinks=True),
    ]
    name = one.columns[0].id
    env.out.table(
        headings, [line for kind in Kind for each in found[kind] for line in _lines(env, cells, name, kind, each)]
    )
    for kind in Kind:
        number = getattr(numbers, kind)
        env.out.note(f"{t.choice('cli.difference', kind)}: {t.formats.number(number.persons)}")
    env.out.note(f"{t('cli.difference_same')}: {t.formats.number(numbers.same)}")
    return Exit.OK


def _lines(env: Env, cells: Cells, name: str, kind: Kind, one: Difference) -> Iterator[list[str]]:
    row = one.after or one.before
    head = [env.t.choice("cli.difference", kind), cells.text(name, row), cells.text("identity_code", row)]
    if kind is not Kind.CHANGED or not one.columns:
        yield [*head, "–", "–" if one.before is None else "•", "–" if one.after is None else "•"]
        return
    for column in one.columns:
        yield [*head, cells.heading(column), cells.text(column, one.before), cells.text(column, one.after)]


def _difference_data(cells: Cells, kind: Kind, one: Difference) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "id": one.id,
        "before": cells.data(one.before),
        "after": cells.data(one.after),
        "columns": list(one.columns),
    }


# --- what was meant -------------------------------------------------------------------------------------------------


def wanted_list(env: Env) -> KelaList:
    """Return the list that the line names, with or without `list_`.

    Raises:
        CliError: there is no such list.
    """
    word = env.args.list
    found = lists().get(word) or lists().get(f"list_{word}")
    if found is None:
        listed = [f"  {one.id}  {one.name.get(env.t.language)}" for one in lists().values()]
        raise CliError(Exit.USAGE, "list_unknown", "\n".join([env.t("cli.list_unknown"), *listed]))
    return found


def not_here(env: Env) -> CliError:
    """Return the words for a list that has to be fetched first."""
    return CliError(Exit.NOT_FOUND, "list_not_here", env.t("cli.list_not_here"))


def need_open(env: Env, context: Context, one: KelaList) -> None:
    """Say why a list is closed.

    Raises:
        CliError: it is.
    """
    verdict = next((offer.verdict for offer in context.lists.offers() if offer.list.id == one.id), None)
    if isinstance(verdict, Denied):
        raise CliError(Exit.NOT_ALLOWED, verdict.reason.value, why_closed(env, verdict))


def wanted_period(env: Env, word: str | None) -> str | None:
    """Return the key of the period that the line names, None when it names none.

    Raises:
        CliError: it is not one.
    """
    if word is None:
        return None
    try:
        return read_period(word.upper()).key
    except ValueError:
        raise CliError(Exit.USAGE, "period_invalid", env.t("cli.period_invalid")) from None


def wanted_column(env: Env, one: KelaList, word: str) -> str:
    """Return the id of a column.

    Raises:
        CliError: the list has no such column.
    """
    if one.column(word) is None:
        listed = [f"  {column.id}  {column.name.get(env.t.language)}" for column in one.columns]
        raise CliError(Exit.USAGE, "column_unknown", "\n".join([env.t("cli.list_column_unknown"), *listed]))
    return word


def wanted_sort(env: Env, one: KelaList, word: str) -> SortKey:
    """Return a key to sort by; errors as `wanted_column`."""
    return SortKey(wanted_column(env, one, word.removesuffix(_DOWN)), word.endswith(_DOWN))
