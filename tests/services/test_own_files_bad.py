"""Files of the organisation's own that are none, or broken, or hostile: each is told by its code and its place."""

from __future__ import annotations

import io
import os
import signal
import socket
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kelmu_tui.domain.own_files import Wanted, limits
from kelmu_tui.services import own_values, own_xlsx
from kelmu_tui.services.own_files import guess, read_table
from kelmu_tui.services.own_table import FILE_CODES, OwnFileProblem, Watch
from tests.services.own_tables import (
    GOOD,
    HEADINGS,
    ROWS,
    TABLE,
    answers_of,
    cells_of,
    csv_bytes,
    refused,
    small,
    table_of,
    xlsx_bytes,
)

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


# --- what is no table -----------------------------------------------------------------------------------------------


def rezipped(data: bytes, drop: str = "", **changed: bytes) -> bytes:
    """Return a workbook with other members; names are given with `_` for `/`, without their endings."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            if one.filename != drop:
                short = one.filename.removesuffix(".xml").replace("/", "_")
                new.writestr(one.filename, changed.get(short, old.read(one.filename)))
    return out.getvalue()


def bomb() -> bytes:
    """Return a small workbook that says it unfolds into more than is read."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx_bytes(TABLE))) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            new.writestr(one.filename, old.read(one.filename))
        with new.open("xl/media/image1.bin", "w", force_zip64=True) as member:
            for _ in range(limits().unpacked // (1 << 20) + 1):
                member.write(bytes(1 << 20))
    assert len(out.getvalue()) < 1 << 20
    return out.getvalue()


def lying_bomb() -> bytes:
    """Return a workbook whose sheet unfolds into far more than its directory says."""
    with zipfile.ZipFile(io.BytesIO(xlsx_bytes([("here",)]))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    cell = b'<row r="2"><c r="A2" t="str"><v>' + b"x" * (64 << 20) + b"</v></c></row></sheetData>"
    sheet = sheet.replace(b"</sheetData>", cell)
    data = bytearray(rezipped(xlsx_bytes(TABLE), xl_worksheets_sheet1=sheet))
    real = struct.pack("<I", len(sheet))
    while (at := data.find(real)) >= 0:
        data[at : at + 4] = struct.pack("<I", 1000)
    return bytes(data)


def far_away() -> bytes:
    """Return an ordinary workbook with a cell in its first and one in its very last place."""
    rows: list[tuple[str, ...]] = [("a",)]
    first = xlsx_bytes(rows)
    last = b'<row r="1048576"><c r="XFD1048576" t="str"><v>z</v></c></row></sheetData>'
    with zipfile.ZipFile(io.BytesIO(first)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").replace(b"</sheetData>", last)
    return rezipped(first, xl_worksheets_sheet1=sheet)


def encrypted_zip() -> bytes:
    """Return a workbook whose members say that they are encrypted."""
    data = bytearray(xlsx_bytes(TABLE))
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 8] |= 1
    return bytes(data)


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        new.writestr("answers.csv", csv_bytes(TABLE))
    return out.getvalue()


def open_document() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        new.writestr("content.xml", "<x/>")
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty"),
    "spaces": (lambda: b" \r\n\r\n", "empty"),
    "a mark alone": (lambda: b"\xef\xbb\xbf", "empty"),
    "a zero": (lambda: b"\x00", "empty"),
    "pdf": (lambda: b"%PDF-1.7\n1 0 obj\n", "pdf"),
    "executable": (lambda: b"\x7fELF\x02\x01\x01" + bytes(60), "binary"),
    "windows executable": (lambda: b"MZ\x90\x00" + bytes(60), "binary"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(20), "binary"),
    "zeros between": (lambda: b"ref;cost\x00;fee\n", "binary"),
    "utf-16 without a mark": (lambda: csv_bytes(TABLE, encoding="utf-16-le"), "binary"),
    "gzip": (lambda: b"\x1f\x8b\x08" + bytes(20), "archive"),
    "half a letter behind a mark": (lambda: b"\xef\xbb\xbfref;cost;fee\nTP\xc3", "encoding"),
    "half a unit of utf-16": (lambda: b"\xff\xfe" + "ref;cost".encode("utf-16-le")[:-1], "encoding"),
    "old or encrypted": (lambda: OLE, "old_workbook"),
    "encrypted": (lambda: OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    "encrypted members": (encrypted_zip, "encrypted"),
    "zip": (archive, "archive"),
    "open document": (open_document, "other_workbook"),
    "broken zip": (lambda: b"PK\x03\x04" + b"x" * 200, "broken"),
    "half a workbook": (lambda: xlsx_bytes(TABLE)[:2000], "broken"),
    "no sheet in it": (lambda: rezipped(xlsx_bytes(TABLE), "xl/worksheets/sheet1.xml"), "broken"),
    "bomb": (bomb, "unpacked"),
    "far away": (far_away, "unpacked"),
    "open quotes": (lambda: b'ref;cost;fee\n"TP-1;5;1\nTP-2;5;1\n', "quotes"),
    "no headings": (lambda: csv_bytes(ROWS), "no_columns"),
    "no rows": (lambda: csv_bytes([HEADINGS]), "no_rows"),
    "empty rows": (lambda: csv_bytes([HEADINGS, ("", " ", "")]), "no_rows"),
    "doubled headings": (lambda: csv_bytes([(*HEADINGS, "Asiakasmaksu"), (*ROWS[0], "1")]), "doubled_heading"),
    "empty workbook": (lambda: xlsx_bytes([]), "no_columns"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_table_is_told_by_its_code(tmp_path: Path, bad: str) -> None:
    make, code = BAD[bad]
    assert refused(tmp_path, make()).code == code
    assert code in FILE_CODES


def test_a_bomb_that_lies_about_its_size_ends_in_its_own_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, memory=200 << 20)
    assert refused(tmp_path, lying_bomb()).code in ("unpacked", "broken")


def test_a_workbook_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, seconds=0)
    assert refused(tmp_path, xlsx_bytes(TABLE)).code == "unpacked"


@pytest.mark.parametrize(
    ("does", "code"),
    [
        ("import os; os.kill(os.getpid(), 9)", "unpacked"),
        ("import os; os.abort()", "unpacked"),
        ("print('{\"number\": 0, \"na', end='', flush=True); import os; os.abort()", "unpacked"),
        ("import os; os.kill(os.getpid(), 11)", "broken"),
        ("raise SystemExit(3)", "no_reader"),
        ("import nothing_of_that_name", "no_reader"),
        ("", "no_reader"),
    ],
)
def test_the_end_of_the_reader_is_the_end_of_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, code: str
) -> None:
    child = tmp_path / "child.py"
    child.write_text(does)
    monkeypatch.setattr(own_xlsx, "_CHILD", child)
    assert refused(tmp_path, xlsx_bytes(TABLE)).code == code


def test_a_reader_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    assert refused(tmp_path, xlsx_bytes(TABLE)).code == "no_reader"


def test_a_reading_that_is_given_up_ends_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(tmp_path, xlsx_bytes([HEADINGS, *((f"TP-{n}", "x" * 100, "1") for n in range(5000))]))
    begun, real = list[subprocess.Popen[bytes]](), subprocess.Popen

    def remembered(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        begun.append(real(*arguments, **options))
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", remembered)
    rows = table.sheets[0].rows()
    assert next(rows)[0] == 1
    assert [one.poll() for one in begun] == [None]
    del rows
    assert [one.returncode for one in begun] == [-signal.SIGKILL]


def test_a_reading_that_is_ended_from_elsewhere(tmp_path: Path) -> None:
    path, watch = tmp_path / "own", Watch()
    path.write_bytes(xlsx_bytes([HEADINGS, *((f"TP-{n}", "x" * 100, "1") for n in range(5000))]))
    table = read_table(path, watch)
    rows = table.sheets[0].rows()
    assert next(rows)[0] == 1
    watch.end()
    with pytest.raises(OwnFileProblem):
        list(rows)
    with pytest.raises(OwnFileProblem):
        read_table(path, watch)


def test_places_are_told(tmp_path: Path) -> None:
    problem = refused(tmp_path, b'ref;cost;fee\nTP-1;5;1\n"TP-2"x;5;1\n')
    assert (problem.code, problem.row) == ("quotes", 3)
    problem = refused(tmp_path, csv_bytes([("x",), (*HEADINGS, "Asiakasmaksu"), (*ROWS[0], "1")]))
    assert (problem.code, problem.row, problem.column) == ("doubled_heading", 2, 4)


@pytest.mark.parametrize("write", [csv_bytes, xlsx_bytes])
def test_limits_are_told_with_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[..., bytes]
) -> None:
    small(monkeypatch, rows=4, columns=4, letters=30)
    assert answers_of(table_of(tmp_path, write([*TABLE, (), ()]))).good == GOOD
    problem = refused(tmp_path, write([*TABLE, ROWS[0]]))
    assert (problem.code, problem.row) == ("rows", 5)
    problem = refused(tmp_path, write([HEADINGS, (*ROWS[0], "4", "5")]))
    assert (problem.code, problem.row, problem.column) == ("columns", 2, 5)
    problem = refused(tmp_path, write([HEADINGS, ("TP-1", "x" * 31, "1")]))
    assert (problem.code, problem.row, problem.column) == ("cell", 2, 2)


def test_no_more_answers_are_read_than_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, answers=2)
    problem = refused(tmp_path, csv_bytes([HEADINGS, ROWS[0], ROWS[0], *ROWS[1:]]))
    assert (problem.code, problem.row) == ("too_many", 5)


