"""The command line face of Kelmu TUI."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run `kelmu` with `argv` (without the program's name; the process's own by default) and return its exit code."""
    from kelmu_tui.cli.run import run

    return run(argv)
