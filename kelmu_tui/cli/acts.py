"""Commands on notices: saved to the outbox first, then pushed for a moment, then told honestly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.inbox import shown_id
from kelmu_tui.cli.output import Column
from kelmu_tui.services.context import Context
from kelmu_tui.services.session import DEMO
from kelmu_tui.services.short_ids import notice_ids
from kelmu_tui.store.outbox import State
from kelmu_tui.store.rows import Outcome
from kelmu_tui.sync.status import SyncStatus

PUSH_SECONDS: Final = 5.0
"""How long a command waits for the backend when nothing is said: longer than a round trip, shorter than patience."""
STEP: Final = 0.1


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to; `problem` is what kept it from ending well."""

    status: SyncStatus = field(default_factory=SyncStatus)
    problem: CliError | None = None


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
                [shown_id(env, str(row["id"])), env.t.choice("cli.result", str(row["result"])), reason_text(env, row)]
                for row in rows
            ],
        )
    results = {row["result"] for row in rows}
    if "refused" in results:
        return Exit.REFUSED
    if "saved" in results:
        if pushed.problem is not None:
            env.out.note(pushed.problem.message)
        env.out.note(env.t("cli.saved_not_sent"))
        return Exit.NOT_SENT if env.option("wait") else Exit.OK
    return Exit.OK


def reason_text(env: Env, row: dict[str, Any]) -> str:
    """Return the reason of a refusal in words; a code that a newer backend sent stands for itself."""
    reason = row["reason"]
    if reason is None:
        return ""
    return env.t.choice("errors.refusal", reason, default=env.t.choice("errors.api", reason, default=reason))


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


# --- pushing --------------------------------------------------------------------------------------------------------


def push(env: Env, context: Context, seconds: float, commands: tuple[str, ...] = ()) -> Pushed:
    """Send what waits and read what is new, for at most `seconds`; failures come back as words, never as a raise.

    When another terminal of the user leads, its sending of `commands` is awaited.
    """
    from kelmu_tui.cli.faults import explain

    with _running_demo(env) or nullcontext() as demo:
        if demo is None and env.profile.name == DEMO:
            return Pushed(problem=CliError(Exit.OFFLINE, "demo_away", env.t("cli.demo_away")))
        url = demo.url if demo is not None else context.backend_url
        try:
            return Pushed(asyncio.run(asyncio.wait_for(_once(env, context, url, commands), seconds)))
        except TimeoutError:
            return Pushed(problem=CliError(Exit.OFFLINE, "timeout", env.t("cli.too_slow")))
        except Exception as error:  # noqa: BLE001 - the commands are saved; whatever happened must not hide that
            return Pushed(problem=explain(error, env.t))


async def _once(env: Env, context: Context, url: str, commands: tuple[str, ...]) -> SyncStatus:
    from kelmu_tui.services.context import connect
    from kelmu_tui.services.network import renew_session

    failures: list[BaseException] = []
    async with connect(context, url, on_failure=lambda _, error: failures.append(error)) as connection:
        status = await connection.engine.once()
        while status.state == "following" and await connection.thread.run(_waiting, context, commands):
            await asyncio.sleep(STEP)
            await connection.thread.run(context.store.poll)
        if await renew_session(context.store, connection.client, status.session_revision, run=connection.thread.run):
            env.out.note(env.t("cli.session_renewed"))
    if failures:
        raise failures[0]
    return status


def _waiting(context: Context, commands: tuple[str, ...]) -> bool:
    lines = [context.outbox.line(command) for command in commands]
    return any(line is not None and line.state in (State.QUEUED, State.SENDING) for line in lines)


def _running_demo(env: Env) -> Any:
    if env.profile.name != DEMO:
        return None
    from kelmu_tui.services.demo import Demo

    return Demo(env.profile, clock=env.clock).join()
