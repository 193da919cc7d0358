"""The process that reads documents may die, hang or lie: what called it goes on and says what is so."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from kelmu_tui.content import checking, jpeg, png
from kelmu_tui.content.checking import NoReader, clean, inspect, preview
from kelmu_tui.content.found import Bounds, Refused, Trace
from kelmu_tui.domain.documents import Fault
from tests.content.files import SMALL, bomb_pdf, crowded_pdf, exif_of, jpeg_of, png_of, simple_pdf, told_pdf

BOUNDS = Bounds(SMALL.file_bytes, SMALL.pixels, SMALL.pages)


def child(monkeypatch: pytest.MonkeyPatch, folder: Path, does: str) -> None:
    """Let another program take the place of the process."""
    path = folder / "child.py"
    path.write_text(does)
    monkeypatch.setattr(checking, "_CHILD", path)


DEATHS = {
    "killed": ("import os; os.kill(os.getpid(), 9)", Fault.BOMB),
    "aborted": ("import os; os.abort()", Fault.BOMB),
    "out of processor time": ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", Fault.TIMEOUT),
    "crashed": ("import os; os.kill(os.getpid(), 11)", Fault.BROKEN),
    "no JSON": ("print('x')", Fault.BROKEN),
    "no object": ("print('[]')", Fault.BROKEN),
    "unknown fault": ('print(\'{"fault": "nothing"}\')', Fault.BROKEN),
    "a text for a detail": ('print(\'{"fault": "type", "detail": "<b>"}\')', Fault.TYPE),
    "crashed behind its words": ("print('{}', flush=True); import os; os.kill(os.getpid(), 11)", Fault.BROKEN),
    "more than was asked": ("import sys; sys.stdin.read(); print('{}'); print('x' * 5_000_000)", Fault.BOMB),
}


@pytest.mark.parametrize("name", DEATHS)
def test_the_end_of_the_process_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    does, fault = DEATHS[name]
    child(monkeypatch, tmp_path, does)
    data = simple_pdf()
    for found in (
        inspect(data, bounds=BOUNDS._replace(file_bytes=1 << 20)),
        clean(data, bounds=BOUNDS._replace(file_bytes=1 << 20)).inspection,
    ):
        assert (found.fault, found.detail) == (fault, "")
    assert preview(data, 40, bounds=BOUNDS._replace(file_bytes=1 << 20)) == ()


@pytest.mark.parametrize(
    "does",
    [
        "raise SystemExit(3)",
        "import nothing_of_that_name",
        "",
        *(f"import os; os.kill(os.getpid(), {number})" for number in (1, 2, 15)),  # somebody stops the program
    ],
)
def test_a_process_that_cannot_work_is_no_fault_of_the_document(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str
) -> None:
    child(monkeypatch, tmp_path, does)
    with pytest.raises(NoReader):
        inspect(simple_pdf())


def test_a_process_that_is_killed_once_is_begun_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The machine may have been short of memory for something else."""
    mark = tmp_path / "mark"
    does = f"import os, pathlib\nmark = pathlib.Path({str(mark)!r})\nif not mark.exists():\n mark.touch()\n"
    child(monkeypatch, tmp_path, does + ' os.kill(os.getpid(), 9)\nprint(\'{"fault": "encrypted"}\')')
    assert inspect(simple_pdf()).fault is Fault.ENCRYPTED


def test_a_process_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(NoReader):
        inspect(simple_pdf())


@pytest.mark.parametrize("does", ["while True: pass", "import sys, time; time.sleep(600)"])
def test_a_process_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str) -> None:
    child(monkeypatch, tmp_path, does)
    before = time.monotonic()
    assert inspect(simple_pdf(), bounds=BOUNDS._replace(seconds=1)).fault is Fault.TIMEOUT
    assert time.monotonic() - before < 30


def test_a_document_that_takes_too_much_processor_time_is_given_up() -> None:
    assert inspect(crowded_pdf(130_000), bounds=BOUNDS._replace(seconds=1)).fault is Fault.TIMEOUT


def test_a_document_that_takes_too_much_memory_is_given_up() -> None:
    rows = png_of(Image.new("RGBA", (6000, 6000)), compress_level=1)
    assert inspect(rows).fault is None
    assert inspect(rows, bounds=BOUNDS._replace(memory=120 << 20)).fault is Fault.BOMB


