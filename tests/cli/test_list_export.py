"""`kelmu lists export` and `kelmu invoices export` against a demo: files, what is said, and what is refused."""

from __future__ import annotations

import os
import signal
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.cli.exits import Exit
from kelmu_tui.services.list_files import Writing
from tests.cli.conftest import Kelmu
from tests.services.exporting import document, sheets, table

pytestmark = pytest.mark.xdist_group("demo-backend")

LIST = "list_lms_300_days"
PURPOSE = ("--purpose", "Planering")


@pytest.fixture
def worker(demo: Kelmu) -> Kelmu:
    """A worker of a county who has the newest list here."""
    assert demo("sign-in", "--persona", "persona-county-receiver").code == Exit.OK
    assert demo("lists", "fetch", LIST).code == Exit.OK
    return demo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "vienti"
    made.mkdir(mode=0o700)
    return made


def test_every_form_has_the_rows_that_are_shown(worker: Kelmu, folder: Path) -> None:
    shown = worker("lists", "show", LIST, "--json", "--limit", "1000").data
    for ending in ("csv", "xlsx", "json", "ndjson"):
        path = folder / f"a.{ending}"
        ran = worker("lists", "export", LIST, "--output", str(path), *PURPOSE, "--json", "--lang", "sv")
        assert ran.code == Exit.OK, ran.err
        assert ran.document["kind"] == "lists.export"
        assert ran.data == {
            "list": LIST,
            "period": shown["period"],
            "version": shown["version"],
            "file": str(path),
            "format": ending,
            "rows": shown["found"],
            "left_out": 0,
        }
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert document(folder / "a.json")[1] == document(folder / "a.ndjson")[1]
    assert document(folder / "a.json")[1] == shown["shown"]
    names = [row["name"] for row in shown["shown"]]
    assert [row[0] for row in table(folder / "a.csv")[2]] == names
    assert [row[0] for row in sheets(folder / "a.xlsx")[2]] == names
    assert document(folder / "a.json")[0]["user"] == "persona-county-receiver"


def test_filter_order_columns_and_codes_are_those_of_the_line(worker: Kelmu, folder: Path) -> None:
    line = ("--sort", "days_accumulated:desc", "--column", "days_accumulated", "--column", "identity_code", "--full")
    word = worker("lists", "show", LIST, "--json", "--limit", "1").data["shown"][0]["name"].split()[0]
    path = folder / "taulu"
    ran = worker(
        "lists",
        "export",
        LIST,
        "--output",
        str(path),
        *PURPOSE,
        "--format",
        "csv",
        "--filter",
        word,
        *line,
        "--lang",
        "en",
    )
    assert ran.code == Exit.OK, ran.err
    found = worker("lists", "show", LIST, "--filter", word, *line, "--json", "--limit", "1000").data
    head, headings, rows = table(path, ",")
    assert headings == ["Days accumulated", "Personal identity code", "Non-disclosure"]
    assert [row[:2] for row in rows] == [[str(one["days_accumulated"]), one["identity_code"]] for one in found["shown"]]
    assert (head["Purpose"], head["Selection"]) == ("Planering", word)
    assert f"{found['found']} row" in ran.out
    assert str(path) in ran.out


