"""Headings of the organisation's own files: known in three languages, in any dress, and never by half."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.lists import invoices, lists
from kelmu_tui.domain.own_files import ABROAD, Doubled, Wanted, guess_columns, kept, limits, normalised, place_of


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_lists_own_names_are_known(language: str) -> None:
    columns = {column.id: column.name.get(language) for column in lists()[ABROAD].columns}
    names = [columns[name] for name in ("request_ref", "comparable_cost_eur", "client_fee_eur")]
    assert guess_columns(names, Wanted.ANSWERS) == (0, 1, 2)
    assert guess_columns([columns["identity_code"]], Wanted.RESIDENTS) == (0,)
    # No column of the list but the one that is meant means the same.
    for field, name in zip(Wanted.ANSWERS.fields, names, strict=True):
        assert [other for other in columns.values() if place_of(field, [other]) == 0] == [name]


@pytest.mark.parametrize(
    ("heading", "plain"),
    [
        ("Asiakasmaksu (€)", "asiakasmaksu"),
        ("  ASIAKASMAKSU,  euroa ", "asiakasmaksu"),
        ("client_fee_eur", "client fee"),
        ("Kostnad\nför vård", "kostnad for vard"),
        ("Å", "a"),
        ("€", ""),
        ("eur", "eur"),
    ],
)
def test_headings_are_compared_without_their_dress(heading: str, plain: str) -> None:
    assert normalised(heading) == plain


@given(st.text(max_size=30))
def test_a_normalised_heading_stays_as_it_is(heading: str) -> None:
    found = normalised(heading)
    assert normalised(found) in (found, found.rpartition(" ")[0])


def test_a_name_goes_before_a_word_and_two_of_a_kind_are_refused() -> None:
    assert place_of("cost", ["Hinta", "Vastaavan hoidon kustannus"]) == 1
    assert place_of("cost", ["Hinta", "muu"]) == 0
    assert place_of("cost", ["muu"]) is None
    for headings in (["Hinta", "Kustannus"], ["client_fee_eur", "x", "Asiakasmaksu"]):
        with pytest.raises(Doubled) as caught:
            place_of("cost" if "Hinta" in headings else "fee", headings)
        assert caught.value.column == len(headings) - 1


def test_answers_are_kept_until_the_corrections_of_their_invoice_have_come() -> None:
    half_year = invoices()["treatment_abroad"].rhythm.months
    assert kept() > timedelta(days=31 * 2 * half_year)
    assert limits().answers <= limits().rows
