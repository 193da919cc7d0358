"""The rules of the catalogue and those of the code are the same, and each has its words and its source."""

from __future__ import annotations

import string

import pytest

from kelmu_tui.domain.lists import invoices, lists
from kelmu_tui.domain.review import Rule, Shape, rules, shape_of
from kelmu_tui.domain.review.facts import covered_countries, days_a_week, source_of
from kelmu_tui.domain.review.group_rules import GROUP_RULES
from kelmu_tui.domain.review.invoice_rules import INVOICE_RULES
from kelmu_tui.domain.review.row_rules import BILLED_COLUMN, ROW_RULES


@pytest.mark.parametrize("shape", Shape)
def test_the_code_has_each_rule_of_the_catalogue_once(shape: Shape) -> None:
    coded = [*INVOICE_RULES[shape], *ROW_RULES[shape], *GROUP_RULES[shape]]
    assert len(set(coded)) == len(coded)
    assert set(coded) == {rule.id for rule in rules().values() if shape in rule.of}


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.id)
def test_a_rule_has_its_words_and_its_source(rule: Rule) -> None:
    places = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in rule.text]
    assert places[0] <= {"expected", "found"}
    assert places[0] == places[1] == places[2]
    assert all(text.endswith(".") and text == text.strip() for text in rule.text)
    assert len(set(rule.text)) == 3
    assert "assumption" in rule.source or rule.source.startswith("https://")
    assert rule.of
    if rule.note is not None:
        assert len(set(rule.note)) == 3
        assert all(text.endswith(".") and text == text.strip() for text in rule.note)


@pytest.mark.parametrize("kind", invoices())
def test_a_source_is_addresses_or_an_assumption(kind: str) -> None:
    for rule in rules().values():
        if shape_of(kind) not in rule.of:
            continue
        source = source_of(rule.id, kind)
        assert source.addresses or source.assumed
        assert source.assumed == any(word in rule.source for word in ("assumption", "general knowledge"))
        assert all(address in rule.source or "lists.toml" in rule.source for address in source.addresses)


def test_what_follows_from_the_steps_has_the_sources_of_the_steps_of_its_law() -> None:
    old, new = source_of("share_wrong", "lms_pre_2025"), source_of("share_wrong", "lms_2025")
    assert old.addresses == ("https://www.kela.fi/tyomarkkinatuen-kuntarahoitus1",)
    assert len(new.addresses) == 1
    assert new.addresses[0].endswith("1.1.2025-alkaen")
    with pytest.raises(KeyError):
        source_of("unknown", "lms_2025")


def test_every_invoice_has_its_shape() -> None:
    assert {kind: shape_of(kind) for kind in invoices()} == {
        "lms_pre_2025": Shape.UNEMPLOYMENT,
        "lms_2025": Shape.UNEMPLOYMENT,
        "basic_allowance_2025": Shape.UNEMPLOYMENT,
        "earnings_related_2025": Shape.UNEMPLOYMENT,
        "childcare": Shape.CHILDCARE,
        "treatment_abroad": Shape.TREATMENT_ABROAD,
    }
    with pytest.raises(KeyError):
        shape_of("unknown")


def test_what_is_billed_stands_in_a_column_of_the_list_behind_the_invoice() -> None:
    recipients = "list_childcare_recipients"
    for one in lists().values():
        if one.invoice is not None and one.id != recipients:
            assert one.column(BILLED_COLUMN[shape_of(one.invoice)]) is not None


def test_parameters_are_read() -> None:
    assert days_a_week() == 5
    assert {"SE", "EE", "CH", "GB", "NO"} <= covered_countries()
    assert not {"FI", "US", "RU"} & covered_countries()
    assert len(covered_countries()) == 31
