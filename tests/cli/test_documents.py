"""`kelmu documents`: the demo's backend, files of every kind, a code that never stands on the line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.cli import document_upload
from kelmu_tui.cli.document_commands import ASKERS, WAYS
from kelmu_tui.cli.document_upload import Progress
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import Exit
from kelmu_tui.cli.output import Output
from kelmu_tui.domain.documents import askers, ways
from kelmu_tui.store.copies import Due
from kelmu_tui.store.sendings import DocumentLine
from kelmu_tui.sync.leader import LeaderLock
from tests.cli.conftest import Kelmu, Ran, opened
from tests.content import files
from tests.store.build import FixedClock
from tests.uploads.model import ARRIVED

pytestmark = pytest.mark.xdist_group("demo-backend")

USER = "persona-county-worker"
Send = Callable[..., Ran]


@pytest.fixture
def code(demo: Kelmu) -> str:
    """The identity code of somebody whose notice the worker has."""
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    assert demo("--user", USER, "sync").code == Exit.OK
    (first, *_) = demo("--user", USER, "inbox", "list", "--view", "all", "--json").data["notices"]
    told = demo("--user", USER, "inbox", "show", first["id"], "--full", "--json").data
    found: str = told.get("notice", told)["customer"]["identity_code"]
    return found


@pytest.fixture
def send(demo: Kelmu, code: str, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Runs `documents send` with the code on standard input."""

    def run(*argv: str, stdin: str | None = None) -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(code if stdin is None else stdin))
        return demo("--user", USER, "--lang", "en", "documents", "send", *argv)

    return run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return files.photo_at(tmp_path)


def test_the_line_knows_who_can_ask_and_how() -> None:
    assert tuple(askers()) == ASKERS
    assert tuple(ways()) == WAYS


def test_kinds_and_limits_are_listed(demo: Kelmu, code: str) -> None:
    told = demo("documents", "kinds", "--json").data
    assert {"id": "bill", "name": "Lasku"} in told["kind"]
    assert told["limits"]["files"] == 10
    assert "bank_statement" in demo("documents", "kinds").out


def test_files_are_checked_and_nothing_is_sent(demo: Kelmu, code: str, photo: Path, tmp_path: Path) -> None:
    bad = tmp_path / "ohjelma.pdf"
    bad.write_bytes(b"MZ" + bytes(90))
    ran = demo("--user", USER, "documents", "check", str(photo), str(bad), str(tmp_path / "none"), "--json")
    assert ran.code == Exit.REFUSED
    good, program, missing = ran.data["files"]
    assert (good["ok"], good["media_type"], "gps" in good["removed"]) == (True, "image/jpeg", True)
    assert (program["ok"], program["fault"], program["detail"]) == (False, "type", "program")
    assert (missing["ok"], missing["fault"]) == (False, "missing")
    told = demo("--user", USER, "--lang", "en", "documents", "check", str(photo), str(bad), "--preview")
    assert "taken out: location" in told.out
    assert "This is a program, not a document." in told.out


def test_documents_are_sent_and_have_a_receipt(send: Send, demo: Kelmu, photo: Path, code: str) -> None:
    ran = send(str(photo), str(photo), "--kind", "bill", "--kind", "rent", "--way", "telephone", "--json")
    assert ran.code == Exit.OK
    (sending,) = ran.data["sendings"]
    assert sending["receipt"]
    assert sending["state"] in ARRIVED
    assert [one["name"] for one in sending["documents"]] == ["Bill", "Rental agreement or rent"]
    assert "taken out" in ran.err
    assert code not in ran.out + ran.err
    listed = demo("--user", USER, "documents", "list", "--json").data["sendings"]
    assert sending["id"] in [one["id"] for one in listed]
    shown = demo("--user", USER, "--lang", "en", "documents", "show", sending["id"][:12])
    assert sending["receipt"] in shown.out
    assert "location" in shown.out
    again = demo("--user", USER, "documents", "cancel", sending["id"], "--json")
    assert again.code == Exit.REFUSED