@pytest.mark.parametrize(
    ("line", "code", "exit_"),
    [
        (("nothing", "--output", "{}/a.csv", *PURPOSE), "list_unknown", Exit.USAGE),
        ((LIST, "2020-01", "--output", "{}/a.csv", *PURPOSE), "list_not_here", Exit.NOT_FOUND),
        ((LIST, "--output", "{}/a.pdf", *PURPOSE), "not_saved_ending", Exit.USAGE),
        ((LIST, "--output", "{}/none/a.csv", *PURPOSE), "not_saved_no_folder", Exit.FAILED),
        ((LIST, "--output", "{}/there.csv", *PURPOSE), "not_saved_exists", Exit.FAILED),
        ((LIST, "--output", "{}/a.csv", "--purpose", " "), "purpose_invalid", Exit.USAGE),
        ((LIST, "--output", "{}/a.csv", "--purpose", "x" * 201), "purpose_invalid", Exit.USAGE),
        ((LIST, "--output", "{}/a.csv"), "usage", Exit.USAGE),
        ((LIST, "--output", "{}/a.csv", *PURPOSE, "--column", "salary"), "column_unknown", Exit.USAGE),
        ((LIST, "--output", "{}/a.csv", "--purpose", "131052-308T"), "identity_code", Exit.USAGE),
        (("list_lms_invoice_persons", "--output", "{}/a.csv", *PURPOSE), "organisation_type", Exit.NOT_ALLOWED),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing(
    worker: Kelmu, folder: Path, line: tuple[str, ...], code: str, exit_: Exit
) -> None:
    (folder / "there.csv").write_text("vanha")
    ran = worker("lists", "export", *(word.format(folder) for word in line), "--json")
    assert (ran.document["error"]["code"], ran.code) == (code, exit_)
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("there.csv", "vanha")]


def test_a_shared_folder_has_to_be_meant(worker: Kelmu, folder: Path) -> None:
    folder.chmod(0o1777)
    line = ("lists", "export", LIST, "--output", str(folder / "a.csv"), *PURPOSE, "--json")
    ran = worker(*line)
    assert (ran.document["error"]["code"], ran.code) == ("shared_folder", Exit.REFUSED)
    assert "--shared-folder" in ran.document["error"]["message"]
    assert list(folder.iterdir()) == []
    assert worker(*line, "--shared-folder").code == Exit.OK
    assert [path.name for path in folder.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_signal_in_the_middle_leaves_nothing(
    worker: Kelmu, folder: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, ending: str
) -> None:
    stopped, put, stop = threading.Event(), Writing.put, Writing.stop

    def signalled(self: Writing, rows: Any) -> None:
        put(self, rows)
        assert any(folder.iterdir())
        os.kill(os.getpid(), number)
        assert stopped.wait(60)

    def stops(self: Writing) -> None:
        stop(self)
        stopped.set()

    monkeypatch.setattr(Writing, "put", signalled)
    monkeypatch.setattr(Writing, "stop", stops)
    line = ("lists", "export", LIST, "--output", str(folder / f"a.{ending}"), *PURPOSE)
    if number == signal.SIGINT:
        assert worker(*line).code == Exit.INTERRUPTED
    else:
        with pytest.raises(SystemExit) as ended:
            worker(*line)
        assert ended.value.code == 128 + number
    assert list(folder.iterdir()) == []


def test_the_rows_of_an_invoice_are_exported(demo: Kelmu, folder: Path) -> None:
    assert demo("sign-in", "--persona", "persona-invoice-checker").code == Exit.OK
    behind = "list_lms_invoice_persons_2025"
    assert demo("lists", "fetch", behind).code == Exit.OK
    path = folder / "lasku.csv"
    ran = demo("invoices", "export", "lms_2025", "--output", str(path), *PURPOSE, "--json", "--lang", "fi")
    assert ran.code == Exit.OK, ran.err
    assert (ran.document["kind"], ran.data["list"]) == ("invoices.export", behind)
    shown = demo("lists", "show", behind, "--json", "--limit", "100000").data
    _, headings, rows = table(path)
    shares = [row[headings.index("Kunnan osuus")] for row in rows]
    assert [share.replace(",", ".") for share in shares] == [one["municipal_share_eur"] for one in shown["shown"]]
    unknown = demo("invoices", "export", "nothing", "--output", str(folder / "b.csv"), *PURPOSE, "--json")
    assert (unknown.document["error"]["code"], unknown.code) == ("invoice_unknown", Exit.USAGE)
    assert "lms_2025" in unknown.document["error"]["message"]


def test_help_is_there_in_three_languages(kelmu: Kelmu) -> None:
    for language, word in (("fi", "tarkoitukseen"), ("sv", "ändamål"), ("en", "exported for")):
        assert word in " ".join(kelmu("lists", "export", "--help", "--lang", language).out.split())
