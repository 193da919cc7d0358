"""The letter of a claim that goes in writing: what it says, what stays open, and what the writer is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.claims.catalogue import FREE_FORM, Basis, bases, forms_for
from kelmu_tui.domain.claims.content import Assistance, Content, Partial
from kelmu_tui.domain.text import is_safe
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.claim_letter import OPEN, WIDTH, Sender, advice, letter, on_basis
from kelmu_tui.services.claim_words import basis_name, form_name
from tests.domain.claims.making import ASSISTANCE, CARE, PAYEE
from tests.domain.claims.strategies import CONTENTS

SENDER = Sender("Pirkanmaan hyvinvointialue", "3221308-6", date(2026, 11, 27))
NAME = "Virtanen, Aino"
LIVELIHOOD = replace(
    Partial.of(CARE),
    basis="livelihood_guarantee_pension_18",
    grounds="Rahat eivät riitä.\nVuokra on jäänyt maksamatta.",
    reference="RF18 5390 0754 7034",
)
MAINTENANCE = ("child_maintenance_allowance", "collected_child_maintenance")
WRITTEN = [basis for basis in bases().values() if not basis.in_kelmu]

FINNISH = f"""\
Pirkanmaan hyvinvointialue, Y-tunnus 3221308-6
27.11.2026

Kansaneläkelaitos (Kela)

Maksuvaatimus

Vaadimme, että alla mainittu etuus maksetaan alla mainitulle maksun saajalle.

Lakipykälä
  Laki takuueläkkeestä 18 § (703/2010)

Etuudensaaja
  Virtanen, Aino, henkilötunnus {PAYEE}

Etuus
  Takuueläke

Ajanjakso
  1.12.2026–31.1.2027

Perittävä määrä
  620,00\u00a0€

Maksun saaja
  Pirkanmaan hyvinvointialue, Y-tunnus 3221308-6

Hyvinvointialueen tilinumero
  FI21 1234 5600 0007 85

Viite
  RF18 5390 0754 7034

Perustelut
  Rahat eivät riitä.
  Vuokra on jäänyt maksamatta.

Asiaa hoitavan nimi ja puhelinnumero
  Maija Mallila, 050 000 0000

Paikka ja aika: {OPEN}

Allekirjoitus: {OPEN}