@pytest.mark.parametrize(
    ("argv", "exit_code", "code_"),
    [
        (("--kind", "poem", "--way", "telephone"), Exit.USAGE, "kind"),
        (("--kind", "bill", "--kind", "rent", "--way", "telephone"), Exit.USAGE, "documents_each"),
        (("--kind", "bill", "--way", "telephone", "--asked-on", "1.1.2099"), Exit.USAGE, "sending_asked"),
        (("--kind", "bill", "--way", "telephone", "--asked-on", "yesterday"), Exit.USAGE, "asked_on_format"),
        (("--kind", "bill", "--way", "telephone", "--name", "x" * 121), Exit.USAGE, "name"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    send: Send, photo: Path, argv: tuple[str, ...], exit_code: Exit, code_: str
) -> None:
    ran = send(str(photo), *argv, "--json")
    assert ran.code == exit_code
    assert ran.document["error"]["code"] == code_
    assert ran.document["error"]["message"]


def test_a_wrong_code_and_a_broken_file_are_told(send: Send, photo: Path, tmp_path: Path) -> None:
    argv = ("--kind", "bill", "--way", "letter", "--json")
    assert send(str(photo), *argv, stdin="010190-000X").document["error"]["code"] == "customer_code_invalid"
    broken = tmp_path / "rikki.pdf"
    broken.write_bytes(files.plain_pdf()[:300])
    ran = send(str(broken), *argv)
    assert ran.code == Exit.REFUSED
    assert ran.document["error"]["code"] == "broken"
    assert "rikki.pdf" in ran.err


def test_left_for_later_it_can_be_taken_back_or_gone_on_with(send: Send, demo: Kelmu, photo: Path) -> None:
    argv = (str(photo), "--kind", "bill", "--way", "in_person", "--no-wait", "--json")
    first, second = (send(*argv).data["sendings"][0] for _ in range(2))
    assert (first["state"], first["receipt"]) == ("queued", None)
    assert demo("--user", USER, "documents", "cancel", first["id"]).code == Exit.OK
    ran = demo("--user", USER, "documents", "retry", "--json")
    assert ran.code == Exit.OK
    assert [(one["id"], one["state"] in ARRIVED) for one in ran.data["sendings"]] == [(second["id"], True)]
    assert demo("--user", USER, "documents", "show", first["id"]).code == Exit.NOT_FOUND


@pytest.mark.parametrize("command", [("sync",), ("outbox", "retry"), ("outbox", "retry", "{command}")])
def test_whatever_sends_what_waits_brings_up_documents(
    send: Send, demo: Kelmu, photo: Path, command: tuple[str, ...]
) -> None:
    queued = send(str(photo), "--kind", "bill", "--way", "letter", "--no-wait", "--json").data["sendings"][0]
    argv = [word.format(command=queued["command"]) for word in command]
    assert demo("--user", USER, *argv).code == Exit.OK
    found = demo("--user", USER, "documents", "show", queued["id"], "--json").data
    assert found["state"] in ARRIVED


def test_before_a_sign_out_documents_are_brought_up(send: Send, demo: Kelmu, photo: Path) -> None:
    queued = send(str(photo), "--kind", "bill", "--way", "letter", "--no-wait", "--json").data["sendings"][0]
    assert demo("--user", USER, "sign-out", "--json").document["error"]["code"] == "unsent"
    assert demo("--user", USER, "sign-out", "--send").code == Exit.OK
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    assert demo("--user", USER, "sync").code == Exit.OK
    found = demo("--user", USER, "documents", "show", queued["id"], "--json").data
    assert found["state"] in ARRIVED


def test_behind_another_terminal_it_waits_while_something_moves_and_then_leads(
    send: Send, demo: Kelmu, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_upload, "LOOKS", 1)
    monkeypatch.setattr(document_upload, "STILL_SECONDS", 0.0)
    with opened(USER) as context:
        folder = context.store.folder
    other = LeaderLock(folder)
    assert other.try_acquire()
    try:
        ran = send(str(photo), "--kind", "bill", "--way", "letter", "--json")
        assert ran.code == Exit.NOT_SENT, ran.err
        (sending,) = ran.data["sendings"]
        assert sending["state"] == "queued"
        monkeypatch.setattr(document_upload, "STILL_SECONDS", 60.0)
        looked = document_upload._watch

        async def ends(*arguments: Any) -> bool:
            """The other terminal is closed meanwhile."""
            found = await looked(*arguments)
            other.release()
            return found

        monkeypatch.setattr(document_upload, "_watch", ends)
        ran = demo("--user", USER, "documents", "retry", sending["id"], "--json")
        assert ran.code == Exit.OK, ran.err
        assert ran.data["sendings"][0]["state"] in ARRIVED
    finally:
        other.release()


# --- how far it is --------------------------------------------------------------------------------------------------


class Screen(io.StringIO):
    """A standard error that somebody watches."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def progress(err: io.StringIO, size: int = 1_000_000) -> tuple[Progress, FixedClock, Due]:
    clock = FixedClock()
    env = Env(Output(stdout=io.StringIO(), stderr=err), clock=clock)
    env.language = "en"
    document = DocumentLine("d1", "bill", "x", "image/png", size, 0, None, "queued", None, ())
    line: Any = type("Line", (), {"documents": (document,), "size": size})
    return Progress(env, [line]), clock, Due("d1", "s1", "o", size, b"", begun=False, anew=False, attempt=1)


def test_a_bar_with_speed_and_time_left(tmp_path: Path) -> None:
    screen = Screen()
    told, clock, one = progress(screen)
    for second in range(1, 5):
        clock.at = clock.at.replace(second=second)
        told.hear(one, second * 100_000)
    told.end()
    last = screen.getvalue().split("\r")[-3]
    assert last.startswith("[#########")
    assert "40%" in last
    assert "/s" in last
    assert "left" in last
    assert screen.getvalue().endswith("\r")


def test_where_nobody_watches_it_is_told_at_each_tenth() -> None:
    err = io.StringIO()
    told, _, one = progress(err)
    for sent in range(0, 1_000_001, 10_000):
        told.hear(one, sent)
    told.end()
    assert len(err.getvalue().splitlines()) == 10
    assert "\r" not in err.getvalue()
    assert json.dumps(err.getvalue()).isascii()
