"""Rows of a list into a file: logged before the first one leaves, some at a time, and whole or not at all.

Rows are read in units on the store's thread and written on another one, so that no key waits for either and memory
stays flat. Whatever ends an export early - the user, the disk, a list that goes - leaves nothing of the file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

from kelmu_tui.domain.lists import ColumnType, KelaList
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.domain.text import clean
from kelmu_tui.i18n import Translator
from kelmu_tui.platform.saving import NotSaved, check
from kelmu_tui.services.list_fields import WHERE, About
from kelmu_tui.services.list_files import Form, Writing
from kelmu_tui.services.lists import Lists, NotHere, Reading
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.store.rows import ActiveSession

P = ParamSpec("P")
R = TypeVar("R")
Run = Callable[..., Awaitable[Any]]
"""Runs a unit of work on the store's thread."""
Hear = Callable[[int, int], None]
"""Hears how many rows are written, of how many."""

PAGE: Final = 500
"""Rows that are read in one unit: a key that wants the store waits for one of them at the most."""
MAX_PURPOSE: Final = 200
"""Letters in a purpose at the most."""


class InvalidPurpose(ValueError):
    """A purpose is missing or too long; the text itself is not in the message."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be in the file.

    Attributes:
        purpose: of `clean_purpose`; it is logged, and stands in the file.
        columns: ids, None for all.
        full: identity codes are whole.
        ids: only these rows of the reading; None for all.
    """

    purpose: str
    columns: tuple[str, ...] | None = None
    full: bool = False
    ids: frozenset[str] | None = None


class Exported(NamedTuple):
    """What was written: the file, its rows, and how many were left out (`list_fields.About.left_out`)."""

    path: Path
    rows: int
    left_out: int


class _Plan(NamedTuple):
    """Which rows of a reading are written.

    Attributes:
        ids: of the rows in order where not all of the reading are wanted, a thousand at the most.
        rows: how many are written.
        left_out: how many undisclosed are not, since the chosen municipality would tell of them where they live.
        parts: which rows are written first and which after them, by whether they are undisclosed; None is all.
    """

    ids: tuple[str, ...] | None
    rows: int
    left_out: int
    parts: tuple[bool | None, ...]


def form_of(path: Path, given: str | None = None) -> Form:
    """Return the form that is named, or that the ending of a file name asks for.

    Raises:
        NotSaved: it asks for nothing that can be made (`ending`).
    """
    try:
        return Form(given or path.suffix.lower().removeprefix("."))
    except ValueError:
        raise NotSaved("ending") from None


def clean_purpose(text: str) -> str:
    """Return a purpose as it is logged: one line.

    Raises:
        InvalidPurpose: there is none, or too long a one.
    """
    found = " ".join(clean(text).split())
    if not 0 < len(found) <= MAX_PURPOSE:
        raise InvalidPurpose
    return found


async def export(
    run: Run,
    lists: Lists,
    session: ActiveSession,
    reading: Reading,
    wanted: Wanted,
    path: Path,
    t: Translator,
    *,
    now: datetime,
    form: Form | None = None,
    hear: Hear | None = None,
) -> Exported:
    """Write rows of a reading to a new file, and have it on the disk before returning.

    Args:
        form: of the ending when None.
        hear: is called on the caller's thread after some rows each.

    Raises:
        NotSaved: the file is there already, or the disk does not take it.
        NotAllowed, NotHere, NotShown: as `Lists.open`, also when that becomes so meanwhile.
        StoreError: the look cannot be logged.
    """
    form = form or form_of(path)
    await asyncio.to_thread(check, path)
    plan = await _plan(run, lists, reading, wanted)
    await run(lists.leaving, reading, "list_export", plan.rows, wanted.purpose)
    one = catalogue()[reading.copy.list]
    about = About(
        one,
        reading.copy,
        reading.query,
        session,
        wanted.purpose,
        wanted.columns or tuple(column.id for column in one.columns),
        wanted.full,
        wanted.ids is not None,
        plan.rows,
        plan.left_out,
        now,
    )
    writing = Writing(form, path, about, t)
    try:
        await _write(run, lists, reading, plan, writing, hear or _nobody)
    except BaseException as error:
        await _finished(_elsewhere(writing.undo, error))
        raise
    return Exported(path, plan.rows, plan.left_out)


