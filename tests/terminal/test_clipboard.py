"""What goes to the terminal's clipboard goes whole or not at all."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.terminal.clipboard import MOST, TooLong, sequence


@given(st.text(max_size=200))
def test_a_text_arrives_as_it_is(text: str) -> None:
    sent = sequence(text)
    assert sent.startswith("\x1b]52;c;")
    assert sent.endswith("\x07")
    assert base64.b64decode(sent[7:-1]).decode() == text
    assert sent[7:-1].isascii()


def test_what_would_be_cut_is_not_sent() -> None:
    assert len(base64.b64decode(sequence("x" * MOST)[7:-1])) == MOST
    with pytest.raises(TooLong):
        sequence("x" * (MOST - 1) + "ä")
