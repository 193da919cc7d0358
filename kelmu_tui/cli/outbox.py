"""`kelmu outbox list|retry|discard`: what became of the commands given."""

from __future__ import annotations

import sys
from typing import Any

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.inbox import shown_id
from kelmu_tui.cli.output import Column
from kelmu_tui.services.context import Context
from kelmu_tui.services.short_ids import command_ids
from kelmu_tui.store.outbox import State
from kelmu_tui.store.rows import CommandLine

ENDED = (State.SETTLED, State.REISSUED, State.DISCARDED)


def list_commands(env: Env) -> int:
    """List commands: those that need the user first; ended ones with `--all`."""
    with env.context() as context:
        lines = [line for line in context.outbox.lines() if env.args.all or not _over(line)]
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
            str(line.label.get("customer", line.aggregate)),
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


def _reason(env: Env, line: CommandLine) -> str:
    from kelmu_tui.cli.acts import reason_text

    if line.conflict is None:
        return ""
    return reason_text(env, {"reason": line.conflict.rule or line.conflict.code})


def retry(env: Env) -> int:
    """Make commands due now (all that wait, when none is named) and push; a refused one is given anew."""
    from kelmu_tui.cli.pushing import PUSH_SECONDS, push
    from kelmu_tui.store.endings import NotPossible

    words = env.listed_ids()
    failed: list[dict[str, str]] = []
    with env.context() as context:
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
    from kelmu_tui.store.endings import NotPossible

    words = env.listed_ids()
    _confirm(env, len(words))
    failed: list[dict[str, str]] = []
    done: list[str] = []
    with env.context() as context:
        ids = command_ids(context.store, words)
        for id_ in ids:
            try:
                context.outbox.discard(id_)
                done.append(id_)
            except NotPossible as error:
                failed.append({"id": id_, "reason": error.reason})
    if env.out.as_json:
        env.out.data("outbox.discard", {"discarded": done, "failed": failed})
    elif done:
        env.out.note(env.t("cli.discarded", count=len(done)))
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
