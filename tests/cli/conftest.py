"""A demo backend as a real process, shared by the tests of this folder, and the command line in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.cli import main
from kelmu_tui.platform.paths import HOME_VARIABLE, profile
from kelmu_tui.services.context import Context, open_context
from kelmu_tui.services.demo import Demo, Shape
from kelmu_tui.services.known import OPENERS


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        assert found["schema"] == 1
        return found

    @property
    def data(self) -> Any:
        """The data of the document."""
        return self.document["data"]


Kelmu = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for settings and data; no locale of the machine's."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def kelmu(home: Path, capfd: pytest.CaptureFixture[str]) -> Kelmu:
    """Runs the command line in `home`."""
    assert home.exists()

    def run(*argv: str) -> Ran:
        capfd.readouterr()
        code = main(argv)
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a running demo backend and a small population."""
    home = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(home))
        handle = Demo(profile("demo")).open(Shape(seed=1, people=300, notices=500))
    with handle:
        yield home


@pytest.fixture
def demo(demo_home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Kelmu:
    """Runs the command line on the demo's profile."""
    monkeypatch.setenv(HOME_VARIABLE, str(demo_home))

    def run(*argv: str) -> Ran:
        capfd.readouterr()
        code = main(["--profile", "demo", *argv])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run


def opened(user: str) -> Context:
    """Open a user's store of the demo in this process."""
    return open_context(profile("demo"), user=user, ask=lambda _: "", needs=OPENERS)
