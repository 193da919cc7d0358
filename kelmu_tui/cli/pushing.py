"""Pushing for a command: send what waits, read what is new, and notice when the user may do less than before.

A mandate may end between two commands. The backend tells by a 403 or by a number that comes with the feed; the session
is then read again before anything else is said, so that the next command already knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.known import SHUT_OUT
from kelmu_tui.services.session import DEMO, NoSuchOrganisation, NothingOpens, end_if_lost, secret
from kelmu_tui.store.outbox import State
from kelmu_tui.sync.status import Connection as Link
from kelmu_tui.sync.status import SyncStatus

if TYPE_CHECKING:
    from kelmu_tui.services.context import Connection

PUSH_SECONDS: Final = 5.0
"""How long a command waits for the backend when nothing is said: longer than a round trip, shorter than patience."""
STEP: Final = 0.1
ENDED: Final = "access_ended"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to; `problem` is what kept it from ending well."""

    status: SyncStatus = field(default_factory=SyncStatus)
    problem: CliError | None = None

    @property
    def ended(self) -> CliError | None:
        """The problem, when it is that the user may not work for the organisation any more."""
        return self.problem if self.problem is not None and self.problem.code == ENDED else None


def push(env: Env, context: Context, seconds: float, commands: tuple[str, ...] = ()) -> Pushed:
    """Send what waits and read what is new, for at most `seconds`; failures come back as words, never as a raise.

    When another terminal of the user leads, its sending of `commands` is awaited.
    """
    from kelmu_tui.cli.faults import explain

    with _running_demo(env) or nullcontext() as demo:
        if demo is None and env.profile.name == DEMO:
            return Pushed(problem=_demo_away(env))
        url = demo.url if demo is not None else context.backend_url
        try:
            return Pushed(asyncio.run(asyncio.wait_for(_once(env, context, url, commands), seconds)))
        except CliError as ended:
            return Pushed(problem=ended)
        except TimeoutError:
            return Pushed(problem=CliError(Exit.OFFLINE, "timeout", env.t("cli.too_slow")))
        except Exception as error:  # noqa: BLE001 - the commands are saved; whatever happened must not hide that
            return Pushed(problem=explain(error, env.t))


@contextmanager
def reach(env: Env, url: str) -> Iterator[str]:
    """Give the backend's address: that of the running demo in its profile.

    Raises:
        CliError: the demo does not run.
    """
    with _running_demo(env) or nullcontext() as demo:
        if demo is None and env.profile.name == DEMO:
            raise _demo_away(env)
        yield demo.url if demo is not None else url


def ask_again(env: Env, seconds: float) -> None:
    """Read the session again although nothing opens by what is known of it: a mandate may have come back.

    Raises:
        SessionProblem, ApiError, StoreError: turned into words by `faults`.
        CliError: the demo does not run.
        TimeoutError: it took longer than `seconds`.
    """
    from kelmu_tui.services.network import ask_session

    store = env.store()
    try:
        with reach(env, secret(store, "backend") or "") as url:
            asyncio.run(asyncio.wait_for(ask_session(store, url, env.clock), seconds))
    finally:
        store.close()


async def _once(env: Env, context: Context, url: str, commands: tuple[str, ...]) -> SyncStatus:
    from kelmu_tui.api.errors import ProblemAnswer
    from kelmu_tui.services.context import connect

    failures: list[BaseException] = []
    async with connect(context, url, on_failure=lambda _, error: failures.append(error)) as connection:
        barred: ProblemAnswer | None = None
        try:
            status = await connection.engine.once()
        except ProblemAnswer as error:
            if error.status != 403:
                raise
            barred, status = error, connection.engine.status
        while status.state is Link.FOLLOWING and await connection.thread.run(_waiting, context, commands):
            await asyncio.sleep(STEP)
            await connection.thread.run(context.store.poll)
        await _renew(env, context, connection, status, commands, barred=barred is not None)
    if barred is not None:
        raise barred  # and yet the session still opens the organisation: told as it was answered
    if failures:
        raise failures[0]
    return status


async def _renew(
    env: Env, context: Context, connection: Connection, status: SyncStatus, commands: tuple[str, ...], *, barred: bool
) -> None:
    """Read the session again if there is a sign that mandates have changed, and go by what is kept of it now.

    Raises:
        CliError: the organisation is not open any more.
        ApiError: the backend gave no usable answer; the next command asks again.
    """
    from kelmu_tui.services.network import renew_session

    run = connection.thread.run
    refused = status.problem in SHUT_OUT or await run(_refused, context, commands)
    await renew_session(context.store, connection.client, status.session_revision, shut_out=barred or refused, run=run)
    # Looked at even when nothing was asked: another terminal may have renewed the session meanwhile.
    if await run(_go_on, env, context, status.state is not Link.FOLLOWING):
        env.out.note(env.t("cli.session_renewed"))


def _go_on(env: Env, context: Context, leads: bool) -> bool:
    """Choose the same organisation by the session as it is now; return whether it opens something else than before.

    Raises:
        CliError: it opens nothing any more.
    """
    before, own = context.active.capabilities, context.active.organisation.business_id
    try:
        context.active = activate(context.profile, context.store, own, context.ids, context.needs).active
    except (NothingOpens, NoSuchOrganisation) as problem:
        if leads:  # what another terminal leads is that one's to end
            end_if_lost(context.store, own)
        raise _ended(env, context, problem) from None
    return context.active.capabilities != before


def _ended(env: Env, context: Context, problem: NothingOpens | NoSuchOrganisation) -> CliError:
    from kelmu_tui.cli.faults import explain, listed
    from kelmu_tui.domain.deadlines import local_date
    from kelmu_tui.services.unsent import unsent

    t = env.t
    lines = [t("cli.access_ended", organisation=context.active.organisation.name.get(t.language))]
    if isinstance(problem, NothingOpens) and problem.why is not None:
        lines.append(explain(problem, t).message)
    waiting = unsent(context.store)
    if waiting:
        lines.append(t("cli.access_ended_unsent", count=waiting))
    others = context.session.known().usable(local_date(env.clock.now()), context.needs)
    if others:
        lines += [t("cli.access_ended_others"), listed(others, t)]
    return CliError(Exit.NOT_ALLOWED, ENDED, "\n".join(lines))


def _waiting(context: Context, commands: tuple[str, ...]) -> bool:
    lines = [context.outbox.line(command) for command in commands]
    return any(line is not None and line.state in (State.QUEUED, State.SENDING) for line in lines)


def _refused(context: Context, commands: tuple[str, ...]) -> bool:
    """Tell whether the backend refused one of `commands` for want of a mandate, whoever sent it."""
    lines = [context.outbox.line(command) for command in commands]
    return any(line is not None and line.conflict is not None and line.conflict.code in SHUT_OUT for line in lines)


def _demo_away(env: Env) -> CliError:
    return CliError(Exit.OFFLINE, "demo_away", env.t("cli.demo_away"))


def _running_demo(env: Env) -> Any:
    if env.profile.name != DEMO:
        return None
    from kelmu_tui.services.demo import Demo

    return Demo(env.profile, clock=env.clock).join()
