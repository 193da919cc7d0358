"""Sums as people type them: what is read, what is refused and why."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.claims.amounts import MAX_AMOUNT, AmountFault, InvalidAmount, parse_amount
from kelmu_tui.i18n.formats import Formats

AMOUNTS = st.decimals(Decimal("0.01"), MAX_AMOUNT, places=2)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1 234,50", "1234.50"),
        ("1234.5", "1234.50"),
        ("1234,5", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1\u00a0234,50\u00a0€", "1234.50"),
        ("1\u202f234,50 eur", "1234.50"),
        ("1\u2019234.50", "1234.50"),
        ("  578,43  ", "578.43"),
        ("€578.43", "578.43"),
        ("EUR 12", "12.00"),
        ("12 euroa", "12.00"),
        ("1.234.567", "1234567.00"),
        ("1 234 567,89", "1234567.89"),
        ("9 999 999,99", "9999999.99"),
        ("0,01", "0.01"),
        ("007", "7.00"),
    ],
)
def test_sums_are_read(text: str, amount: str) -> None:
    found = parse_amount(text)
    assert (found, str(found)) == (Decimal(amount), amount)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", AmountFault.FORMAT),
        ("   ", AmountFault.FORMAT),
        ("€", AmountFault.FORMAT),
        ("kymppi", AmountFault.FORMAT),
        ("12,", AmountFault.FORMAT),
        (",50", AmountFault.FORMAT),
        ("12,50,10", AmountFault.FORMAT),
        ("1 23", AmountFault.FORMAT),
        ("12 345 67", AmountFault.FORMAT),
        ("0 500", AmountFault.FORMAT),
        ("1 234.567,00", AmountFault.FORMAT),
        ("1e5", AmountFault.FORMAT),
        ("NaN", AmountFault.FORMAT),
        ("Infinity", AmountFault.FORMAT),
        ("0x10", AmountFault.FORMAT),
        ("\u0661\u0662", AmountFault.FORMAT),
        ("1_000", AmountFault.FORMAT),
        ("--5", AmountFault.FORMAT),
        ("1,234", AmountFault.AMBIGUOUS),
        ("1.234", AmountFault.AMBIGUOUS),
        ("1234,567", AmountFault.DECIMALS),
        ("1 234,567", AmountFault.DECIMALS),
        ("1.234,567", AmountFault.DECIMALS),
        ("0,125", AmountFault.DECIMALS),
        ("12,3456", AmountFault.DECIMALS),
        ("-5", AmountFault.NEGATIVE),
        ("\u22125,00", AmountFault.NEGATIVE),
        ("€-5", AmountFault.NEGATIVE),
        ("-€5", AmountFault.NEGATIVE),
        ("0", AmountFault.ZERO),
        ("0,00", AmountFault.ZERO),
        ("-0", AmountFault.ZERO),
        ("10 000 000", AmountFault.TOO_LARGE),
        ("9" * 59, AmountFault.TOO_LARGE),
        ("9" * 5000, AmountFault.TOO_LARGE),
        ("9," + "9" * 5000, AmountFault.FORMAT),
    ],
)
def test_what_is_wrong_is_told(text: str, fault: AmountFault) -> None:
    with pytest.raises(InvalidAmount) as raised:
        parse_amount(text)
    assert raised.value.fault is fault


@given(AMOUNTS, st.sampled_from(["fi", "sv", "en"]))
def test_a_sum_is_read_back_from_what_is_shown(amount: Decimal, language: str) -> None:
    assert parse_amount(Formats(language).euros(amount)) == amount
    assert parse_amount(f"{amount:.2f}") == amount
    assert parse_amount(f"{amount:.2f}".replace(".", ",")) == amount


@given(st.text(alphabet="0123456789.,' -€e\u00a0\u2212", max_size=12) | st.text(max_size=30))
def test_whatever_is_typed_gives_a_sum_of_cents_or_a_fault(text: str) -> None:
    try:
        amount = parse_amount(text)
    except InvalidAmount:
        return
    assert 0 < amount <= MAX_AMOUNT
    assert amount.as_tuple().exponent == -2
    assert parse_amount(f"{amount:.2f}") == amount
