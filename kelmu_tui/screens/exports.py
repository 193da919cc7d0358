"""Rows of lists on their way into a file, at a desk: one export at a time, how far it is, and how it ended.

An export goes on while the user looks at something else. One that was stopped or failed leaves nothing on the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kelmu_tui.platform.saving import NotSaved
from kelmu_tui.screens.fetches import Progress, Which
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.lists import NotHere, Reading

if TYPE_CHECKING:
    from kelmu_tui.i18n import Translator
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face
    from kelmu_tui.services.list_export import Wanted


class Subject(NamedTuple):
    """What is exported: the rows of a reading, which is opened when it begins.

    Attributes:
        which: list and period.
        rows: how many there will be, about, until it is known.
    """

    which: Which
    open: Callable[[], Awaitable[Reading]]
    rows: int


class Exports:
    """The exports of one desk.

    Attributes:
        told: is called whenever the export looks different.
    """

    def __init__(self, face: Face, desk: Desk) -> None:
        self.desk = desk
        self.told: Callable[[], None] = _nobody
        self._face = face
        self._task: asyncio.Task[None] | None = None
        self._which: Which | None = None
        self._progress = Progress(0, 0)
        self._lost: Which | None = None

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._task is not None

    def progress(self, which: Which) -> Progress | None:
        """Return how far the export of a period is, None when there is none under way."""
        return self._progress if self._which == which else None

    def tells_of(self, which: Which) -> bool:
        """Whether the export of a period says what becomes of it, or has said last that its list went."""
        return which in (self._which, self._lost)

    def begin(self, subject: Subject, wanted: Wanted, path: Path) -> None:
        """Export, unless something is being exported."""
        if self._task is not None:
            return
        self._which, self._progress, self._lost = subject.which, Progress(0, subject.rows), None
        self._task = self._face.tasks.spawn("lists.export", self._export(subject, wanted, path))
        # Not in the coroutine: one that is cancelled before it began never runs.
        self._task.add_done_callback(self._ended)
        self.told()

    def cancel(self, which: Which) -> bool:
        """Stop the export of a period; False when there is none."""
        if self._task is None or self._which != which:
            return False
        self._task.cancel()
        return True

    async def stop(self) -> None:
        """Stop what is being exported, and wait until nothing is left of it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _export(self, subject: Subject, wanted: Wanted, path: Path) -> None:
        from kelmu_tui.services.list_export import export

        face, desk = self._face, self.desk

        def hear(done: int, total: int) -> None:
            self._progress = Progress(done, total)
            self.told()

        try:
            reading = await subject.open()
            done = await export(
                desk.run, desk.lists, desk.session, reading, wanted, path, face.t, now=face.now(), hear=hear
            )
        except NotSaved as failure:
            face.say(not_saved(failure, path.parent, face.t), role="alarm")
        except (NotHere, NotAllowed) as problem:
            self._lost = subject.which
            gone = isinstance(problem, NotHere)
            face.say(face.t("lists.export_gone" if gone else "lists.export_not_any_more"), role="warn")
        else:
            left_out = done.left_out and face.t("lists.export_left_out_rows", count=done.left_out)
            told = face.t("lists.export_done", count=done.rows, path=str(path))
            face.say(f"{told} {left_out}" if left_out else told, role="warn" if left_out else "good")

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = self._which = None
        if task.cancelled():
            self._face.say(self._face.t("lists.export_stopped"))
        self.told()


def not_saved(failure: NotSaved, folder: Path, t: Translator) -> str:
    """Return why a file of rows was not written, and what to do."""
    if failure.reason == "ending":
        return t("lists.export_ending")
    return t.choice("saving.problem", failure.reason, folder=str(folder))


def _nobody() -> None:
    """Hear it where no screen shows it."""
