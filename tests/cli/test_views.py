"""What the command line shows is told to a real backend process: by a sync, and by the sign-out at the latest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kelmu_backend.cli import main as backend
from kelmu_tui.cli.exits import Exit
from tests.cli.conftest import Kelmu

USER = "persona-county-colleague"

pytestmark = pytest.mark.xdist_group("demo-backend")


def test_views_are_told_by_a_sync_and_by_the_sign_out(
    demo: Kelmu, demo_home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def logs() -> dict[str, dict[str, Any]]:
        capfd.readouterr()
        assert backend(["audit", "verify", "--data", str(demo_home / "data" / "demo" / "backend" / "data")]) == 0
        out = capfd.readouterr().out
        return {log["chain"]: log for log in map(json.loads, out.splitlines())}

    before = logs()
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    assert demo("sync").code == Exit.OK
    (first,) = demo("inbox", "list", "--limit", "1", "--json").data["notices"]
    assert demo("inbox", "show", first["id"]).code == Exit.OK
    assert demo("sync").code == Exit.OK
    (own,) = (log for id_, log in logs().items() if log["events"] != before.get(id_, {"events": 0})["events"])
    told = own["events"] - before.get(own["chain"], {"events": 0})["events"]
    assert (own["user"], own["first_bad"]) == (USER, None)
    assert told >= 2
    assert demo("inbox", "show", first["id"]).code == Exit.OK
    assert demo("sign-out", "--keep").code == Exit.OK
    assert logs()[own["chain"]]["events"] == own["events"] + 1
