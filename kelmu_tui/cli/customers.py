"""`kelmu customer …`: looking a customer up, showing the file, and what was looked up before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.inbox import shown_id
from kelmu_tui.cli.output import Column
from kelmu_tui.domain.identifiers import IdentityCode
from kelmu_tui.domain.sections import Section
from kelmu_tui.services.context import Context
from kelmu_tui.services.customers import LookUp
from kelmu_tui.services.known import LOOK_UPS
from kelmu_tui.services.short_ids import Unknown, customer_ids
from kelmu_tui.store.customer_rows import File

if TYPE_CHECKING:
    from kelmu_tui.api.contract import LookUpRow
    from kelmu_tui.api.errors import ProblemAnswer

LONGEST: Final = 90.0
"""Seconds that a command waits for all sections: a slow source may take its time, a person should not."""

_SPENT: Final = frozenset({"lookups_spent", "lookups_paused"})


# --- show -----------------------------------------------------------------------------------------------------------


def show(env: Env) -> int:
    """Look a customer up and show the file; with `--offline` the one that is held."""
    with env.context(LOOK_UPS) as context:
        _check_purpose(env, context)
        who, reason = _who(env, context)
        customer = _held(env, context, who) if env.args.offline else _fetched(env, context, who, reason)
        file = context.customers.open(customer)
        if file is None:
            raise _not_held(env)
        sections = _wanted(env)
        shown = [section for section in file.sections if section in sections]
        if env.option("output"):
            _save(env, context, customer, shown)
        elif env.out.as_json:
            from kelmu_tui.services.case_file import as_data

            env.out.data("customer.show", as_data(file, shown, full=bool(env.option("full"))))
        else:
            _print(env, file, shown)
        for section in shown:
            context.customers.seen(customer, section)
    return Exit.OK


def _save(env: Env, context: Context, customer: str, shown: list[Section]) -> None:
    """Write the sections to a new file, and say where it is.

    Raises:
        CliError: it can't be written.
    """
    from pathlib import Path

    from kelmu_tui.platform.saving import NotSaved, check, save_new
    from kelmu_tui.services.case_file import Form, form_of

    path = Path(env.option("output"))
    try:
        form = form_of(path)
        check(path)
        text = context.customers.exported(customer, shown, env.t, form)
        if text is None:
            raise _not_held(env)
        save_new(path, text, mark=form is Form.TABLE)
    except NotSaved as failure:
        said = env.t.choice("saving.problem", failure.reason, folder=str(path.parent))
        raise CliError(Exit.FAILED, f"not_saved_{failure.reason}", said) from None
    if env.out.as_json:
        env.out.data("customer.show", {"customer": customer, "file": str(path)})
    else:
        env.out.line(env.t("saving.done", path=str(path)))


def _print(env: Env, file: File, shown: list[Section]) -> None:
    from kelmu_tui.cli.customer_output import lines

    for line in lines(file, shown, env.t, full=bool(env.option("full"))):
        env.out.line(line)


def _wanted(env: Env) -> tuple[Section, ...]:
    given = env.option("section") or ()
    return tuple(Section) if not given else tuple(section for section in Section if section.value in given)


def _who(env: Env, context: Context) -> tuple[IdentityCode | str, str | None]:
    """Return whom the line means, and the reason given; a code never comes from the line itself.

    Raises:
        CliError, InvalidIdentityCode: nobody is meant.
    """
    reason = env.option("reason")
    if env.args.customer is not None:
        return _meant(env, context, env.args.customer), env.read_stdin().strip() if reason == "-" else reason
    text = env.secret_text(env.t("cli.ask_code"))
    first, _, rest = text.strip().partition("\n")
    return context.customers.clean_code(first), rest.strip() or None if reason == "-" else reason


def _meant(env: Env, context: Context, word: str) -> str:
    try:
        return customer_ids(context.store, [word])[0]
    except Unknown:
        if env.args.offline:
            raise
        return word  # somebody of a household, perhaps, who has not been looked up yet


def _held(env: Env, context: Context, who: IdentityCode | str) -> str:
    customer = context.customers.held(who) if isinstance(who, IdentityCode) else who
    if customer is None:
        raise _not_held(env)
    return customer


def _not_held(env: Env) -> CliError:
    return CliError(Exit.NOT_FOUND, "not_held", env.t("cli.customer_not_held"))


# --- asking ---------------------------------------------------------------------------------------------------------


def _fetched(env: Env, context: Context, who: IdentityCode | str, reason: str | None) -> str:
    """Look somebody up and return the customer's id.

    Raises:
        CliError: something is missing on the line, nobody has the code, or the backend wants a reason.
        ApiError, StoreError: as `services.looking.look_up`.
    """
    purpose, case = _purpose(env, context, who)
    reason = context.customers.clean_reason(reason or "")
    why = context.customers.why_reason(who, purpose)
    if why is not None and reason is None:
        raise _reason_needed(env, why)
    query = LookUp(
        purpose,
        who if isinstance(who, IdentityCode) else None,
        who if isinstance(who, str) else None,
        case,
        reason,
        _wanted(env),
    )
    from kelmu_tui.api.errors import ApiError, ProblemAnswer
    from kelmu_tui.cli import pushing

    try:
        with pushing.reach(env, context.backend_url) as url:
            return asyncio.run(asyncio.wait_for(_ask(context, url, query), LONGEST))
    except ProblemAnswer as problem:
        raise _refused(env, problem) or problem from None
    except (ApiError, TimeoutError) as problem:
        _hint(env, context, who)
        if isinstance(problem, ApiError):
            raise
        raise CliError(Exit.OFFLINE, "timeout", env.t("cli.too_slow")) from None


async def _ask(context: Context, url: str, query: LookUp) -> str:
    from kelmu_tui.api.errors import ProblemAnswer
    from kelmu_tui.services.context import connect
    from kelmu_tui.services.known import SHUT_OUT
    from kelmu_tui.services.looking import look_up
    from kelmu_tui.services.network import renew_session

    failures: list[BaseException] = []
    async with connect(context, url, on_failure=lambda _, error: failures.append(error)) as connection:
        try:
            customer = await look_up(connection, context, query)
        except ProblemAnswer as problem:
            if problem.code in SHUT_OUT:
                # What is held may have to go too: by the session as it is now.
                run = connection.thread.run
                await renew_session(context.store, connection.client, None, shut_out=True, run=run)
                await run(context.customers.hold)
            raise
    if failures:
        raise failures[0]
    return customer


def _refused(env: Env, problem: ProblemAnswer) -> CliError | None:
    """Return the words for what the backend says of a look-up; None for what `faults` has words for."""
    rule = problem.problem.rule if problem.problem is not None else None
    if problem.code == "not_found":
        return CliError(Exit.NOT_FOUND, "customer_unknown", env.t("cli.customer_unknown"))
    if problem.code == "reason_needed":
        return _reason_needed(env, rule or "purpose")
    if problem.code in _SPENT:
        # The backend is there and says no; trying again at once would only make it worse.
        return CliError(Exit.REFUSED, problem.code, env.t.choice("errors.api", problem.code))
    return None


def _reason_needed(env: Env, why: str) -> CliError:
    because = env.t.choice("customers.why", why, default="")
    text = f"{because} {env.t('errors.api.reason_needed')} (--reason)".strip()
    return CliError(Exit.REFUSED, "reason_needed", text)


def _hint(env: Env, context: Context, who: IdentityCode | str) -> None:
    customer = context.customers.held(who) if isinstance(who, IdentityCode) else who
    held = {one.customer: one for one in context.customers.recents()}.get(customer or "")
    if held is not None:
        env.out.note(env.t("cli.customer_held", at=env.t.formats.instant(held.fetched_at)))


def _check_purpose(env: Env, context: Context) -> None:
    """Refuse a purpose that the organisation may not name, before a code is asked.

    Raises:
        CliError: it may not.
    """
    given = env.option("purpose")
    if given is not None and given not in {one.id for one in context.customers.purposes()}:
        raise _purpose_needed(env, context, "purpose_unknown")


def _purpose(env: Env, context: Context, who: IdentityCode | str) -> tuple[str, str | None]:
    """Return purpose and case: of the line, of the file that is held, or the only purpose there is."""
    case = context.customers.clean_case(env.option("case") or "")
    if env.option("purpose") is not None:
        return env.option("purpose"), case
    customer = context.customers.held(who) if isinstance(who, IdentityCode) else who
    held = {one.customer: one for one in context.customers.recents()}.get(customer or "")
    if held is not None:
        return held.purpose, case or held.case_reference
    known = context.customers.purposes()
    if len(known) == 1:
        return known[0].id, case
    raise _purpose_needed(env, context, "purpose_needed")


def _purpose_needed(env: Env, context: Context, code: str) -> CliError:
    told = env.t("cli.purpose_unknown") if code == "purpose_unknown" else env.t("cli.purpose_needed")
    listed = [f"  {one.id}  {one.name.get(env.t.language)}" for one in context.customers.purposes()]
    return CliError(Exit.USAGE, code, "\n".join([told, *listed]))


# --- what was looked up before --------------------------------------------------------------------------------------


def recent(env: Env) -> int:
    """List the files that can be opened without a connection."""
    from kelmu_tui.services.customer_text import purpose_name

    with env.context(LOOK_UPS) as context:
        text = env.args.filter
        found = context.customers.search(text) if text else context.customers.recents()
        context.customers.log_list(len(found), filtered=bool(text))
    if env.out.as_json:
        env.out.data("customer.recent", {"customers": [one._asdict() for one in found]})
        return Exit.OK
    t = env.t
    columns = [
        Column(t("cli.column_id")),
        Column(t("cli.column_customer"), shrinks=True),
        Column(t("cli.identity")),
        Column(t("cli.column_fetched")),
        Column(t("cli.column_purpose"), shrinks=True),
        Column(t("cli.column_case"), shrinks=True),
    ]
    rows = [
        [
            shown_id(env, one.customer),
            one.name,
            one.masked_code,
            t.formats.short_instant(one.fetched_at),
            purpose_name(one.purpose, t),
            one.case_reference or "–",
        ]
        for one in found
    ]
    env.out.table(columns, rows)
    return Exit.OK


def history(env: Env) -> int:
    """List the user's own look-ups as the backend has them, the newest first."""
    from kelmu_tui.cli import pushing
    from kelmu_tui.services.customer_text import purpose_name
    from kelmu_tui.services.look_up_text import outcome_text

    with env.context(LOOK_UPS) as context, pushing.reach(env, context.backend_url) as url:
        try:
            rows = asyncio.run(asyncio.wait_for(_history(env, context, url, env.args.limit), LONGEST))
        except TimeoutError:
            raise CliError(Exit.OFFLINE, "timeout", env.t("cli.too_slow")) from None
    if env.out.as_json:
        env.out.data("customer.history", {"look_ups": [row.model_dump(mode="json") for row in rows]})
        return Exit.OK
    t = env.t
    columns = [
        Column(t("cli.column_at")),
        Column(t("cli.identity")),
        Column(t("cli.column_purpose"), shrinks=True),
        Column(t("cli.column_case"), shrinks=True),
        Column(t("cli.column_reason"), shrinks=True),
        Column(t("cli.column_result")),
    ]
    env.out.table(
        columns,
        [
            [
                t.formats.instant(row.at),
                row.masked_code or "–",
                purpose_name(row.purpose, t) if row.purpose else "–",
                row.case_reference or "–",
                row.reason or "–",
                outcome_text(row.outcome, t),
            ]
            for row in rows
        ],
    )
    return Exit.OK


async def _history(env: Env, context: Context, url: str, limit: int) -> list[LookUpRow]:
    from kelmu_tui.services.network import calls

    found: list[LookUpRow] = []
    cursor: str | None = None
    async with calls(context.store, url, env.clock) as (_, client):
        while len(found) < limit:
            page = await client.look_ups(context.active.organisation.business_id, cursor)
            found.extend(page.look_ups)
            if page.next is None or page.next == cursor:
                break
            cursor = page.next
    return found[:limit]


def forget(env: Env) -> int:
    """Destroy files before their time."""
    words: list[str] = env.args.customers
    if bool(words) == bool(env.args.all):
        raise CliError(Exit.USAGE, "forget_whom", env.t("cli.forget_whom"))
    with env.context(LOOK_UPS) as context:
        meant: tuple[str, ...]
        if env.args.all:
            meant = tuple(one.customer for one in context.customers.recents())
        else:
            meant = customer_ids(context.store, words)
        gone = [customer for customer in meant if context.customers.forget(customer)]
    if env.out.as_json:
        env.out.data("customer.forget", {"customers": gone})
    else:
        env.out.note(env.t("cli.customers_forgotten", count=len(gone)))
    return Exit.OK
