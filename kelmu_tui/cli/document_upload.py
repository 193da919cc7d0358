"""Bringing documents up from the command line: with a bar, the speed and the time left on standard error."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kelmu_tui.cli import pushing
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.services.context import Context
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.errors import NotShown
from kelmu_tui.store.sendings import QUEUED, SENDING, UPLOADING, SendingLine

if TYPE_CHECKING:
    from kelmu_tui.services.context import Connection
    from kelmu_tui.store.copies import Due

TRIES: Final = 6
"""Failures in a row, without a byte in between, after which the command ends; what arrived stays there."""
SEND_SECONDS: Final = 60.0
"""How long the answer is waited for once everything is up: the backend looks over every document before it gives a
receipt."""
STEP: Final = 0.25
LOOKS: Final = 8
"""Looks at what another terminal brings up before it is tried whether that one still leads."""
STILL_SECONDS: Final = 60.0
"""How long another terminal may bring nothing up before the command ends: it may be offline, or stopped."""
BAR: Final = 24
STEPS: Final = 10
"""Parts after each of which it is told how far it is, where nobody watches the line."""
TELL_SECONDS: Final = 5.0


def bring_up(env: Env, context: Context, wanted: Sequence[str]) -> CliError | None:
    """Bring up what waits, with `wanted` told, and send it; return what kept it from the end, in words."""
    from kelmu_tui.cli.faults import explain

    progress = Progress(env, _lines(context, wanted))
    try:
        with pushing.reach(env, context.backend_url) as url:
            asyncio.run(_up(context, url, progress, wanted))
    except CliError as problem:
        return problem
    except TimeoutError:
        return CliError(Exit.OFFLINE, "timeout", env.t("cli.too_slow"))
    except Exception as error:  # noqa: BLE001 - the sending is saved; whatever happened must not hide that
        return explain(error, env.t)
    finally:
        progress.end()
    return pushing.push(env, context, SEND_SECONDS, _commands(context, wanted)).problem


def bring_up_waiting(env: Env, context: Context) -> CliError | None:
    """Bring up all that waits, if anything does; return what kept it from the end, in words."""
    from kelmu_tui.sync import upload

    if not upload.waits(context.store):
        return None
    return bring_up(env, context, [line.id for line in _lines(context) if line.receipt is None])


def tell_cancelled(env: Env, context: Context) -> None:
    """Let the backend remove what was taken back, if it answers soon; else it is told later."""
    try:
        with pushing.reach(env, context.backend_url) as url:
            asyncio.run(asyncio.wait_for(_up(context, url, None, ()), TELL_SECONDS))
    except (CliError, TimeoutError):
        return
    except Exception:  # noqa: BLE001 - taken back it is; the rest can wait
        return


async def _up(context: Context, url: str, progress: Progress | None, wanted: Sequence[str]) -> None:
    from kelmu_tui.services.context import connect

    failures: list[BaseException] = []
    async with connect(context, url, on_failure=lambda _, error: failures.append(error)) as connection:
        hear = None if progress is None else progress.hear
        sent, since = -1, context.clock.monotonic()
        while not await connection.engine.bring_up(hear, tries=TRIES):
            # Another terminal leads; when it ends or is locked, the next try leads in its place.
            if progress is None or await _watch(context, connection, progress, wanted):
                break
            if progress.sent != sent:
                sent, since = progress.sent, context.clock.monotonic()
            elif context.clock.monotonic() - since > STILL_SECONDS:
                raise TimeoutError
    if failures:
        raise failures[0]


async def _watch(context: Context, connection: Connection, progress: Progress, wanted: Sequence[str]) -> bool:
    """Look on for a moment while another terminal brings them up; return whether nothing of them waits any more."""
    for _ in range(LOOKS):
        await connection.thread.run(context.store.poll)
        lines = await connection.thread.run(_lines, context, wanted)
        progress.show(sum(line.sent for line in lines))
        if not any(line.state in (QUEUED, UPLOADING) for line in lines):
            return True
        await asyncio.sleep(STEP)
    return False


def _lines(context: Context, wanted: Sequence[str] | None = None) -> list[SendingLine]:
    try:
        found = context.sendings.lines()
    except (NotAllowed, NotShown):
        return []  # what waits may be for another organisation, or from before the mandate ended
    return [line for line in found if wanted is None or line.id in wanted]


def _commands(context: Context, wanted: Sequence[str]) -> tuple[str, ...]:
    waiting = (QUEUED, UPLOADING, SENDING)
    return tuple(line.command for line in _lines(context, wanted) if line.command is not None and line.state in waiting)


class Progress:
    """Tells how far an upload is: a bar on a terminal, a line at each tenth elsewhere."""

    def __init__(self, env: Env, lines: Sequence[SendingLine]) -> None:
        from kelmu_tui.sync.pace import Pace

        self._env = env
        self._sent = {one.id: one.sent for line in lines for one in line.documents}
        self._size = sum(line.size for line in lines)
        self._pace = Pace()
        self._last = sum(self._sent.values())
        self._step = self._last * STEPS // self._size if self._size else STEPS
        self._told = 0.0
        self._open = False

    @property
    def sent(self) -> int:
        """How many bytes are up, as far as it was told."""
        return self._last

    def hear(self, one: Due, sent: int) -> None:
        """Take how many bytes of a document are up; documents of other sendings are not counted."""
        if one.document in self._sent:
            self._sent[one.document] = sent
            self.show(sum(self._sent.values()))

    def show(self, sent: int) -> None:
        """Tell how many bytes are up."""
        now = self._env.clock.monotonic()
        self._pace.note(now, max(0, sent - self._last))
        self._last = sent
        if not self._size:
            return
        if self._env.out.watched:
            if sent >= self._size or now - self._told >= STEP:
                self._told = now
                self._open = True
                self._env.out.progress(f"{_bar(sent, self._size)} {self._text(sent, now)}")
            return
        step = sent * STEPS // self._size
        if step > self._step:
            self._step = step
            self._env.out.note(self._text(sent, now))

    def end(self) -> None:
        """Leave the line."""
        if self._open:
            self._open = False
            self._env.out.progress("")

    def _text(self, sent: int, now: float) -> str:
        t = self._env.t
        rate = self._pace.rate(now)
        done, whole = t.formats.size(sent), t.formats.size(self._size)
        part = t.formats.percent(sent * 100 // self._size)
        if not rate:
            return t("cli.documents_progress", part=part, done=done, whole=whole)
        left = t.formats.countdown((self._size - sent) / rate)
        speed = t.formats.size(int(rate))
        return t("cli.documents_progress_speed", part=part, done=done, whole=whole, speed=speed, left=left)


def _bar(sent: int, size: int) -> str:
    full = min(BAR, sent * BAR // size)
    return f"[{'#' * full}{'.' * (BAR - full)}]"
