"""The size is the window's own, whatever a shell has exported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal


@pytest.mark.terminal
@pytest.mark.parametrize("exported", [{}, {"COLUMNS": "80", "LINES": "24"}, {"COLUMNS": "0", "LINES": "x"}])
def test_the_picture_follows_the_window(tmp_path: Path, exported: dict[str, str]) -> None:
    """COLUMNS and LINES that somebody exported are those of another window, or of this one long ago."""
    command = [sys.executable, "-m", "tests.terminal.sized_app", str(tmp_path)]
    with Terminal(command, columns=70, rows=20, env=exported) as terminal:
        terminal.wait_for("size 70x20")
        for columns, rows in ((40, 12), (120, 40), (80, 24)):
            terminal.resize(columns, rows)
            terminal.wait_for(f"size {columns}x{rows}")
