"""docs/cli.md says what the program does."""

from __future__ import annotations

from pathlib import Path

from kelmu_tui.cli.exits import Exit
from kelmu_tui.cli.reference import markdown

PAGE = Path(__file__).parent.parent.parent / "docs" / "cli.md"


def test_the_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run: python -m kelmu_tui.cli.reference > docs/cli.md"


def test_exit_codes_are_never_renumbered() -> None:
    assert {code.name: code.value for code in Exit} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "NOT_FOUND": 3,
        "REFUSED": 4,
        "NOT_SIGNED_IN": 5,
        "NOT_ALLOWED": 6,
        "OFFLINE": 7,
        "NOT_SENT": 8,
        "STORE": 9,
        "PROBLEMS": 10,
        "INTERRUPTED": 130,
        "BROKEN_PIPE": 141,
    }
