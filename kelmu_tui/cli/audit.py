"""`kelmu audit …`: what supervisors see of the look-ups of their organisation."""

from __future__ import annotations

import asyncio
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kelmu_tui.cli.customers import LONGEST
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.output import Column, Output
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import IdentityCode
from kelmu_tui.services.context import Context
from kelmu_tui.services.known import OPENERS, SHUT_OUT, NotSupervisor

if TYPE_CHECKING:
    from datetime import date

    from kelmu_tui.api.contract import AuditedLookUp, AuditPurpose, LookUpFlag
    from kelmu_tui.services.look_ups import Found, Wanted


def search(env: Env) -> int:
    """List look-ups of the organisation, the newest first."""
    from kelmu_tui.services.audit_typing import Part, clean_id
    from kelmu_tui.services.look_ups import AuditSearch

    with env.context(OPENERS) as context:
        _check(env, context)
        since, until = _days(env)
        wanted = AuditSearch(
            _purpose(env),
            clean_id(env.option("by") or "", Part.USER),
            clean_id(env.option("of_customer") or "", Part.CUSTOMER),
            since,
            until,
            _flags(env),
        )
        return _tell(env, context, _found(env, context, wanted, None))


def sample(env: Env) -> int:
    """Draw look-ups by chance."""
    from kelmu_tui.services.audit_typing import Part, clean_number
    from kelmu_tui.services.look_ups import USUAL_DAYS, sample_request

    with env.context(OPENERS) as context:
        _check(env, context)
        since, until = _days(env)
        until = until or local_date(env.clock.now())
        wanted = sample_request(
            _purpose(env),
            context.customers.clean_case(env.option("case") or ""),
            clean_number(env.option("size") or "", Part.SIZE),
            clean_number(env.option("sample_seed") or "", Part.SEED),
            since or until - timedelta(days=USUAL_DAYS),
            until,
            _flags(env),
        )
        return _tell(env, context, _found(env, context, wanted, None))


def extract(env: Env) -> int:
    """Tell who has looked at a customer; the identity code never comes from the line itself."""
    from kelmu_tui.services.audit_typing import Part, clean_id
    from kelmu_tui.services.look_ups import extract_request

    with env.context(OPENERS) as context:
        _check(env, context)
        case = context.customers.clean_case(env.option("case") or "")
        who: IdentityCode | str | None = clean_id(env.option("customer") or "", Part.CUSTOMER)
        if who is None:
            first, _, _ = env.secret_text(env.t("cli.ask_code")).strip().partition("\n")
            who = context.customers.clean_code(first)
        wanted = extract_request(_purpose(env), case, who)
        whom = who.masked if isinstance(who, IdentityCode) else None
        return _tell(env, context, _found(env, context, wanted, whom))


# --- asking ---------------------------------------------------------------------------------------------------------


def _check(env: Env, context: Context) -> None:
    """Refuse before anything is asked: whoever supervises nobody, and a file that is there already.

    Raises:
        NotSupervisor: the user supervises nobody here.
        CliError: the file is there.
    """
    if not context.active.supervisor:
        raise NotSupervisor
    output = env.option("output")
    if output is not None and os.path.lexists(output):
        raise _file_there(env)


def _purpose(env: Env) -> AuditPurpose:
    from kelmu_tui.api.contract import AuditPurpose

    return AuditPurpose(env.option("audit_purpose"))


def _flags(env: Env) -> tuple[LookUpFlag, ...]:
    from kelmu_tui.api.contract import LookUpFlag

    given = env.option("flag") or ()
    return tuple(flag for flag in LookUpFlag if flag.value in given)


def _days(env: Env) -> tuple[date | None, date | None]:
    from kelmu_tui.services.audit_typing import Part, check_days, clean_day

    since = clean_day(env.option("since") or "", Part.SINCE)
    until = clean_day(env.option("until") or "", Part.UNTIL)
    check_days(since, until)
    return since, until


