"""`kelmu-backend audit`: an administrator sees which logs are whole and what was found wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from kelmu_backend.cli import DATABASE_VARIABLE, Exit, main
from kelmu_backend.database import tables

from .chains import Log
from .conftest import World


@pytest.fixture
def audit(world: World, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command on the record of `world`; gives exit code, documents and what was said."""
    monkeypatch.setenv(DATABASE_VARIABLE, database_url)

    def run(action: str) -> tuple[int, list[dict[str, Any]], str]:
        capsys.readouterr()
        code = main(["audit", action])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err.strip()

    return run


async def test_whole_logs_end_with_0_and_others_name_their_first_bad_event(world: World, audit: Any) -> None:
    assert audit("verify") == (Exit.OK, [], "logs checked: 0; not whole: 0")
    log = Log()
    await log.register(world)
    log.look(5)
    await log.ship(world)
    told = {"chain": log.id, "user": "aino", "device": "device-1", "events": 5, "first_bad": None}
    assert audit("verify") == (Exit.OK, [told], "logs checked: 1; not whole: 0")
    with world.database.write() as connection:
        connection.execute(update(tables.view_event).where(tables.view_event.c.number == 3).values(subject="other"))
    assert audit("verify") == (Exit.FAILED, [told | {"first_bad": 3}], "logs checked: 1; not whole: 1")


async def test_findings_are_listed_with_whose_they_are(world: World, audit: Any) -> None:
    assert audit("findings") == (Exit.OK, [], "findings: 0; open: 0")
    log = Log()
    await log.register(world)
    log.look(5)
    await log.ship(world, log.events[2:])
    code, documents, said = audit("findings")
    assert (code, said) == (Exit.OK, "findings: 1; open: 1")
    assert documents == [
        {
            "chain": log.id,
            "user": "aino",
            "device": "device-1",
            "kind": "gap",
            "number": 1,
            "until": 2,
            "missing": 2,
            "at": world.clock.now().isoformat(),
            "resolved": None,
        }
    ]
    await log.ship(world)
    _, [document], said = audit("findings")
    assert (document["missing"], document["resolved"], said) == (
        0,
        world.clock.now().isoformat(),
        "findings: 1; open: 0",
    )


def test_a_record_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("verify", "findings"):
        assert main(["audit", action, "--data", str(tmp_path / "d")]) == Exit.NOT_POSSIBLE
        assert "migrate" in capsys.readouterr().err
