"""Nothing of a notice's content is left out, on the screen or on the command line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.services.described import content_fields
from kelmu_tui.store.rows import ContentDetail, ExpenseDetail, HouseholdDetail

ACCOUNT = "FI2112345600000785"
FULL = ContentDetail(
    reason="housing",
    consent=True,
    free_text="Vapaa teksti",
    kela_worker="Kelan Käsittelijä",
    kela_worker_telephone="+358 295 0000",
    household=(HouseholdDetail("Meri Meikäläinen", "spouse", None),),
    interpreter_language="ar",
    expenses=(ExpenseDetail("Vuokra", Decimal("578.43")), ExpenseDetail("Sähkö", Decimal("40.10"))),
    basic_decision_reference="TT-1",
    basic_decision_on=date(2026, 11, 2),
    calculation_from=date(2026, 11, 1),
    calculation_to=date(2026, 11, 30),
    attachments=3,
    bank_account=ACCOUNT,
    reduction_percent=20,
    reduction_reason="refused_work_or_service",
    reduction_from=date(2026, 12, 1),
    reduction_to=date(2027, 1, 31),
    months_on_assistance=7,
    unemployed_since=date(2026, 1, 15),
    registered_jobseeker=False,
    home_municipality_since=date(2025, 6, 1),
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ContentDetail._fields)
def test_every_field_has_its_place(language: str, name: str) -> None:
    """Without a field the description differs: it is told somewhere, in each language."""
    t = Translator(language)
    without = FULL._replace(**{name: ContentDetail._field_defaults[name]})
    assert getattr(FULL, name) != getattr(without, name), "the test lacks a value"
    told = list(content_fields(FULL, "preventive", t))
    assert told != list(content_fields(without, "preventive", t))
    assert all(text for _, text in told)


def test_the_account_is_masked_unless_it_is_asked_for() -> None:
    t = Translator("fi")
    masked = " ".join(text for _, text in content_fields(FULL, None, t))
    whole = " ".join(text for _, text in content_fields(FULL, None, t, full=True))
    assert ACCOUNT not in masked.replace(" ", "")
    assert ACCOUNT in whole.replace(" ", "")


def test_a_second_expense_goes_on_below_the_first() -> None:
    t = Translator("en")
    told = [(label, text) for label, text in content_fields(FULL, None, t) if "€" in text or "EUR" in text]
    assert [bool(label) for label, _ in told] == [True, False]
