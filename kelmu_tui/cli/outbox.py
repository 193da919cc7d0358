"""`kelmu outbox list|show|retry|reload|discard`: what became of the commands given, and what was being typed.

All but `retry` need the ledger alone: what a user wrote can be read when no organisation is open any more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.inbox import shown_id
from kelmu_tui.cli.output import Column
from kelmu_tui.services.context import Context
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.short_ids import command_ids
from kelmu_tui.store.outbox import State
from kelmu_tui.store.rows import CommandLine

if TYPE_CHECKING:
    from kelmu_tui.services.outbox import Outbox
    from kelmu_tui.store.database import Store

ENDED = (State.SETTLED, State.REISSUED, State.DISCARDED)


@contextmanager
def _ledger(env: Env) -> Iterator[tuple[Store, Outbox]]:
    """Open the user's ledger and the outbox in it, whether or not an organisation is open."""
    from kelmu_tui.services.outbox import Outbox

    store = env.store()
    try:
        yield store, Outbox(store, store.clock, env.ids)
    finally:
        store.close()


def list_commands(env: Env) -> int:
    """List commands: those that need the user first; ended ones with `--all`."""
    with _ledger(env) as (_, outbox):
        lines = [line for line in outbox.lines() if env.args.all or not _over(line)]
    if env.out.as_json:
        env.out.data("outbox.list", {"commands": [_command(line) for line in lines]})
        return Exit.OK
    t = env.t
    columns = [
        Column(t("cli.column_id")),
        Column(t("cli.column_at")),
        Column(t("cli.column_command")),
        Column(t("cli.column_about"), shrinks=True),
        Column(t("cli.column_state")),
        Column(t("cli.column_reason"), shrinks=True),
    ]
    rows = [
        [
            shown_id(env, line.id),
            t.formats.short_instant(line.created_at),
            t.choice("states.verb", line.verb),
            _about(env, line),
            t.choice("states.command", line.state),
            _reason(env, line),
        ]
        for line in lines
    ]
    env.out.table(columns, rows)
    return Exit.OK


def _over(line: CommandLine) -> bool:
    """Tell whether nothing is left to know or do: a refusal stays until the user has acted on it."""
    return line.conflict is None and line.state in (*ENDED, State.REFUSED)


def _command(line: CommandLine) -> dict[str, Any]:
    conflict = line.conflict
    return {
        "id": line.id,
        "verb": line.verb,
        "notice": line.aggregate,
        "label": line.label,
        "state": line.state,
        "created_at": line.created_at,
        "attempts": line.attempts,
        "due_at": line.due_at,
        "conflict": None if conflict is None else {"at": conflict.at, "code": conflict.code, "rule": conflict.rule},
    }


def _about(env: Env, line: CommandLine) -> str:
    customer, kind = line.label.get("customer"), line.label.get("kind")
    return str(customer) if customer else _kind(env, str(kind)) if kind else line.aggregate


def _kind(env: Env, kind: str) -> str:
    return env.t.choice("kinds.short", kind, kind)


def show(env: Env) -> int:
    """Show everything of one command or draft; with `--text` what the user wrote alone, for a pipe."""
    with _ledger(env) as (store, outbox):
        (id_,) = command_ids(store, [env.args.id])
        line = outbox.line(id_)
    if line is None:
        raise CliError(Exit.NOT_FOUND, "not_found", env.t("cli.not_found", ids=env.args.id))
    if env.args.text and env.out.as_json:
        env.out.data("outbox.show", {"id": line.id, "text": line.text})
    elif env.args.text:
        if line.text:
            env.out.line(line.text)
        else:
            env.out.note(env.t("cli.no_text"))
    elif env.out.as_json:
        env.out.data("outbox.show", _whole(line))
    else:
        for label, text in _described(env, line):
            env.out.line(f"{label}: {text}")
    return Exit.OK


def _whole(line: CommandLine) -> dict[str, Any]:
    conflict = line.conflict
    present = None
    if conflict is not None and conflict.current is not None:
        # Who and how far, not the customer: that is what `inbox show` is for, which logs the look.
        present = {name: conflict.current[name] for name in PRESENT if name in conflict.current}
    return {
        **_command(line),
        "organisation": line.organisation,
        "problem": line.problem,
        "present": present,
        "text": line.text,
    }


PRESENT: Final = (
    "table", "version", "status", "municipality", "assignee_name", "handled_at", "handled_by", "by", "at",
    "to_organisation", "to_municipality", "state",
)  # fmt: skip
"""What is told of the backend's present row."""