def test_a_line_without_an_end_is_not_cut_into_cells(tmp_path: Path) -> None:
    most = limits()
    problem = refused(tmp_path, b"a;" * (most.columns * most.letters // 2 + 1))
    assert problem.code == "cell"
    assert refused(tmp_path, b'ref;cost;fee\n"' + b"x" * 200_000).code == "cell"


# --- what is no file ------------------------------------------------------------------------------------------------


def problem_of(path: Path) -> str:
    with pytest.raises(OwnFileProblem) as caught:
        read_table(path)
    return caught.value.code


def test_only_files_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert problem_of(tmp_path / "pipe") == "not_a_file"
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)  # the name of a socket has to be short
        listener.bind("socket")
        assert problem_of(tmp_path / "socket") == "not_a_file"
    assert problem_of(Path("/dev/zero")) == "not_a_file"
    assert problem_of(tmp_path) == "folder"
    assert problem_of(tmp_path / "none.csv") == "missing"
    (tmp_path / "file").write_bytes(b"x")
    assert problem_of(tmp_path / "file" / "in.csv") == "missing"
    assert problem_of(tmp_path / ("x" * 300)) == "name"
    assert problem_of(tmp_path / "a\0b") == "name"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert problem_of(tmp_path / "loop") == "name"


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(csv_bytes(TABLE))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert answers_of(read_table(tmp_path / "link")).good == GOOD


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(limits().size + 1)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    assert problem_of(path) == "too_large"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to the superuser")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "shut").write_bytes(b"x")
    (tmp_path / "shut").chmod(0)
    assert problem_of(tmp_path / "shut") == "denied"


def test_the_system_says_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shut").write_bytes(b"x")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "open", refuse)
    assert problem_of(tmp_path / "shut") == "denied"


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing"
    path.write_bytes(csv_bytes(TABLE))
    real, seen = os.fstat, list[int]()

    def grow(handle: int) -> os.stat_result:
        seen.append(handle)
        if seen.count(handle) == 2:
            with path.open("ab") as file:
                file.write(b"TP-9;1;1\n")
        return real(handle)

    monkeypatch.setattr(os, "fstat", grow)
    assert problem_of(path) == "changed"


def test_what_was_read_stays_the_same_when_the_file_goes(tmp_path: Path) -> None:
    path = tmp_path / "goes"
    for data in (csv_bytes(TABLE), xlsx_bytes(TABLE)):
        path.write_bytes(data)
        table = read_table(path)
        path.unlink()
        assert answers_of(table).good == GOOD


# --- anything at all ------------------------------------------------------------------------------------------------


def tried(folder: Path, data: bytes) -> str:
    """Return the code of the problem, empty when it is read; anything else is raised."""
    code = ""
    try:
        table = table_of(folder, data)
        for number in range(len(table.sheets)):
            cells_of(table, number)
        found = guess(table, Wanted.ANSWERS)
        if found is not None:
            own_values.read_answers(table, found)
    except OwnFileProblem as problem:
        code = problem.code
    assert code in ("", *FILE_CODES)
    return code


@settings(parent=SHARED, max_examples=300)
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_table_or_a_typed_problem(tmp_path: Path, data: bytes) -> None:
    tried(tmp_path, data)


BOOK = xlsx_bytes(TABLE)


@settings(parent=SHARED, max_examples=40)
@given(st.integers(4, len(BOOK) - 1))
def test_a_workbook_that_was_cut_off(tmp_path: Path, length: int) -> None:
    assert tried(tmp_path, BOOK[:length]) in ("broken", "archive")


@settings(parent=SHARED, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, len(BOOK) - 1), st.integers(0, 7)), min_size=1, max_size=6))
def test_a_workbook_with_bits_turned_around(tmp_path: Path, bits: list[tuple[int, int]]) -> None:
    data = bytearray(BOOK)
    for at, bit in bits:
        data[at] ^= 1 << bit
    tried(tmp_path, bytes(data))


SHEET = zipfile.ZipFile(io.BytesIO(BOOK)).read("xl/worksheets/sheet1.xml")


@settings(parent=SHARED, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, len(SHEET) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_sheet_that_is_no_sheet_any_more(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    sheet = bytearray(SHEET)
    for at, byte in changes:
        sheet[at] = byte
    tried(tmp_path, rezipped(BOOK, xl_worksheets_sheet1=bytes(sheet)))
