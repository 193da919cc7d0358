"""Accounts as people type them: both checks, what is forgiven, and that nothing leaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

from kelmu_tui.domain.claims.accounts import AccountFault, InvalidAccount, parse_account, shown_account

GOOD = "FI2112345600000785"


def finnish(body: str, *, wrong_by: int = 0) -> str:
    """Return an account with thirteen digits of its own; `wrong_by` spoils its national check digit alone."""
    digit = (int(luhn.calc_check_digit(body)) + wrong_by) % 10
    number = f"{body}{digit}"
    return f"FI{iban.calc_check_digits('FI00' + number)}{number}"


BODIES = st.from_regex(r"[1-9][0-9]{12}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "account"),
    [
        (GOOD, GOOD),
        ("FI21 1234 5600 0007 85", GOOD),
        ("  fi21 1234 5600 0007 85\n", GOOD),
        ("fi21\u00a01234\u202f5600\t0007 85", GOOD),
        ("FI55 4234 5670 0000 81", "FI5542345670000081"),
        ("SE45 5000 0000 0583 9825 7466", "SE4550000000058398257466"),
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    ],
)
def test_accounts_are_read_with_spaces_and_small_letters(text: str, account: str) -> None:
    assert parse_account(text) == account


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", AccountFault.FORMAT),
        ("   ", AccountFault.FORMAT),
        ("123456-785", AccountFault.FORMAT),
        ("12345600000785", AccountFault.FORMAT),
        ("FI21-1234-5600-0007-85", AccountFault.FORMAT),
        ("FI2112345600000785\u0000", AccountFault.FORMAT),
        ("FI\uff12\uff1112345600000785", AccountFault.FORMAT),
        ("F\u013021 1234 5600 0007 85", AccountFault.FORMAT),
        ("FIXX12345600000785", AccountFault.FORMAT),
        ("FI211234560000078", AccountFault.LENGTH),
        ("FI21123456000007850", AccountFault.LENGTH),
        ("DE" + "1" * 33, AccountFault.LENGTH),
        ("FI21" + "1" * 10_000, AccountFault.LENGTH),
        ("FI2212345600000785", AccountFault.CHECK),
        ("FI2112345600000758", AccountFault.CHECK),
        ("SE4550000000058398257467", AccountFault.CHECK),
        # An example often seen: right over 97, wrong within.
        ("FI42 5000 1510 0000 23", AccountFault.NATIONAL),
    ],
)
def test_what_is_wrong_is_told_and_the_account_is_not(text: str, fault: AccountFault) -> None:
    with pytest.raises(InvalidAccount) as raised:
        parse_account(text)
    assert raised.value.fault is fault
    assert str(raised.value) == fault.value
    assert raised.value.__cause__ is None


def test_a_country_without_ibans_is_told() -> None:
    body = "12345600000785"
    account = f"US{iban.calc_check_digits('US00' + body)}{body}"
    with pytest.raises(InvalidAccount) as raised:
        parse_account(account)
    assert raised.value.fault is AccountFault.COUNTRY


@pytest.mark.parametrize("shift", [-97, 97])
def test_check_digits_that_no_bank_gives_are_refused(shift: int) -> None:
    # 00, 01 and 99 leave the remainder of 97, 98 and 02, so a check that only divides takes them.
    for number in range(200):
        account = finnish(f"1234560{number:06d}")
        other = int(account[2:4]) + shift
        if 0 <= other <= 99:
            with pytest.raises(InvalidAccount) as raised:
                parse_account(f"FI{other:02d}{account[4:]}")
            assert raised.value.fault is AccountFault.CHECK


@given(BODIES)
def test_an_account_is_read_back_from_what_is_shown(body: str) -> None:
    account = finnish(body)
    assert parse_account(account) == account
    assert parse_account(shown_account(account)) == account
    assert parse_account(shown_account(account).lower()) == account
    assert shown_account(account).replace(" ", "") == account
    assert max(map(len, shown_account(account).split())) == 4


@given(BODIES, st.integers(1, 9))
def test_a_wrong_national_digit_is_found_behind_a_right_check(body: str, by: int) -> None:
    account = finnish(body, wrong_by=by)
    assert iban.is_valid(account)
    with pytest.raises(InvalidAccount) as raised:
        parse_account(account)
    assert raised.value.fault is AccountFault.NATIONAL


@given(BODIES, st.integers(2, 17), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(body: str, place: int, by: int) -> None:
    account = finnish(body)
    wrong = f"{account[:place]}{(int(account[place]) + by) % 10}{account[place + 1 :]}"
    with pytest.raises(InvalidAccount):
        parse_account(wrong)


@given(st.text(max_size=50))
def test_whatever_is_typed_gives_an_account_or_a_fault(text: str) -> None:
    try:
        account = parse_account(text)
    except InvalidAccount:
        return
    assert parse_account(account) == account
