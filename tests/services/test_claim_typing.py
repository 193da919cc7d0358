"""What the fields of the form say: days, sums and accounts as people write them, and nothing half known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.claims.amounts import AmountFault
from kelmu_tui.domain.claims.catalogue import CLIENT_FEES, SOCIAL_ASSISTANCE
from kelmu_tui.domain.claims.content import Assistance, Content
from kelmu_tui.domain.text import clean
from kelmu_tui.services.claim_days import FIRST_YEAR, LAST_YEAR, DayFault, InvalidDay, parse_day
from kelmu_tui.services.claim_typing import Field, fields_of, is_open_end, read, texts

TODAY = date(2026, 11, 27)
CODE = "010190-900P"
DAYS = st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))
SUMS = st.decimals(Decimal("0.01"), Decimal("9999999.99"), places=2)
LINES = st.text(st.characters(categories=("L", "N")), max_size=20).map(clean)
"""Texts as the form takes them: composed, so that what is typed twice is the same."""
CONTENTS = st.builds(
    Content,
    st.just(CODE),
    st.sampled_from((CLIENT_FEES, SOCIAL_ASSISTANCE)),
    st.sampled_from(("sickness_allowance", "general_housing_allowance")),
    DAYS,
    st.none() | DAYS,
    st.none() | SUMS,
    st.just("FI2112345600000785"),
    LINES,
    LINES,
    LINES,
    LINES,
    st.none() | DAYS,
    st.none() | DAYS,
    st.none() | st.builds(Assistance, DAYS, DAYS, SUMS, DAYS),
)


@given(CONTENTS)
def test_what_a_claim_says_reads_back_as_the_same_claim(content: Content) -> None:
    if content.basis == CLIENT_FEES:
        content = replace(content, assistance=None)
    else:
        content = replace(content, care_first=None, care_last=None)
    said = read(texts(content), content.payee, TODAY)
    assert said.faults == {}
    assert said.partial.whole() == content


@given(DAYS)
def test_a_day_is_read_in_each_way_of_writing_it(day: date) -> None:
    for text in (
        f"{day.day}.{day.month}.{day.year}",
        f"{day.day:02}.{day.month:02}.{day.year}",
        f" {day.day}. {day.month}. {day.year} ",
        f"{day.day}/{day.month}/{day.year}",
        day.isoformat(),
    ):
        assert parse_day(text, TODAY) == day, text


@given(st.dates(date(TODAY.year - 79, 1, 1), date(TODAY.year + 20, 12, 31)))
def test_a_year_of_two_digits_is_the_one_that_a_claim_can_mean(day: date) -> None:
    assert parse_day(f"{day.day} {day.month} {day.year % 100:02}", TODAY) == day


@given(st.dates(TODAY - timedelta(days=170), TODAY + timedelta(days=170)))
def test_a_day_without_a_year_is_the_nearest_one(day: date) -> None:
    assert parse_day(f"{day.day}.{day.month}.", TODAY) == day
    assert parse_day(f"{day.day}.{day.month}", TODAY) == day


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("31.2.2027", DayFault.NONE),
        ("29.2.2027", DayFault.NONE),
        ("30.2.", DayFault.NONE),
        ("0.1.2027", DayFault.NONE),
        ("1.13.2027", DayFault.NONE),
        ("2027-02-30", DayFault.NONE),
        ("1.1.1899", DayFault.FAR),
        ("1.1.2100", DayFault.FAR),
        ("0000-01-01", DayFault.FAR),
        ("1", DayFault.FORMAT),
        ("1.", DayFault.FORMAT),
        ("1.1.27x", DayFault.FORMAT),
        ("1.1.202", DayFault.FORMAT),
        ("١.١.٢٠٢٧", DayFault.FORMAT),
        ("tänään", DayFault.FORMAT),
        ("", DayFault.FORMAT),
    ],
)
def test_what_is_no_day_says_why(text: str, fault: DayFault) -> None:
    with pytest.raises(InvalidDay) as problem:
        parse_day(text, TODAY)
    assert problem.value.fault is fault
    assert text not in str(problem.value) or not text


def test_the_29th_of_february_is_the_nearest_there_is() -> None:
    assert parse_day("29.2.", date(2027, 12, 1)) == date(2028, 2, 29)


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading(text: str) -> None:
    values = {field.value: text for field in Field} | {"basis": SOCIAL_ASSISTANCE}
    said = read(values, "", TODAY)
    for field in said.faults:
        assert getattr(said.partial, field.value) is None


@pytest.mark.parametrize("text", ["-", "–", "−", " toistaiseksi ", "Tills  vidare", "until further notice", "TV"])
def test_an_open_end_is_said_in_words_or_with_a_dash(text: str) -> None:
    assert is_open_end(text)
    said = read({"last": text}, "", TODAY)
    assert said.partial.until_further_notice
    assert said.partial.last is None
    assert said.faults == {}


def test_a_last_day_that_is_not_typed_yet_is_no_open_end() -> None:
    said = read({"first": "1.1.2027"}, CODE, TODAY)
    assert not said.partial.until_further_notice
    assert not said.partial.period_known


def test_a_last_day_that_cannot_be_read_is_not_known() -> None:
    said = read({"first": "1.1.2027", "last": "31.2.2027"}, CODE, TODAY)
    assert said.faults == {Field.LAST: DayFault.NONE}
    assert not said.partial.period_known


def test_care_whose_end_cannot_be_read_is_not_known_at_all() -> None:
    said = read({"basis": CLIENT_FEES, "care_first": "1.1.2027", "care_last": "x"}, CODE, TODAY)
    assert said.partial.care_first is None
    assert set(said.faults) == {Field.CARE_LAST}


def test_a_field_that_the_basis_has_no_use_for_is_not_read() -> None:
    said = read({"basis": CLIENT_FEES, "assistance_amount": "x", "amount": "12,3456"}, CODE, TODAY)
    assert said.faults == {Field.AMOUNT: AmountFault.DECIMALS}
    assert Field.ASSISTANCE_AMOUNT not in fields_of(CLIENT_FEES)


def test_without_a_basis_nothing_is_asked_that_only_one_wants() -> None:
    assert set(fields_of("")) == set(fields_of(CLIENT_FEES)) & set(fields_of(SOCIAL_ASSISTANCE))
