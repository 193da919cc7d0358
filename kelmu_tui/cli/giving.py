"""Commands that a line of words gave: sent for a moment, then told honestly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kelmu_tui.cli import pushing
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import Exit
from kelmu_tui.services.context import Context
from kelmu_tui.store.outbox import State

SENT = frozenset({State.ACKNOWLEDGED.value, State.SETTLED.value})


def send(env: Env, context: Context, kind: str, commands: Sequence[str], sent: str, **more: Any) -> int:
    """Send commands that were saved, and say what became of them.

    Args:
        kind: of the JSON document.
        sent: key of the text for commands that have arrived; it counts them.
        more: what else the document says.
    """
    wait = env.option("wait")
    seconds = pushing.PUSH_SECONDS if wait is None else float(wait)
    pushed = pushing.push(env, context, seconds, tuple(commands)) if seconds else pushing.Pushed()
    states = {command: _state(context, command) for command in commands}
    if env.out.as_json:
        told = [{"id": id_, "state": state} for id_, state in states.items()]
        env.out.data(kind, {"commands": told, **more})
    if pushed.ended:
        env.out.note(pushed.ended.message)
        return pushed.ended.exit
    refused = [command for command, state in states.items() if state == State.REFUSED]
    if refused:
        from kelmu_tui.services.refusals import why

        for line in map(context.outbox.line, refused):
            if line is not None and line.conflict is not None:
                env.out.note(why(line.conflict, env.t))
        return Exit.REFUSED
    if set(states.values()) <= SENT:
        env.out.note(env.t(sent, count=len(states)))
        return Exit.OK
    if pushed.problem is not None:
        env.out.note(pushed.problem.message)
    env.out.note(env.t("cli.saved_not_sent"))
    return Exit.NOT_SENT if wait else Exit.OK


def _state(context: Context, command: str) -> str:
    line = context.outbox.line(command)
    return State.SETTLED.value if line is None else line.state