def _found(env: Env, context: Context, wanted: Wanted, whom: str | None) -> Found:
    """Ask the backend.

    Raises:
        ApiError, StoreError: turned into words by `faults`.
        NotSupervisor: the user is none any more.
        CliError: it takes too long.
    """
    from kelmu_tui.api.errors import ProblemAnswer
    from kelmu_tui.cli import pushing

    with pushing.reach(env, context.backend_url) as url:
        try:
            return asyncio.run(asyncio.wait_for(_ask(env, context, url, wanted, whom), LONGEST))
        except TimeoutError:
            raise CliError(Exit.OFFLINE, "timeout", env.t("cli.too_slow")) from None
        except ProblemAnswer as problem:
            if problem.code in SHUT_OUT:
                raise NotSupervisor from None
            raise


async def _ask(env: Env, context: Context, url: str, wanted: Wanted, whom: str | None) -> Found:
    from kelmu_tui.services.look_ups import LookUpLog
    from kelmu_tui.services.network import calls

    limit = env.option("limit")
    async with calls(context.store, url, env.clock) as (_, client):
        log = LookUpLog(context.active, lambda: client, env.clock)
        found = await log.find(wanted, whom)
        while limit is not None and found.next is not None and len(found.rows) < limit:
            found = await log.more(found)
    return found.first(limit) if limit is not None else found


# --- telling --------------------------------------------------------------------------------------------------------


def _tell(env: Env, context: Context, found: Found) -> int:
    output = env.option("output")
    if output is None:
        _print(env, found)
    else:
        _write(env, Path(output), _document(env, context, found))
    _narrate(env, found)
    return Exit.OK


def _print(env: Env, found: Found) -> None:
    from kelmu_tui.services.look_up_text import as_csv, as_data

    if env.out.as_json:
        env.out.data(f"audit.{found.kind.value}", as_data(found))
    elif env.option("csv"):
        for line in as_csv(found).splitlines():
            env.out.line(line)
    else:
        _table(env, found)


def _document(env: Env, context: Context, found: Found) -> str:
    """Return what is written to a file: JSON or CSV where that was asked for, else a report."""
    from kelmu_tui.services.look_up_text import as_csv, as_data, report

    if env.out.as_json:
        to = io.StringIO()
        Output(as_json=True, stdout=to).data(f"audit.{found.kind.value}", as_data(found))
        return to.getvalue()
    return as_csv(found) if env.option("csv") else report(found, context.active, env.t)


def _write(env: Env, path: Path, text: str) -> None:
    from kelmu_tui.platform.paths import write_new

    try:
        write_new(path, text.encode("utf-8"))
    except FileExistsError:
        raise _file_there(env) from None
    except OSError:
        raise CliError(Exit.FAILED, "not_written", env.t("cli.not_written")) from None


def _file_there(env: Env) -> CliError:
    return CliError(Exit.USAGE, "file_exists", env.t("cli.file_exists"))


def _narrate(env: Env, found: Found) -> None:
    """Say what is not in the rows: how a sample is drawn again, and whether there are more."""
    t = env.t
    if found.seed is not None:
        drawn = t("look_ups.drawn_of", count=len(found.rows), whole=found.drawn_from or 0)
        env.out.note(f"{drawn}. {t('look_ups.seed')}: {found.seed}")
    if not found.whole:
        env.out.note(t("look_ups.not_all"))
    if env.option("output") is not None:
        env.out.note(t("cli.written"))


def _table(env: Env, found: Found) -> None:
    from kelmu_tui.services.customer_text import purpose_name
    from kelmu_tui.services.look_up_text import flags_text, outcome_text

    t = env.t

    def cells(row: AuditedLookUp) -> list[str]:
        return [
            t.formats.instant(row.at),
            f"{row.user_name} ({row.user})" if row.user_name else row.user,
            row.masked_code or "–",
            purpose_name(row.purpose, t) if row.purpose else "–",
            row.case_reference or "–",
            row.reason or "–",
            outcome_text(row.outcome, t),
            flags_text(row.flags, t) or "–",
        ]

    columns = [
        Column(t("look_ups.at")),
        Column(t("look_ups.user"), shrinks=True),
        Column(t("look_ups.customer")),
        Column(t("look_ups.purpose"), shrinks=True),
        Column(t("look_ups.case"), shrinks=True),
        Column(t("look_ups.reason"), shrinks=True),
        Column(t("look_ups.outcome_of"), shrinks=True),
        Column(t("look_ups.flags"), shrinks=True),
    ]
    env.out.table(columns, [cells(row) for row in found.rows])
