"""Findings in words: every rule in three languages, with its values, its source and why."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random

import pytest

from kelmu_tui.domain.lists import Event, Period, invoices
from kelmu_tui.domain.review import Finding, Shape, rules, shape_of
from kelmu_tui.domain.review.findings import Value
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.services.review_text import (
    column_of,
    column_text,
    missing_text,
    payer_text,
    rule_text,
    source_text,
    value_text,
    verdict_text,
    why_text,
)
from kelmu_tui.services.reviewing import Missing
from tests.domain.review.clean import invoice
from tests.domain.review.faults import FAULTS

KINDS = {Shape.UNEMPLOYMENT: "lms_2025", Shape.CHILDCARE: "childcare", Shape.TREATMENT_ABROAD: "treatment_abroad"}
ENGLISH = Translator("en")


def planted(shape: Shape) -> dict[str, Finding]:
    """Return a finding of every rule of a shape, as the rules make it."""
    found: dict[str, Finding] = {}
    for spoil in FAULTS[shape]:
        case = invoice(KINDS[shape], 3)
        spoil(case, Random(4))
        found |= {one.rule: one for one in case.found() if one.rule == spoil.__name__}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shape", Shape)
def test_every_rule_has_its_words(shape: Shape, language: str) -> None:
    t, kind, found = Translator(language), KINDS[shape], planted(shape)
    assert set(found) == {rule.id for rule in rules().values() if shape in rule.of}
    for rule, finding in found.items():
        said = rule_text(finding, kind, t)
        assert said.endswith(".")
        assert not set("{}") & set(said)
        assert "None" not in said
        assert "  " not in said, "a value is missing"
        why, note = why_text(finding, t), rules()[rule].note
        assert why == (None if note is None else note.get(language))
        source = source_text(finding, kind, t)
        assert "assumption" not in source or language == "en"
        assert "lists.toml" not in source
        if finding.column is not None:
            assert column_text(finding, kind, t)
        else:
            assert column_of(finding, kind) is None


def test_the_words_hold_what_was_found() -> None:
    kind = "lms_2025"
    share = Finding("share_wrong", ("r",), "municipal_share_eur", Decimal("1234.50"), Decimal("-0.05"))
    assert rule_text(share, kind, ENGLISH) == "The municipal share is -€0.05, but by the days it should be €1,234.50."
    assert column_text(share, kind, ENGLISH) == "Municipal share"
    elsewhere = Finding("other_municipality", ("r",), "municipality", "536", "091")
    assert rule_text(elsewhere, kind, Translator("sv")) == (
        "Hemkommunen på betalningsdagen var 091 Helsingfors, men betalaren är 536 Nokia."
    )
    percent = Finding("percent_wrong", ("r",), "share_percent", 40, 30)
    assert "30 %" in rule_text(percent, kind, Translator("fi"))
    days = Finding(
        "paid_outside_period", ("r",), "paid_on", Period(date(2026, 10, 1), date(2026, 10, 31)), date(2026, 9, 28)
    )
    assert "28.9.2026" in rule_text(days, kind, ENGLISH)
    assert "1.10.–31.10.2026" in rule_text(days, kind, ENGLISH)


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, ""), (Event.RETURNED, "returned"), (Decimal("0.50"), "€0.50"), (1204, "1,204"), ("TP-1", "TP-1")],
)
def test_values_in_words(value: Value, said: str) -> None:
    assert value_text(value, None, ENGLISH) == said


def test_sources_are_addresses_and_say_what_is_assumed() -> None:
    def source(rule: str, kind: str, language: str = "en") -> str:
        return source_text(Finding(rule, ()), kind, Translator(language))

    assert source("duplicate", "lms_2025") == "an assumption for which no guide was found"
    assert source("duplicate", "lms_2025", "fi") == "oletus, jolle ei ole löytynyt ohjetta"
    assert source("wrong_law", "lms_2025").startswith("https://www.kela.fi/")
    assert "assumption" not in source("wrong_law", "lms_2025")
    assert source("share_wrong", "lms_pre_2025") == (
        "https://www.kela.fi/tyomarkkinatuen-kuntarahoitus1; partly an assumption"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_verdicts_and_what_is_missing_have_words(language: str) -> None:
    t = Translator(language)
    assert len({verdict_text(verdict, t) for verdict in Verdict}) == len(Verdict)
    assert len({missing_text(missing, t) for missing in Missing}) == len(Missing)


@pytest.mark.parametrize("kind", invoices())
def test_payers_are_named(kind: str) -> None:
    county = shape_of(kind) is Shape.TREATMENT_ABROAD
    assert payer_text(kind, "06" if county else "536", ENGLISH).partition(" ")[2]
    assert payer_text(kind, "99" if county else "999", ENGLISH) in ("99", "999")