def test_a_bomb_ends_in_the_process_and_not_here() -> None:
    assert inspect(bomb_pdf(1 << 30)).fault is Fault.BOMB


def test_nothing_is_written_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The very process that reads may write no file at all.
    code = checking._CHILD.read_text().replace(
        "data = sys.stdin.buffer.read()\n        confine(bounds)\n",
        "data = sys.stdin.buffer.read()\n        confine(bounds)\n"
        f"        Path({str(tmp_path / 'left')!r}).write_bytes(data)\n",
    )
    assert "left" in code
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = checking._CHILD.parents[2]
    child(monkeypatch, tmp_path, code.replace("Path(__file__).parents[2]", repr(str(folder))))
    assert clean(jpeg_of(exif=exif_of())).inspection.fault is Fault.BROKEN
    assert (tmp_path / "left").stat().st_size == 0


def test_what_is_told_of_a_result_is_counted_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = {"metadata": ["gps", "<b>", 5], "pages": "many", "width": 3, "same": False}
    child(monkeypatch, tmp_path, f"import sys; sys.stdin.read(); print({json.dumps(json.dumps(told))}); print('abc')")
    result = clean(simple_pdf())
    assert result.data == b"abc\n"
    assert (result.inspection.size, result.inspection.pages, result.inspection.width) == (4, None, 3)
    assert result.removed == (Trace.GPS,)


# --- anything at all ------------------------------------------------------------------------------------------------

SEEDS = {
    "pdf": simple_pdf(),
    "pdf of two states": told_pdf(),
    "jpeg": jpeg_of(exif=exif_of(6), comment=b"x"),
    "png": png_of(exif=exif_of(6)),
}
TURNS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=8)


def turned(data: bytes, turns: list[tuple[float, int]]) -> bytes:
    out = bytearray(data)
    for where, by in turns:
        out[int(where * len(out))] ^= by
    return bytes(out)


def shuffled(data: bytes, start: float, end: float, to: float) -> bytes:
    """Return a file a part of which stands elsewhere."""
    first, last = sorted((int(start * len(data)), int(end * len(data))))
    rest = data[:first] + data[last:]
    at = int(to * len(rest))
    return rest[:at] + data[first:last] + rest[at:]


def judged(data: bytes) -> None:
    """Hold what holds of every file: it is judged, and if it is taken, what is left of it says nothing more."""
    result = clean(data, bounds=BOUNDS._replace(seconds=5))
    if result.inspection.fault is not None:
        assert (result.data, result.removed) == (b"", ())
        return
    assert result.data
    again = inspect(result.data, bounds=BOUNDS._replace(seconds=5))
    assert (again.fault, again.metadata) == (None, ())


@pytest.mark.parametrize("name", SEEDS)
def test_mutations_are_judged(name: str) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(TURNS)
    def judge(turns: list[tuple[float, int]]) -> None:
        judged(turned(SEEDS[name], turns))

    judge()


@pytest.mark.parametrize("name", SEEDS)
def test_shuffles_are_judged(name: str) -> None:
    share = st.floats(0, 1, exclude_max=True)

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(share, share, share)
    def judge(start: float, end: float, to: float) -> None:
        judged(shuffled(SEEDS[name], start, end, to))

    judge()


@settings(max_examples=400, deadline=None)
@given(TURNS, st.booleans())
@example([(0.0, 0)], True)
def test_pictures_are_walked_or_refused(turns: list[tuple[float, int]], of_light: bool) -> None:
    module, data = (jpeg, SEEDS["jpeg"]) if of_light else (png, SEEDS["png"])
    try:
        found = module.examine(turned(data, turns), 10_000)
    except Refused:
        return
    assert found.width
    assert found.height
    assert found.width * found.height <= 10_000


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b""]), st.binary(max_size=300))
def test_any_bytes_are_refused(start: bytes, data: bytes) -> None:
    assert inspect(start + data).fault is not None


def test_a_picture_of_the_largest_size_is_read_within_the_limits() -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((8000, 5000)).convert("RGB").save(out, "JPEG", progressive=True, quality=80)
    assert inspect(out.getvalue()).fault is None
    assert inspect(png_of(Image.new("RGBA", (8000, 5000)), compress_level=1)).fault is None
