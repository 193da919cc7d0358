"""Hostile text through real widgets: nothing but the app's own sequences reaches the terminal, no line moves."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import ControlType, Segment
from textual.color import Color

from kelmu_tui.domain.text import REPLACEMENT, is_safe
from kelmu_tui.terminal.filter import SafeText
from tests.support.terminal import Terminal
from tests.terminal.hostile import HOSTILE
from tests.terminal.hostile_app import HostileApp

BLACK = Color(0, 0, 0)
SEQUENCE = re.compile(
    r"\x1b(?:\[[0-9:;<=>?]*[ -/]*[@-~]|[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)?|.|\Z)|[\x00-\x1f\x7f-\x9f]", re.S
)
OWN = re.compile(r"\x1b\[[0-9;]*[Hm]")  # moves of the cursor and colours differ with what is shown
HARMLESS = tuple("Virtanen, Aino " * (number % 5 + 1) for number in range(40))


def test_there_are_two_hundred_different_ones() -> None:
    assert len(set(HOSTILE)) == 200


@pytest.mark.parametrize("text", HOSTILE)
def test_the_filter_makes_text_safe_and_keeps_its_width(text: str) -> None:
    segments = [Segment("before "), Segment(text), Segment(" after")]
    filtered = SafeText().apply(segments, BLACK)
    assert is_safe("".join(segment.text for segment in filtered))
    assert [cell_len(s.text) for s in filtered] == [cell_len(s.text) for s in segments]
    assert (filtered[0], filtered[2]) == (segments[0], segments[2])


def test_the_filter_leaves_a_trace_and_keeps_control_segments() -> None:
    control = Segment("\x1b[3;4H", None, [(ControlType.CURSOR_MOVE_TO, 4, 3)])
    filtered = SafeText().apply([control, Segment("Vir\x1b[2Jtanen")], BLACK)
    assert filtered[0] is control
    assert REPLACEMENT in filtered[1].text


def test_safe_lines_are_not_even_copied() -> None:
    segments = [Segment("Virtanen"), Segment("Mäki, Åke – 漢字 👩‍👧 ▌●")]
    assert SafeText().apply(segments, BLACK) is segments


async def test_no_widget_paints_an_unsafe_character_or_a_line_of_another_width(tmp_path: Path) -> None:
    app = HostileApp(list(HOSTILE), tmp_path)
    async with app.run_test(size=(60, 24)) as pilot:
        for text in HOSTILE:
            await pilot.press("n")
            # Textual measures a line break of Unicode at the end of a text and then paints it nowhere; such a text
            # is mended when it enters, here only its characters count.
            broken = text.splitlines() != [text]
            for strip in app.screen._compositor.render_strips():
                assert is_safe(strip.text), repr(strip.text)
                assert broken or sum(cell_len(segment.text) for segment in strip) == 60


def _run(texts: tuple[str, ...], folder: Path) -> str:
    file = folder / "texts.json"
    file.write_text(json.dumps(texts))
    with Terminal([sys.executable, "-m", "tests.terminal.hostile_app", str(file), str(folder)]) as terminal:
        for number in range(len(texts)):
            terminal.send("n")
            terminal.wait_for(f"shown {number + 1}")
        terminal.send("c", "e")
        assert terminal.wait_exit() == 0
        return terminal.output.decode("utf-8", "surrogateescape")


@pytest.mark.terminal
def test_only_the_apps_own_sequences_reach_the_terminal(tmp_path: Path) -> None:
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    expected = {s for s in SEQUENCE.findall(_run(HARMLESS, folders[0])) if not OWN.fullmatch(s)}
    output = _run(HOSTILE, folders[1])
    found = {s for s in SEQUENCE.findall(output) if not OWN.fullmatch(s)}
    assert found <= expected
    assert [sequence for sequence in expected if sequence.startswith("\x1b]")] == []
    assert is_safe(SEQUENCE.sub("", output), multiline=True)
    assert "Virta" in output
