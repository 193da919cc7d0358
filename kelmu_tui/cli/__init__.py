"""The command line face of Kelmu TUI."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run `kelmu` with `argv` (without the program's name; the process's own by default) and return its exit code.

    A process of its own is closed to others and leaves no core; whoever brings arguments keeps their process as it is.
    """
    if argv is None:
        from kelmu_tui.terminal.environment import harden

        harden()
    from kelmu_tui.cli.run import run

    return run(argv)
