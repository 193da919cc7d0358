"""Where an operator names programs, and how much may come at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kelmu_backend import serve
from kelmu_backend.cli import main
from kelmu_backend.config import Config
from kelmu_backend.limits import RateClass
from tests.backend.conftest import refusal

from .support import Sender


def served_with(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> Config:
    """Return with which settings `serve` would serve."""
    found: list[Config] = []

    def run(config: Config, *_: Any) -> bool:
        found.append(config)
        return True

    monkeypatch.setattr(serve, "run", run)
    monkeypatch.setattr(serve, "prepare", lambda *_: None)
    monkeypatch.setattr(serve, "configure_logging", lambda: None)
    assert main(["serve", "--demo", "--port", "0", "--data", str(folder), *arguments]) == 0
    return found[0]


def test_programs_are_named_with_their_arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    arguments = ("--malware-scanner", "clamdscan --no-summary -", "--delivery", "/opt/'to kela' --fast")
    config = served_with(monkeypatch, tmp_path / "data", *arguments)
    assert config.scanner == ("clamdscan", "--no-summary", "-")
    assert config.delivery == ("/opt/to kela", "--fast")
    assert config.document_folder == tmp_path / "data" / "documents"


def test_without_any_there_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = served_with(monkeypatch, tmp_path / "data")
    assert (config.scanner, config.delivery) == ((), ())


async def test_a_program_that_runs_away_is_slowed_and_goes_on(sender: Sender) -> None:
    bucket = RateClass.UPLOAD.value
    assert bucket is not None
    document = sender.new()
    await sender.create(document, 1)
    for _ in range(bucket.burst - 1):
        assert await sender.offset(document) == 0
    answer = await sender.add(document, 0, b"x")
    assert refusal(answer) == (429, "too_many_requests", None)
    # Of its own class only: the inbox goes on meanwhile.
    assert (await sender.world.get("/v1/changes")).status_code == 200
    sender.world.clock.pass_by(seconds=int(answer.headers["Retry-After"]))
    assert (await sender.add(document, 0, b"x")).status_code == 204
