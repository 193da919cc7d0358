"""Exports on a disk that does not take them, and where the rows of a workbook wait."""

from __future__ import annotations

import errno
import os
import resource
import stat
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.platform.paths import Profile
from kelmu_tui.platform.saving import NotSaved
from kelmu_tui.services.context import Context
from kelmu_tui.services.list_files import Form, Writing
from kelmu_tui.store.database import Store
from tests.services.customers import at_work
from tests.services.exporting import exported, hold
from tests.store.list_rows import row

ENDINGS = tuple(form.value for form in Form)
MANY = 1203
"""More than two pages."""


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    return at_work(profile, store)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "vienti"
    made.mkdir(mode=0o700)
    return made


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("after", [0, 1, 20_000])
async def test_of_a_full_disk_nothing_is_left(
    context: Context, folder: Path, monkeypatch: pytest.MonkeyPatch, ending: str, after: int
) -> None:
    hold(context, [row(number) for number in range(MANY)])
    fdopen = os.fdopen

    class Full:
        """A file on a disk that has room for some bytes more."""

        def __init__(self, file: Any) -> None:
            self._file = file
            self._room = after

        def write(self, data: bytes) -> int:
            self._room -= len(data)
            if self._room < 0:
                raise OSError(errno.ENOSPC, "")
            return int(self._file.write(data))

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

    monkeypatch.setattr("os.fdopen", lambda *args: Full(fdopen(*args)))
    with pytest.raises(NotSaved, match="full"):
        await exported(context, folder / f"a.{ending}")
    assert left(folder) == []


@pytest.mark.parametrize("ending", ENDINGS)
async def test_of_a_real_file_that_may_not_grow_nothing_is_left(
    context: Context, folder: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """The kernel refuses in the middle, also of the rows of a workbook that wait in files of their own."""
    hold(context, [row(number) for number in range(MANY)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    begin = Writing.begin

    def begun(self: Writing) -> None:
        begin(self)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))

    monkeypatch.setattr(Writing, "begin", begun)
    try:
        with pytest.raises(NotSaved, match="full"):
            await exported(context, folder / f"a.{ending}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left(folder) == []


async def test_the_rows_of_a_workbook_wait_where_nobody_else_can_look(
    context: Context, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(context, [row(number) for number in range(MANY)])
    elsewhere = tmp_path / "tmp"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    seen: list[tuple[bool, int]] = []

    def look(*_: int) -> None:
        seen.extend((path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*"))

    await exported(context, folder / "a.xlsx", hear=look)
    assert set(seen) == {(True, 0o700), (False, 0o600)}
    assert left(folder) == ["a.xlsx"]
    assert left(elsewhere) == []
