"""`kelmu lists export` and `kelmu invoices export`: rows of a list that is here into a new file."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.lists import (
    NEEDS,
    STEPS,
    need_open,
    newest_here,
    not_here,
    wanted_column,
    wanted_list,
    wanted_period,
    wanted_sort,
)
from kelmu_tui.domain.lists import KelaList
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.lists import NotHere
from kelmu_tui.store.list_pages import ListQuery

if TYPE_CHECKING:
    from kelmu_tui.services.context import Context
    from kelmu_tui.services.list_export import Exported, Wanted
    from kelmu_tui.services.list_files import Form
    from kelmu_tui.services.lists import Reading

R = TypeVar("R")
_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)


def export_list(env: Env) -> int:
    """Write the rows of a list that is here to a new file, the newest period by default."""
    return _export(env, wanted_list(env), "lists.export")


def export_invoice(env: Env) -> int:
    """Write the rows behind an invoice to a new file: those of its list.

    Raises:
        CliError: there is no such kind of invoice.
    """
    from kelmu_tui.cli.invoices import wanted_kind
    from kelmu_tui.domain.review.billing import billed_list

    return _export(env, billed_list(wanted_kind(env).id), "invoices.export")


def _export(env: Env, one: KelaList, kind: str) -> int:
    path, form = _target(env)
    wanted = _wanted(env, one)
    period = wanted_period(env, env.args.period)
    sort = tuple(wanted_sort(env, one, word) for word in env.option("sort_by") or ())
    query = ListQuery(sort, env.args.filter, env.option("municipality"))
    with env.context(NEEDS) as context:
        need_open(env, context, one)
        try:
            reading = context.lists.open(one.id, period or newest_here(env, context, one), query)
        except NotHere:
            raise not_here(env) from None
        done = _write(env, context, reading, wanted, path, form)
    if env.out.as_json:
        made = {"list": one.id, "period": reading.copy.period, "version": reading.copy.version, "file": str(path)}
        env.out.data(kind, made | {"format": form.value, "rows": done.rows, "left_out": done.left_out})
        return Exit.OK
    if done.left_out:
        env.out.note(env.t("lists.export_left_out_rows", count=done.left_out))
    env.out.line(env.t("lists.export_done", count=done.rows, path=str(path)))
    return Exit.OK


def _target(env: Env) -> tuple[Path, Form]:
    """Return where the file will be and what it is, as far as that can be known before.

    Raises:
        CliError: it can't be written there.
    """
    from kelmu_tui.platform.saving import NotSaved, check, is_shared
    from kelmu_tui.services.list_export import form_of

    path = Path(env.option("output"))
    try:
        form = form_of(path, env.option("export_format"))
        check(path)
    except NotSaved as failure:
        raise _not_saved(env, path, failure.reason) from None
    if is_shared(path.parent) and not env.option("shared_folder"):
        raise CliError(Exit.REFUSED, "shared_folder", env.t("cli.export_shared"))
    return path, form


def _not_saved(env: Env, path: Path, reason: str) -> CliError:
    if reason == "ending":
        return CliError(Exit.USAGE, "not_saved_ending", env.t("lists.export_ending"))
    said = env.t.choice("saving.problem", reason, folder=str(path.parent))
    return CliError(Exit.FAILED, f"not_saved_{reason}", said)


def _wanted(env: Env, one: KelaList) -> Wanted:
    from kelmu_tui.services.list_export import MAX_PURPOSE, InvalidPurpose, Wanted, clean_purpose

    try:
        purpose = clean_purpose(env.option("export_purpose"))
    except InvalidPurpose:
        said = env.t("lists.export_purpose_needed", most=MAX_PURPOSE)
        raise CliError(Exit.USAGE, "purpose_invalid", said) from None
    columns = tuple(dict.fromkeys(wanted_column(env, one, word) for word in env.option("column") or ()))
    return Wanted(purpose, columns or None, bool(env.option("full")))


def _write(env: Env, context: Context, reading: Reading, wanted: Wanted, path: Path, form: Form) -> Exported:
    from kelmu_tui.platform.saving import NotSaved
    from kelmu_tui.services.list_export import export

    step = 0

    def hear(rows: int, total: int) -> None:
        nonlocal step
        reached = STEPS * rows // total if total else STEPS
        if reached != step:
            step = reached
            number = env.t.formats.number
            env.out.note(env.t("cli.export_progress", rows=number(rows), total=number(total)))

    async def write() -> Exported:
        with _Orderly():
            return await export(
                _run,
                context.lists,
                context.active,
                reading,
                wanted,
                path,
                env.t,
                now=env.clock.now(),
                form=form,
                hear=hear,
            )

    try:
        return asyncio.run(write())
    except NotSaved as failure:
        raise _not_saved(env, path, failure.reason) from None
    except NotHere:
        raise CliError(Exit.REFUSED, "list_gone", env.t("lists.export_gone")) from None
    except NotAllowed:
        raise CliError(Exit.NOT_ALLOWED, "not_allowed", env.t("lists.export_not_any_more")) from None


async def _run(function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Run a unit of work; a command has no thread for the store, and nobody to keep waiting."""
    return function(*args, **kwargs)


class _Orderly:
    """Lets the signals that end a process end the task that is running, so that nothing is left of the file."""

    def __init__(self) -> None:
        self._number = 0

    def __enter__(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def end(number: int) -> None:
            self._number = number
            task.cancel()

        for number in _SIGNALS:
            loop.add_signal_handler(number, end, number)

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        if self._number:
            sys.exit(128 + self._number)
