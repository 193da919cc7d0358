"""Crash reports tell what broke and where, and no value of anything."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kelmu_tui.i18n import Translator
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.terminal.crash import MAX_FRAMES, MAX_REPORTS, Reporter, describe, install, sentence
from tests.support.terminal import Terminal

NEEDLE = "010190-999Y Virtanen"


class _Error(Exception):
    def __init__(self, text: str, request_id: str) -> None:
        super().__init__(text)
        self.request_id = request_id
        self.customer = text


def _in_message(needle: str) -> None:
    raise ValueError(f"no such person {needle}")


def _in_locals(needle: str) -> None:
    customer = {"code": needle}
    raise KeyError(customer["code"])


def _in_cause(needle: str) -> None:
    try:
        _in_message(needle)
    except ValueError as error:
        raise RuntimeError(needle) from error


def _in_context(needle: str) -> None:
    try:
        _in_message(needle)
    except ValueError:
        _in_locals(needle)


def _in_group(needle: str) -> None:
    raise ExceptionGroup(needle, [ValueError(needle), ExceptionGroup(needle, [KeyError(needle)])])


def _in_attributes(needle: str) -> None:
    raise _Error(needle, needle)


def _in_type_name(needle: str) -> None:
    raise type(needle, (Exception,), {"__module__": needle})


def _in_notes(needle: str) -> None:
    error = ValueError()
    error.add_note(needle)
    raise error


def _in_compiled_code(needle: str) -> None:
    exec(compile("raise ValueError(needle)", needle, "exec"), {"needle": needle, "__name__": needle})


BREAKING: tuple[Callable[[str], None], ...] = (
    _in_message,
    _in_locals,
    _in_cause,
    _in_context,
    _in_group,
    _in_attributes,
    _in_type_name,
    _in_notes,
    _in_compiled_code,
)


def _caught(breaking: Callable[[], object]) -> BaseException:
    try:
        breaking()
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError("nothing was raised")


def _reporter(folder: Path) -> Reporter:
    return Reporter(folder / "reports", SystemClock(), SeededIds(1))


@pytest.mark.parametrize("breaking", BREAKING)
def test_no_value_is_in_the_file_its_name_or_the_sentence(breaking: Callable[[str], None], tmp_path: Path) -> None:
    error = _caught(lambda: breaking(NEEDLE))
    report = _reporter(tmp_path).report(error)
    assert report.path is not None
    text = report.path.read_text() + str(report) + sentence(report, Translator("fi"))
    for word in NEEDLE.split():
        assert word not in text
    assert json.loads(report.path.read_text())["errors"][0]["frames"]


def test_it_tells_where_and_why() -> None:
    first, second = describe(_caught(lambda: _in_cause(NEEDLE)))
    assert (first["relation"], first["type"]) == ("raised", "builtins.RuntimeError")
    assert (second["relation"], second["type"]) == ("cause", "builtins.ValueError")
    assert first["frames"][-1]["function"] == "_in_cause"
    assert first["frames"][-1]["module"] == __name__
    assert second["frames"][-1]["function"] == "_in_message"
    assert second["frames"][-1]["line"] == _in_message.__code__.co_firstlineno + 1
    types = [entry["type"] for entry in describe(_caught(lambda: _in_group(NEEDLE)))]
    assert types == ["builtins.ExceptionGroup", "builtins.ValueError", "builtins.ExceptionGroup", "builtins.KeyError"]


def test_a_request_id_of_ours_is_kept() -> None:
    wanted = "0123456789abcdef0123456789abcdef"
    assert describe(_Error("x", wanted))[0]["request_id"] == wanted


def test_endless_recursion_and_rings_of_causes_end() -> None:
    def again() -> None:
        again()

    entry = describe(_caught(again))[0]
    assert len(entry["frames"]) == MAX_FRAMES
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    assert len(describe(one)) == 2


def test_the_file_is_ours_alone_and_has_an_id_to_read_aloud(tmp_path: Path) -> None:
    report = _reporter(tmp_path).report(ValueError())
    assert report.path is not None
    assert stat.S_IMODE(report.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(report.path.parent.stat().st_mode) == 0o700
    assert len(report.id) == 4
    assert report.id.upper() == report.id
    assert int(report.id, 16) >= 0


def test_a_report_that_cannot_be_written_still_gives_a_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "reports"
    blocked.write_text("a file where the folder should be")
    report = _reporter(tmp_path).report(ValueError(NEEDLE))
    assert report.path is None
    assert sentence(report, Translator("sv")) == Translator("sv")("errors.crash_unsaved")


def test_only_so_many_reports_are_kept(tmp_path: Path) -> None:
    reporter = _reporter(tmp_path)
    last = [reporter.report(ValueError()) for _ in range(MAX_REPORTS + 3)][-1]
    kept = list((tmp_path / "reports").glob("*.json"))
    assert len(kept) == MAX_REPORTS
    assert last.path is not None


def test_uncaught_errors_go_to_the_report_and_not_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    reported: list[BaseException] = []
    before = sys.excepthook
    undo = install(reported.append)
    try:
        thread = threading.Thread(target=_in_message, args=(NEEDLE,))
        thread.start()
        thread.join()
        error = _caught(lambda: _in_locals(NEEDLE))
        sys.excepthook(type(error), error, error.__traceback__)
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    finally:
        undo()
    assert [type(error) for error in reported] == [ValueError, KeyError]
    assert capsys.readouterr() == ("", "")
    assert sys.excepthook is before


def _texts(folder: Path) -> Path:
    file = folder / "texts.json"
    file.write_text(json.dumps([NEEDLE]))
    return file


@pytest.mark.terminal
def test_a_crash_in_a_handler_leaves_one_sentence_and_a_report(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "tests.terminal.hostile_app", str(_texts(tmp_path)), str(tmp_path / "reports")]
    with Terminal(argv) as terminal:
        terminal.send("n")
        terminal.wait_for("shown 1")
        terminal.settle()
        shown = len(terminal.output)
        terminal.send("x")
        code = terminal.wait_exit()
        assert code == 70
        last = terminal.output[shown:].decode()
        kept = terminal.text
    (report,) = (tmp_path / "reports").glob("*.json")
    errors = json.loads(report.read_text())["errors"]
    assert [entry["type"] for entry in errors] == ["builtins.ValueError", "builtins.KeyError"]
    assert errors[0]["frames"][-1]["function"] == "HostileApp.action_fail"
    assert f"Report {report.stem} is saved" in " ".join(last.split())
    for word in NEEDLE.split():
        assert word not in report.read_text()
        assert word not in kept
        assert word not in last
    assert "Traceback" not in last


def test_the_report_has_the_time_of_the_clock(tmp_path: Path) -> None:
    class Clock:
        def now(self) -> datetime:
            return datetime(2026, 11, 22, 10, 4, tzinfo=UTC)

        def monotonic(self) -> float:
            return 0.0

    report = Reporter(tmp_path, Clock(), SeededIds(1)).report(asyncio.CancelledError())
    assert report.path is not None
    assert json.loads(report.path.read_text())["at"] == "2026-11-22T10:04:00+00:00"
