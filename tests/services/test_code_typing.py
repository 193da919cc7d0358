"""An identity code while it is typed: never called wrong while it may become right, and told where it is wrong."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.identifiers import IdentityCode, make_identity_code, parse_identity_code
from kelmu_tui.services.code_typing import LENGTH, Typed, Wrong, examine, mended

TODAY = date(2026, 11, 20)
SIGNS = {1800: "+", 1900: "-YXWVU", 2000: "ABCDEF"}


def clean(text: str) -> IdentityCode:
    return parse_identity_code(text, today=TODAY)


def typed(text: str) -> Typed:
    return examine(text, TODAY, clean)


@st.composite
def codes(draw: st.DrawFn) -> str:
    born = draw(st.dates(date(1850, 1, 1), TODAY))
    sign = draw(st.sampled_from(SIGNS[born.year // 100 * 100]))
    return make_identity_code(born, sign, draw(st.integers(900, 999))).value


@given(codes())
def test_no_beginning_of_a_right_code_is_wrong(code: str) -> None:
    for length in range(LENGTH):
        found = typed(code[:length])
        assert (found.wrong, found.code, found.missing) == (None, None, LENGTH - length)
    assert typed(code).code == IdentityCode(code)


@given(codes(), st.integers(0, 10), st.characters(codec="ascii", exclude_categories=("Cc", "Zs", "Pd")))
def test_one_wrong_character_is_noticed(code: str, place: int, character: str) -> None:
    # A sign of another century may be right too: people share everything but the sign.
    changed = code[:place] + character + code[place + 1 :]
    if changed.upper() != code and place != 6:
        found = typed(changed)
        assert found.code is None
        assert found.wrong is not None
        assert 1 <= found.at <= LENGTH


@pytest.mark.parametrize(
    ("text", "wrong", "at"),
    [
        ("4", Wrong.DAY, 1),
        ("32", Wrong.DAY, 2),
        ("00", Wrong.DAY, 2),
        ("012", Wrong.MONTH, 3),
        ("0113", Wrong.MONTH, 4),
        ("01x", Wrong.DIGIT, 3),
        ("0101a", Wrong.DIGIT, 5),
        ("010190G", Wrong.SIGN, 7),
        ("010190!", Wrong.SIGN, 7),
        ("310290-", Wrong.DATE, 1),
        ("290223A", Wrong.DATE, 1),
        ("010127A", Wrong.FUTURE, 7),
        ("010190-9O", Wrong.DIGIT, 9),
        ("010190-000", None, 0),
        ("010190-900I", Wrong.LAST, 11),
        ("010190-9001", Wrong.CHECK, 11),
        ("010190-001H", Wrong.INDIVIDUAL, 8),
        ("010190-9001x", Wrong.LONG, 12),
        ("\u0661", Wrong.DIGIT, 1),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, wrong: Wrong | None, at: int) -> None:
    found = typed(text)
    assert (found.wrong, found.at) == (wrong, at)


@given(codes(), st.sampled_from(["-", "\u2010", "\u2011", "\u2013", "\u2014", "\u2212", "\uff0d"]))
def test_pasted_variants_are_mended(code: str, hyphen: str) -> None:
    pasted = f" \u200b{code[:6]} {code[6:].lower().replace('-', hyphen)}\n"
    assert mended(pasted) == code
    assert typed(pasted).code == IdentityCode(code)


@given(st.text(max_size=20))
def test_any_text_gets_an_answer(text: str) -> None:
    found = typed(text)
    assert (found.code is None) or (found.wrong is None)
    assert (found.wrong is None) == (found.at == 0)


def test_somebody_born_tomorrow_is_told_before_the_end() -> None:
    tomorrow = TODAY + timedelta(1)
    assert typed(f"{tomorrow:%d%m%y}A").wrong is Wrong.FUTURE
    assert typed(f"{TODAY:%d%m%y}A").wrong is None
