"""`kelmu-backend sources`: breaking and mending what a look-up asks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kelmu_backend.cli import DATABASE_VARIABLE, Exit, main
from kelmu_backend.customers import sources
from kelmu_tui.domain.sections import section_facts

from .conftest import World

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def run(world: World, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on the record of `world`; gives exit code, documents and what was said."""
    monkeypatch.setenv(DATABASE_VARIABLE, database_url)

    def command(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
        capsys.readouterr()
        code = main(["sources", *arguments])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err.strip()

    return command


async def test_sources_are_broken_slowed_and_mended(world: World, run: Run) -> None:
    code, documents, _ = run("list")
    assert code == Exit.OK
    assert [document["id"] for document in documents] == [facts.source for facts in section_facts().values()]
    assert {(d["state"], d["since"], d["delay_ms"]) for d in documents} == {("up", None, 0)}
    assert run("down", "payments", "matters") == (Exit.OK, [], "down: payments, matters")
    assert run("slow", "payments", "--ms", "250") == (Exit.OK, [], "slow: payments")
    assert run("slow", "claims")[0] == Exit.OK
    told = {document["id"]: document for document in run("list")[1]}
    assert (told["payments"]["state"], told["payments"]["delay_ms"]) == ("slow", 250)
    assert (told["claims"]["state"], told["claims"]["delay_ms"]) == ("slow", 3000)
    assert told["matters"]["state"] == "down"
    assert told["matters"]["since"]
    with world.database.read() as connection:
        found = sources.states(connection)
    assert (found["payments"].wait, found["payments"].answers, found["matters"].answers) == (0.25, True, False)
    assert run("up", "payments", "matters", "claims") == (Exit.OK, [], "up: payments, matters, claims")
    assert {document["state"] for document in run("list")[1]} == {"up"}


@pytest.mark.parametrize(
    "arguments",
    [["down"], ["down", "everything"], ["slow", "payments", "--ms", "0"], ["slow", "payments", "--ms", "x"], []],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["sources", *arguments])
    assert caught.value.code == Exit.USAGE
