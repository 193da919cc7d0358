"""Identity codes and business IDs: the vectors of the fact sheet, and what no vector can enumerate."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fi import hetu

from kelmu_tui.domain.identifiers import (
    CHECK_CHARACTERS,
    CodeFault,
    IdentityCode,
    InvalidIdentityCode,
    is_business_id,
    make_identity_code,
    mask,
    parse_identity_code,
)

TODAY = date(2026, 11, 24)

VALID = [
    "010180-9026", "311299-999E", "010100A900F", "290200A905H", "290296-950R", "290204B912S", "150652+9010",
    "311299+998D", "010100-900F", "010100+900F", "010190-999W", "010190Y999W", "010190X999W", "010190W999W",
    "010190V999W", "010190U999W", "010110A944F", "010110B944F", "010110C944F", "010110D944F", "010110E944F",
    "010110F944F", "010594Y9032", "010594Y9021", "020594X903P", "020594X902N", "030594W903B", "030694W9024",
    "040594V9030", "040594V902Y", "050594U903M", "050594U902L", "010516B903X", "010516B902W", "020516C903K",
    "020516C902J", "030516D9037", "030516D9026", "010501E9032", "020502E902X", "020503F9037", "020504A902E",
    "020504B904H",
]  # fmt: skip

INVALID = [
    ("290200-900B", "date"),
    ("290299-900W", "date"),
    ("310490-901H", "date"),
    ("320190-901R", "date"),
    ("000190-9013", "date"),
    ("010090-901X", "date"),
    ("011390-901D", "date"),
    ("010180-9027", "check"),
    ("010180-902G", "format"),
    ("010180-902I", "format"),
    ("010180-902O", "format"),
    ("010180-902Q", "format"),
    ("010180-902Z", "format"),
    ("010180G9026", "format"),
    ("010180Z9026", "format"),
    ("010180a9026", "format"),
    ("0101809026", "format"),
    ("010180-902", "format"),
    ("010180-90266", "format"),
    ("01018O-9026", "format"),
    ("01.01.80-9026", "format"),
    ("19800101-9026", "format"),
    ("010180−9026", "format"),
    ("０１０１８０-9026", "format"),
    ("010180-9026\n", "format"),
    ("020180-9026", "check"),
    ("010190-000N", "individual"),
    ("010190-001P", "individual"),
    ("", "format"),
    (" 010180-9026", "format"),
    ("010180-9026 ", "format"),
    ("٠١٠١٨٠-9026", "format"),
    ("010180-9026\x00", "format"),
]

CENTURIES = {1800: "+", 1900: "-YXWVU", 2000: "ABCDEF"}


def _fault(text: str, *, artificial: bool = True, today: date = TODAY) -> CodeFault | None:
    try:
        parse_identity_code(text, today=today, artificial=artificial)
    except InvalidIdentityCode as invalid:
        return invalid.fault
    return None


def test_no_vector_was_lost() -> None:
    assert len(VALID) == len(set(VALID)) == 43


@pytest.mark.parametrize("text", VALID)
def test_valid(text: str) -> None:
    assert parse_identity_code(text, today=TODAY).value == text
    assert _fault(text, artificial=False) is CodeFault.ARTIFICIAL


@pytest.mark.parametrize(("text", "fault"), INVALID)
def test_invalid(text: str, fault: str) -> None:
    assert _fault(text) == fault


def test_the_sign_is_part_of_the_identity() -> None:
    for texts in (
        [f"010190{sign}999W" for sign in CENTURIES[1900]],
        [f"010110{sign}944F" for sign in CENTURIES[2000]],
        ["010100+900F", "010100-900F", "010100A900F"],
    ):
        codes = {parse_identity_code(text, today=TODAY) for text in texts}
        assert len(codes) == len(texts)
        assert len({mask(text) for text in texts}) == len(texts)


def test_nobody_is_born_tomorrow() -> None:
    code = make_identity_code(date(2026, 11, 25), "A", 900).value
    assert _fault(code) is CodeFault.FUTURE
    assert _fault(code, today=date(2026, 11, 25)) is None


def test_a_real_range_number_passes_both_ways() -> None:
    # Computed here, so that no number of a living person stands in the tests.
    digits = "311299" + "002"
    text = f"311299+002{CHECK_CHARACTERS[int(digits) % 31]}"
    assert _fault(text) is None
    assert _fault(text, artificial=False) is None


@given(born=st.dates(date(1800, 1, 1), TODAY), number=st.integers(900, 999), data=st.data())
def test_made_codes_are_valid_everywhere(born: date, number: int, data: st.DataObject) -> None:
    sign = data.draw(st.sampled_from(CENTURIES[born.year // 100 * 100]))
    code = make_identity_code(born, sign, number)
    assert parse_identity_code(code.value, today=TODAY) == code
    assert code.born == born
    assert hetu.is_valid(code.value, allow_temporary=True)


@given(text=st.sampled_from(VALID), position=st.integers(0, 10), letter=st.characters())
def test_one_wrong_character_is_never_the_same_person(text: str, position: int, letter: str) -> None:
    changed = text[:position] + letter + text[position + 1 :]
    if _fault(changed) is None:
        code = parse_identity_code(changed, today=TODAY)
        assert (code == IdentityCode(text)) is (changed == text)
        # Only the sign is outside the check character's care, and one letter cannot repair a digit.
        assert changed == text or position == 6


@pytest.mark.parametrize(("text", "fault"), INVALID)
def test_the_refusal_does_not_repeat_the_code(text: str, fault: str) -> None:
    with pytest.raises(InvalidIdentityCode) as refused:
        parse_identity_code(text, today=TODAY)
    assert str(refused.value) == fault


@given(text=st.text(max_size=14))
def test_anything_else_is_refused_quietly(text: str) -> None:
    if _fault(text) is None:
        assert text in VALID or len(text) == 11


def test_codes_do_not_leak() -> None:
    code = IdentityCode("010190Y999W")
    for told in (repr(code), str(code), f"{code}", code.masked):
        assert "010190" not in told
        assert "Y*99W" in told


@pytest.mark.parametrize(
    ("born", "sign", "number"),
    [
        (date(1990, 1, 1), "A", 900),
        (date(2001, 1, 1), "-", 900),
        (date(1899, 1, 1), "Y", 900),
        (date(1990, 1, 1), "-", 899),
        (date(1990, 1, 1), "-", 1000),
        (date(1990, 1, 1), "G", 900),
    ],
)
def test_only_artificial_codes_are_made(born: date, sign: str, number: int) -> None:
    with pytest.raises(ValueError, match="artificial"):
        make_identity_code(born, sign, number)


@pytest.mark.parametrize(
    "text",
    [
        "9900001-8",
        "9900002-6",
        "9900003-4",
        "9900004-2",
        "9900005-0",
        "9900006-9",
        "8800010-0",
        "8800020-7",
        "7019376-8",
        "7769480-5",
        "0246246-0",
        "0245437-2",
        "0201256-6",
        "3221347-3",
    ],
)
def test_valid_business_ids(text: str) -> None:
    assert is_business_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "9900001-7",
        "9900000-0",
        "9900019-1",
        "990001-8",
        "99000018",
        "9-9000018",
        "FI99000018",
        "",
        "9900001-8\n",
        " 9900001-8",
        "９900001-8",
        "9900001−8",
    ],
)
def test_invalid_business_ids(text: str) -> None:
    assert not is_business_id(text)
