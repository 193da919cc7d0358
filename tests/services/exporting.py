"""Exporting rows in tests: a list that is here, an export of it, and what stands in its file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kelmu_tui.i18n import Translator
from kelmu_tui.services.context import Context
from kelmu_tui.services.list_export import Exported, Hear, Wanted, export
from kelmu_tui.services.lists import Reading
from kelmu_tui.store.list_pages import ListQuery
from tests.services.signed_in import NOW
from tests.store.list_rows import LIST, PERIOD, published

R = TypeVar("R")
PURPOSE = "Työllistämisen seuranta"


async def run(function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Run a unit of work at once."""
    return function(*args, **kwargs)


def hold(context: Context, rows: list[dict[str, Any]], *, list_: str = LIST, version: int = 1) -> None:
    """Have a list here."""
    lists = context.lists
    lists.finish(lists.take(lists.begin(published(len(rows), list_=list_, version=version)), rows))


def opened(context: Context, query: ListQuery | None = None, *, list_: str = LIST) -> Reading:
    """Open a list that is here."""
    return context.lists.open(list_, PERIOD, query)


async def exported(
    context: Context,
    path: Path,
    reading: Reading | None = None,
    *,
    language: str = "fi",
    hear: Hear | None = None,
    using: Callable[..., Any] = run,
    **wanted: Any,
) -> Exported:
    """Export a reading, the whole list by default."""
    return await export(
        using,
        context.lists,
        context.active,
        reading or opened(context),
        Wanted(PURPOSE, **wanted),
        path,
        Translator(language),
        now=NOW,
        hear=hear,
    )


def table(path: Path, delimiter: str = ";") -> tuple[dict[str, str], list[str], list[list[str]]]:
    """Return the head, the headings and the rows of a CSV file."""
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))
    gap = lines.index([])
    assert all(len(line) == 2 for line in lines[:gap])
    headings, *rows = lines[gap + 1 :]
    assert all(len(row) == len(headings) for row in rows)
    return {line[0]: line[1] for line in lines[:gap]}, headings, rows


def sheets(path: Path) -> tuple[dict[str, str], list[Any], list[list[Any]]]:
    """Return the head, the headings and the rows of a workbook, as another library reads them."""
    from python_calamine import load_workbook

    with load_workbook(str(path)) as book:
        rows, told = (book.get_sheet_by_index(number).to_python() for number in range(2))
    return {str(label): str(text) for label, text in told}, rows[0], rows[1:]


def document(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the head and the rows of JSON or NDJSON."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ndjson":
        head, *rows = [json.loads(line) for line in text.splitlines()]
        assert (head["schema"], head["kind"]) == (1, "lists.export")
        return head["data"], rows
    found = json.loads(text)
    assert (found["schema"], found["kind"]) == (1, "lists.export")
    data: dict[str, Any] = found["data"]
    return data, data.pop("shown")