def _described(env: Env, line: CommandLine) -> list[tuple[str, str]]:
    from kelmu_tui.domain.organisations import municipalities
    from kelmu_tui.services import refusals

    t, label, known = env.t, line.label, municipalities()
    to, conflict, problem = str(label.get("to_municipality") or ""), line.conflict, line.problem or {}
    rows: list[tuple[str, str]] = [
        (t("cli.column_id"), line.id),
        (t("cli.column_command"), t.choice("states.verb", line.verb)),
        (t("cli.column_state"), t.choice("states.command", line.state)),
        (t("outbox.about"), line.aggregate),
        (t("cli.column_customer"), str(label.get("customer", ""))),
        (t("cli.column_kind"), _kind(env, str(label["kind"])) if label.get("kind") else ""),
        (t("outbox.to"), known[to].name.get(t.language) if to in known else to),
        (t("cli.column_at"), t.formats.instant(line.created_at)),
        (t("outbox.attempts"), t.formats.number(line.attempts) if line.attempts else ""),
        (t("outbox.next_attempt"), t.formats.instant(line.due_at) if line.due_at is not None else ""),
    ]
    if conflict is not None:
        rows += [
            (t("cli.column_reason"), refusals.why(conflict, t)),
            (t("outbox.now"), refusals.present(line, t, env.clock.now())),
            (t("outbox.ways"), refusals.next_steps(conflict, t, line.verb)),
        ]
    else:
        rows.append((t("cli.column_reason"), refusals.standing(line, t)))
    rows += [
        (t("outbox.request_id"), str(problem.get("request_id", ""))),
        (t("outbox.written"), line.text),
    ]
    return [(name, text.replace("\n", "\n  ")) for name, text in rows if text]


def _reason(env: Env, line: CommandLine) -> str:
    from kelmu_tui.services.refusals import why

    return "" if line.conflict is None else why(line.conflict, env.t)


def retry(env: Env) -> int:
    """Make commands due now (all that wait, when none is named) and push; a refused one is given anew."""
    from kelmu_tui.cli.document_upload import bring_up_waiting
    from kelmu_tui.cli.pushing import PUSH_SECONDS, push
    from kelmu_tui.store.endings import NotPossible

    words = env.listed_ids()
    failed: list[dict[str, str]] = []
    with env.context(OPENERS) as context:
        ids = command_ids(context.store, words)
        if not ids:
            context.outbox.retry_all()
        for id_ in ids:
            try:
                _again(context, id_)
            except NotPossible as error:
                failed.append({"id": id_, "reason": error.reason})
        wait = env.option("wait")
        seconds = PUSH_SECONDS if wait is None else float(wait)
        pushed = push(env, context, seconds, ids) if seconds else None
        if pushed is not None and pushed.problem is None:
            pushed = replace(pushed, problem=bring_up_waiting(env, context))
        left = [line for line in context.outbox.lines() if line.state in (State.QUEUED, State.SENDING)]
    if env.out.as_json:
        env.out.data("outbox.retry", {"failed": failed, "waiting": len(left)})
    _tell_failed(env, failed)
    if pushed is not None and pushed.problem is not None:
        env.out.note(pushed.problem.message)
    env.out.note(env.t("cli.still_waiting", count=len(left)))
    if pushed is not None and pushed.ended:
        return pushed.ended.exit
    if failed:
        return _exit_of(failed)
    return Exit.NOT_SENT if left and env.option("wait") else Exit.OK


def _again(context: Context, id_: str) -> None:
    line = context.outbox.line(id_)
    if line is not None and line.state in (State.REFUSED, State.BLOCKED):
        context.outbox.redo(id_)
    else:
        context.outbox.retry(id_)


def discard(env: Env) -> int:
    """Discard commands for good, after a question; `--yes` answers it."""
    words = env.listed_ids()
    _confirm(env, len(words))
    return _end(env, words, "discard", "discarded", "cli.discarded")


def reload(env: Env) -> int:
    """Drop refused commands: the notice stays as it is in the record."""
    return _end(env, env.listed_ids(), "reload", "reloaded", "cli.reloaded")


def _end(env: Env, words: tuple[str, ...], how: str, name: str, text: str) -> int:
    from kelmu_tui.store.endings import NotPossible

    failed: list[dict[str, str]] = []
    done: list[str] = []
    with _ledger(env) as (store, outbox):
        end = outbox.discard if how == "discard" else outbox.reload
        for id_ in command_ids(store, words):
            try:
                end(id_)
                done.append(id_)
            except NotPossible as error:
                failed.append({"id": id_, "reason": error.reason})
    if env.out.as_json:
        env.out.data(f"outbox.{how}", {name: done, "failed": failed})
    elif done:
        env.out.note(env.t(text, count=len(done)))
    _tell_failed(env, failed)
    return _exit_of(failed) if failed else Exit.OK


def _tell_failed(env: Env, failed: list[dict[str, str]]) -> None:
    for row in failed:
        env.out.note(f"{row['id']}: {env.t.choice('cli.not_possible', row['reason'])}")


def _exit_of(failed: list[dict[str, str]]) -> Exit:
    return Exit.NOT_FOUND if all(row["reason"] == "unknown" for row in failed) else Exit.REFUSED


def _confirm(env: Env, count: int) -> None:
    if env.args.yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise CliError(Exit.USAGE, "unconfirmed", env.t("cli.unconfirmed"))
    env.out.note(env.t("cli.confirm_discard", count=count))
    if sys.stdin.readline().strip().casefold() not in ("k", "kyllä", "j", "ja", "y", "yes"):
        raise CliError(Exit.REFUSED, "unconfirmed", env.t("cli.nothing_done"))