async def _write(run: Run, lists: Lists, reading: Reading, plan: _Plan, writing: Writing, hear: Hear) -> None:
    done = 0
    await _step(writing, writing.begin)
    async for rows in _chosen(run, lists, reading, plan):
        await _step(writing, writing.put, rows)
        done += len(rows)
        hear(done, plan.rows)
    if done != plan.rows:
        raise NotHere  # a whole copy never changes: this is another one
    await _step(writing, writing.end)


async def _step(writing: Writing, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Do a part of the writing on another thread; who is cancelled waits until it has come to its end."""
    part = _elsewhere(function, *args, **kwargs)
    try:
        await asyncio.shield(part)
    except asyncio.CancelledError:
        writing.stop()
        await _finished(part)
        raise


def _elsewhere(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[object]:
    """Begin something on another thread; a future and no task: a loop that ends would cancel that one on its own."""
    return asyncio.get_running_loop().run_in_executor(None, lambda: function(*args, **kwargs))


async def _finished(part: asyncio.Future[object]) -> None:
    """Wait until a part is over, whatever comes of it, however often the waiting is cancelled."""
    cancelled = False
    while not part.done():
        try:
            await asyncio.wait([part])
        except asyncio.CancelledError:
            cancelled = True
    part.exception()
    if cancelled:
        raise asyncio.CancelledError


# --- which rows -----------------------------------------------------------------------------------------------------


async def _plan(run: Run, lists: Lists, reading: Reading, wanted: Wanted) -> _Plan:
    one = catalogue()[reading.copy.list]
    # Where a list has addresses, the municipality of the undisclosed is not there; else it may be shown, not told on.
    telling = not any(column.type is ColumnType.ADDRESS for column in one.columns)
    leaves_out = telling and reading.query.municipality is not None
    parts: tuple[bool | None, ...] = (None,)
    if leaves_out:
        parts = (False,)
    elif telling and any(_tells(one, key.column) for key in reading.query.sort):
        parts = (False, True)
    if wanted.ids is None:
        hidden = 0
        if leaves_out:
            async for rows in _pages(run, lists, reading):
                hidden += sum(row.non_disclosure for row in rows)
        return _Plan(None, reading.rows - hidden, hidden, parts)
    found = sorted([row async for rows in _found(run, lists, reading, wanted.ids) for row in rows], key=_place)
    hidden = sum(row.non_disclosure for row in found) if leaves_out else 0
    return _Plan(tuple(row.id for row in found), len(found) - hidden, hidden, parts)


def _place(row: ListRow) -> int:
    return row.place


def _tells(one: KelaList, id_: str) -> bool:
    column = one.column(id_)
    return column is not None and column.type in WHERE


async def _chosen(run: Run, lists: Lists, reading: Reading, plan: _Plan) -> AsyncIterator[Sequence[ListRow]]:
    """Yield the rows of a plan, some at a time."""
    for undisclosed in plan.parts:
        pages = _pages(run, lists, reading) if plan.ids is None else _found(run, lists, reading, plan.ids)
        async for rows in pages:
            yield rows if undisclosed is None else [row for row in rows if row.non_disclosure is undisclosed]


async def _pages(run: Run, lists: Lists, reading: Reading) -> AsyncIterator[Sequence[ListRow]]:
    rows = await run(lists.page, reading, limit=PAGE)
    while rows:
        yield rows
        rows = await run(lists.page, reading, after=rows[-1].place, limit=PAGE)


async def _found(
    run: Run, lists: Lists, reading: Reading, ids: frozenset[str] | tuple[str, ...]
) -> AsyncIterator[Sequence[ListRow]]:
    asked = tuple(ids)
    for start in range(0, len(asked), PAGE):
        yield await run(lists.find, reading, asked[start : start + PAGE])


def _nobody(done: int, total: int) -> None:
    """Hear it where nobody shows it."""
    del done, total
