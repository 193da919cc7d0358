"""What the light commands must not load: each runs in a process of its own and tells its modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import ForwardRef

import pytest

from kelmu_tui.platform.paths import HOME_VARIABLE
from tests.cli.conftest import Kelmu, demo, demo_home  # noqa: F401 - fixtures of the demo backend

FACE = ("textual", "rich")
NETWORK = ("httpx", "httpcore", "anyio", "asyncio", "pydantic", "pydantic_core", "ssl")
HEAVY = ("fastapi", "sqlalchemy", "keyring", "cryptography", "argon2", "holidays", "segno", "kelmu_backend")
MAKERS = {"dataclasses", "inspect"}
"""What the shortest command does without: the modules that make data classes cost it a tenth of its time."""

PROBE = """
import json, sys
from kelmu_tui.cli import main
code = main(sys.argv[1:])
sys.stdout.flush()
print("\\n@@" + json.dumps([code, sorted(sys.modules)]))
"""
UNMEANT = {"kelmu_tui.domain.lists", "kelmu_tui.domain.documents"}
"""What it does without because it means neither lists nor documents."""
NAMES_NO_SERVICE = "kelmu_tui.services.context"
"""What may postpone its annotations: they name services that a start does not load."""


def loaded(home: Path, *argv: str) -> tuple[int, set[str]]:
    """Return the exit code and the modules of a run."""
    environment = {**os.environ, HOME_VARIABLE: str(home)}
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, *argv], env=environment, capture_output=True, text=True, timeout=120
    )
    code, modules = json.loads(ran.stdout.rsplit("@@", 1)[1])
    return code, set(modules)


def postponed(modules: set[str]) -> set[str]:
    """Return which modules of ours make named tuples of postponed annotations: each is compiled at every start."""
    return {
        name
        for name in modules
        if name.split(".")[0] == "kelmu_tui"
        for made in vars(import_module(name)).values()
        if isinstance(made, type) and issubclass(made, tuple) and made.__module__ == name
        if any(isinstance(one, ForwardRef) for one in made.__annotations__.values())
    }


@pytest.mark.parametrize(
    "argv",
    [["--help"], ["--version"], ["inbox", "--help"], ["config", "path"], ["config", "show"], ["completion", "bash"]],
)
def test_light_commands_load_neither_face_nor_network_nor_store(tmp_path: Path, argv: list[str]) -> None:
    code, modules = loaded(tmp_path, *argv)
    assert code == 0
    assert not modules & {*FACE, *NETWORK, *HEAVY, "sqlcipher3"}


@pytest.mark.xdist_group("demo-backend")
@pytest.mark.parametrize(
    "argv",
    [["inbox", "list", "--json"], ["inbox", "list"], ["status"], ["status", "--json"], ["outbox", "list"]],
    ids=" ".join,
)
def test_reading_loads_neither_face_nor_network(demo: Kelmu, demo_home: Path, argv: list[str]) -> None:  # noqa: F811
    assert demo("sign-in", "--persona", "persona-county-worker").code == 0
    assert demo("sync").code == 0
    code, modules = loaded(demo_home, "--profile", "demo", *argv)
    assert code == 0
    # Deadlines in a table are counted in working days, so the calendar of holidays is allowed there.
    allowed = {"holidays"} if argv == ["inbox", "list"] else set()
    assert not modules & ({*FACE, *NETWORK, *HEAVY} - allowed)
    if argv == ["inbox", "list", "--json"]:
        assert not modules & (MAKERS | UNMEANT)
        assert postponed(modules) <= {NAMES_NO_SERVICE}


@pytest.mark.xdist_group("demo-backend")
@pytest.mark.parametrize("argv", [["sync"], ["doctor"], ["demo", "--personas"], ["outbox", "retry"]], ids=" ".join)
def test_no_command_but_the_app_loads_the_face(demo: Kelmu, demo_home: Path, argv: list[str]) -> None:  # noqa: F811
    assert demo("sign-in", "--persona", "persona-county-worker").code == 0
    code, modules = loaded(demo_home, "--profile", "demo", *argv)
    assert code == 0
    # httpx looks for rich for a command of its own; Textual is what costs.
    assert not modules & {"textual", "kelmu_backend"}
