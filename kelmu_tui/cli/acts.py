"""Commands on notices: saved to the outbox first, then pushed for a moment, then told honestly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.inbox import shown_id
from kelmu_tui.cli.output import Column
from kelmu_tui.cli.pushing import PUSH_SECONDS, Pushed, push
from kelmu_tui.services.context import Context
from kelmu_tui.services.known import SHUT_OUT
from kelmu_tui.services.short_ids import notice_ids
from kelmu_tui.store.outbox import State
from kelmu_tui.store.rows import Outcome


def take(env: Env) -> int:
    """Make notices mine."""
    return _act(env, lambda context, ids: context.inbox.take(ids))


def release(env: Env) -> int:
    """Give notices back to the team."""
    return _act(env, lambda context, ids: context.inbox.release(ids))


def handle(env: Env) -> int:
    """Mark notices as handled."""
    return _act(env, lambda context, ids: context.inbox.handle(ids))


def reopen(env: Env) -> int:
    """Bring handled notices back."""
    return _act(env, lambda context, ids: context.inbox.reopen(ids))


def take_back(env: Env) -> int:
    """Take back own transfers that nobody has opened."""
    return _act(env, lambda context, ids: context.inbox.take_back(ids))


def note(env: Env) -> int:
    """Write a note to notices."""
    text = _text(env, env.args.text)
    return _act(env, lambda context, ids: context.inbox.note(ids, text))


def transfer(env: Env) -> int:
    """Transfer notices to a municipality."""
    municipality = find_municipality(env, env.args.to)
    reason = _text(env, env.args.reason)
    return _act(env, lambda context, ids: context.inbox.transfer(ids, municipality, reason))


def find_municipality(env: Env, wanted: str) -> str:
    """Return the code of a municipality given by code or by its name in any language.

    Raises:
        CliError: there is none of that name.
    """
    from kelmu_tui.domain.organisations import municipalities

    known = municipalities()
    if wanted in known:
        return wanted
    folded = wanted.casefold()
    for municipality in known.values():
        if folded in {name.casefold() for name in (municipality.name.fi, municipality.name.sv, municipality.name.en)}:
            return municipality.code
    near = [m.name.get(env.t.language) for m in known.values() if folded and folded[:4] in m.name.fi.casefold()][:5]
    hint = f" {env.t('cli.did_you_mean', names=', '.join(near))}" if near else ""
    raise CliError(Exit.NOT_FOUND, "municipality", env.t("cli.municipality_unknown") + hint)


def _text(env: Env, given: str) -> str:
    return env.read_stdin().strip() if given == "-" else given


def _act(env: Env, work: Callable[[Context, tuple[str, ...]], Outcome]) -> int:
    words = env.listed_ids()
    with env.context() as context:
        # One typing mistake should change nothing, so the whole line is refused for it.
        ids = notice_ids(context.store, words)
        outcome = work(context, ids)
        wait = env.option("wait")
        seconds = PUSH_SECONDS if wait is None else float(wait)
        pushed = push(env, context, seconds, outcome.commands) if outcome.commands and seconds else Pushed()
        return tell(env, context, ids, outcome, pushed)


def tell(env: Env, context: Context, ids: tuple[str, ...], outcome: Outcome, pushed: Pushed) -> int:
    """Say what became of each notice, in the order given, and choose the exit code."""
    commands, refused = dict(zip(outcome.done, outcome.commands, strict=True)), dict(outcome.refused)
    rows = [
        _result(context, id_, commands[id_])
        if id_ in commands
        else {
            "id": id_,
            "result": "refused" if id_ in refused else "unchanged",
            "command": None,
            "reason": refused[id_].value if id_ in refused else None,
        }
        for id_ in ids
    ]
    if env.out.as_json:
        env.out.data(f"inbox.{outcome.verb}", {"results": rows})
    else:
        env.out.table(
            [
                Column(env.t("cli.column_id")),
                Column(env.t("cli.column_result")),
                Column(env.t("cli.column_reason"), True),
            ],
            [
                [
                    shown_id(env, str(row["id"])),
                    env.t.choice("cli.result", str(row["result"])),
                    _reason(env, row["reason"]),
                ]
                for row in rows
            ],
        )
    results = {row["result"] for row in rows}
    if pushed.ended:
        env.out.note(pushed.ended.message)
        return pushed.ended.exit
    if "refused" in results:
        return Exit.NOT_ALLOWED if SHUT_OUT & {row["reason"] for row in rows} else Exit.REFUSED
    if "saved" in results:
        if pushed.problem is not None:
            env.out.note(pushed.problem.message)
        env.out.note(env.t("cli.saved_not_sent"))
        return Exit.NOT_SENT if env.option("wait") else Exit.OK
    return Exit.OK


def _reason(env: Env, reason: str | None) -> str:
    from kelmu_tui.services.refusals import reason_text

    return "" if reason is None else reason_text(reason, env.t)


def _result(context: Context, id_: str, command: str) -> dict[str, Any]:
    line = context.outbox.line(command)
    state = "settled" if line is None else line.state
    row: dict[str, Any] = {"id": id_, "result": "saved", "command": command, "reason": None}
    if state in (State.ACKNOWLEDGED, State.SETTLED):
        row["result"] = "sent"
    elif state in (State.REFUSED, State.BLOCKED):
        row["result"] = "refused"
        if line is not None and line.conflict is not None:
            row["reason"] = line.conflict.rule or line.conflict.code
    return row