Nimenselvennys: {OPEN}
"""


def test_the_letter_says_all_that_kela_asks_of_a_free_form_claim() -> None:
    assert letter(LIVELIHOOD, NAME, SENDER, Translator("fi")) == FINNISH


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("basis", WRITTEN, ids=lambda basis: basis.id)
def test_every_basis_has_its_letter_in_every_language(basis: Basis, language: str) -> None:
    t = Translator(language)
    benefit = min(basis.benefits, default="child_benefit")
    both = replace(Partial.of(CARE), assistance_first=date(2026, 12, 1), assistance_last=date(2027, 1, 31))
    draft = on_basis(
        replace(both, assistance_amount=Decimal("600.00"), assistance_decided_on=date(2026, 11, 2), benefit=benefit),
        basis.id,
    )
    text = letter(draft, NAME, SENDER, t)
    shown = [basis_name(basis.id, t), basis.statute, benefit_name(benefit, t), PAYEE, NAME, "FI21 1234 5600 0007 85"]
    shown += ["1.12.2026–31.1.2027", SENDER.organisation, SENDER.business_id, "Maija Mallila", "050 000 0000"]
    assert all(part in " ".join(text.split()) for part in shown)
    assert t.formats.euros(Decimal("620.00")) in text
    assert ("1.9.2026–" in text) == ("care_period" in basis.fields)
    assert (t.formats.euros(Decimal("600.00")) in text) == ("sa_paid" in basis.fields)
    assert (t("claims.letter_liable_parent") in text) == (benefit in MAINTENANCE)
    assert (t("claims.letter_title_agreement") in text) == basis.consent
    assert all(form_name(form, t) in text for form in basis.forms if basis.consent)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_known_is_left_open(language: str) -> None:
    t = Translator(language)
    text = letter(Partial(basis="child_benefit_12_2", benefit="child_benefit"), "", SENDER, t)
    # Payee, period, amount, account, grounds, contact, and the three of the signature.
    assert text.count(OPEN) == 9
    assert letter(Partial(), "", SENDER, t).count(OPEN) == 10
    named = letter(Partial(basis="child_benefit_12_2", payee=PAYEE), "", SENDER, t)
    assert f"{OPEN}, " in named
    assert PAYEE in named


def test_a_claim_until_further_notice_is_for_a_sum_a_month() -> None:
    t = Translator("fi")
    text = letter(replace(LIVELIHOOD, last=None, until_further_notice=True), NAME, SENDER, t)
    assert "1.12.2026– (toistaiseksi)" in text
    assert "620,00\u00a0€ kuukaudessa" in text
    # A last day that nobody has typed is no claim until further notice.
    assert "toistaiseksi" not in letter(replace(LIVELIHOOD, last=None), NAME, SENDER, t)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_writer_is_told_of_the_form_and_of_what_is_open(language: str) -> None:
    t = Translator(language)

    def first(basis: str, benefit: str | None) -> str:
        return advice(on_basis(replace(LIVELIHOOD, benefit=benefit), basis), t)[0]

    pension = first("livelihood_guarantee_pension_18", "guarantee_pension")
    assert "EV 241N" in pension
    assert form_name(FREE_FORM, t) not in pension
    assert "LL 2" in first("child_benefit_12_2", "child_benefit")
    assert "LU 1" in first("client_fees_7", None)
    assert first("social_assistance_23_from_basic", "basic_social_assistance") == t("claims.letter_form_none")
    assert first("child_benefit_12_2", "guarantee_pension") == t("claims.letter_form_impossible")
    assert first("client_fees_14", "general_housing_allowance") == t("claims.letter_form_impossible")
    assert first("", "child_benefit") == t("claims.letter_form_impossible")
    assert first("client_fees_14", "child_benefit") == t("claims.letter_in_kelmu")
    assert form_name("consent_or_power_of_attorney", t) in first("agreement", "child_benefit")
    assert first("agreement", "guarantee_pension") == t("claims.letter_form_impossible")

    assert advice(LIVELIHOOD, t)[1:] == (t("claims.letter_by_post"),)
    gaps = advice(replace(LIVELIHOOD, account=None, grounds=" "), t)[-1]
    assert t("claims.field.account") in gaps
    assert t("claims.field.grounds") in gaps


def test_every_claim_in_writing_is_told_its_way() -> None:
    t = Translator("sv")
    for basis in bases().values():
        for benefit in benefits():
            told = advice(Partial(basis=basis.id, benefit=benefit), t)[0]
            impossible = told == t("claims.letter_form_impossible")
            kelmu = told == t("claims.letter_in_kelmu")
            assert impossible == (not kelmu and not forms_for(basis.id, benefit))


@given(CONTENTS, st.text(max_size=80), st.sampled_from(LANGUAGES))
def test_any_letter_fits_the_page_and_hides_nothing_in_its_text(content: Content, name: str, language: str) -> None:
    wild = replace(content, grounds=f"{name}\n{content.grounds}", assistance=None, amount=Decimal("12.50"))
    text = letter(Partial.of(wild), name, SENDER, Translator(language))
    assert is_safe(text, multiline=True)
    assert all(len(line) <= WIDTH for line in text.splitlines())


def test_the_two_bases_of_kelmu_have_letters_too() -> None:
    # When Kelmu is out of order, the same claim can go in writing.
    t = Translator("en")
    assert "1.9.2026–" in letter(Partial.of(CARE), NAME, SENDER, t)
    paid = letter(Partial.of(ASSISTANCE), NAME, SENDER, t)
    assert "€600.00, for 1.12.2026–31.1.2027, decided on 2.11.2026" in paid
    assert isinstance(ASSISTANCE.assistance, Assistance)
