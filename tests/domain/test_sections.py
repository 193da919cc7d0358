"""What may be seen of a customer, against a second reading of the catalogues: every subset of mandates, every type."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Any

import pytest

from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.capabilities import Agreement, Capabilities, Grant, MandateKind, Reason, capabilities, mandates
from kelmu_tui.domain.organisations import Names, Organisation, OrganisationType
from kelmu_tui.domain.sections import (
    CUSTOMER_LOOKUP,
    Hidden,
    Section,
    file_kept,
    mandate_views,
    non_disclosure_hides,
    person_hides,
    purposes,
    purposes_for,
    section_facts,
    sight,
    under_non_disclosure,
)

ON = date(2026, 11, 24)
OWN = "9900001-8"
CONTENTS: tuple[tuple[str, ...] | None, ...] = (None, (), ("pending", "payments"), tuple(Section))


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("kelmu_tui.domain.catalogue") / name).read_text(encoding="utf-8"))


def _subsets() -> Iterator[tuple[str, ...]]:
    names = [row["id"] for row in _read("mandates.toml")["mandate"]]
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def _opened(ids: tuple[str, ...], kind: OrganisationType, agreement: Agreement | None) -> Capabilities:
    grants = [Grant(name, MandateKind.MANDATE_TO_ACT, OWN, OWN, (), date(2024, 1, 1)) for name in ids]
    return capabilities(grants, Organisation(OWN, Names("a", "b", "c"), kind, "08", ()), agreement, ON)


def _openers(ids: tuple[str, ...], kind: OrganisationType, capability: str) -> list[str]:
    """Return the mandates among `ids` that open a capability, in words of the catalogue."""
    rows = {row["id"]: row for row in _read("mandates.toml")["mandate"]}
    return [name for name in ids if capability in rows[name]["opens"] and kind.value in rows[name]["org_types"]]


def _view(mandate: str) -> tuple[frozenset[str] | None, frozenset[str]]:
    """Return the benefits (None for all) and the hidden fields of a mandate, in words of the catalogue."""
    row = next(row for row in _read("customers.toml")["view"] if row["mandate"] == mandate)
    grouped = {one["id"] for one in _read("benefits.toml")["benefit"] if one["group"] in row["benefit_groups"]}
    return frozenset(row["benefits"]) | grouped or None, frozenset(row["hides"])


def test_the_catalogue_is_whole() -> None:
    opens = {name for mandate in mandates().values() for name in mandate.opens}
    assert list(section_facts()) == list(Section)
    for facts in section_facts().values():
        assert facts.capability in opens
    for mandate, view in mandate_views().items():
        assert CUSTOMER_LOOKUP in mandates()[mandate].opens
        assert view.benefits is None or view.benefits <= benefits().keys()
        assert all(name.partition(".")[0] in (*Section, "person") for name in view.hides)
    assert {m.id for m in mandates().values() if CUSTOMER_LOOKUP in m.opens} == mandate_views().keys()
    assert all(name.partition(".")[0] in (*Section, "person") for name in non_disclosure_hides())
    assert file_kept().total_seconds() > 0


def test_each_type_that_may_look_up_has_a_purpose_and_each_purpose_its_law_and_names() -> None:
    for kind in OrganisationType:
        may = any(kind in m.org_types and CUSTOMER_LOOKUP in m.opens for m in mandates().values())
        assert bool(purposes_for(kind)) or not may
    for purpose in purposes().values():
        assert all(purpose.name)
        assert purpose.law
        assert purpose.org_types


@pytest.mark.parametrize("kind", OrganisationType)
def test_every_subset_shows_what_its_mandates_show_together(kind: OrganisationType) -> None:
    for ids in _subsets():
        for content in CONTENTS:
            agreement = Agreement(OWN, date(2023, 1, 1), None, content)
            opened = _opened(ids, kind, agreement)
            for section, facts in section_facts().items():
                found = sight(opened, agreement, section)
                openers = _openers(ids, kind, facts.capability)
                anybody = _openers(tuple(mandates()), kind, facts.capability)
                if not anybody:
                    assert found.hidden is Hidden.LAW
                elif not openers:
                    assert found.hidden is Hidden.MANDATE
                    assert found.denied is not None
                    assert set(found.denied.mandates) == set(anybody)
                elif content is not None and section not in content:
                    assert found.hidden is Hidden.AGREEMENT
                else:
                    views = [_view(name) for name in openers]
                    assert found.hidden is None
                    for benefit in benefits():
                        assert found.shows(benefit) is any(b is None or benefit in b for b, _ in views)
                    away = [{n for n in h if n.startswith(f"{section}.")} for _, h in views]
                    assert {f"{section}.{n}" for n in found.fields} == set.intersection(*away)
                assert found.hidden is None or not found.shows(None)


@pytest.mark.parametrize("kind", OrganisationType)
def test_without_an_agreement_every_section_says_so(kind: OrganisationType) -> None:
    for agreement in (None, Agreement(OWN, date(2020, 1, 1), date(2021, 1, 1))):
        opened = _opened(tuple(mandates()), kind, agreement)
        for section in Section:
            assert sight(opened, agreement, section).hidden is Hidden.AGREEMENT


def test_another_mandate_never_takes_anything_away() -> None:
    agreement = Agreement(OWN, date(2023, 1, 1))
    for kind in OrganisationType:
        everything = _opened(tuple(mandates()), kind, agreement)
        for ids in _subsets():
            fewer = _opened(ids, kind, agreement)
            for section in Section:
                less, more = sight(fewer, agreement, section), sight(everything, agreement, section)
                if less.hidden is None:
                    assert more.hidden is None
                    assert more.fields <= less.fields
                    assert all(more.shows(benefit) for benefit in benefits() if less.shows(benefit))
            if fewer.has(CUSTOMER_LOOKUP):
                assert person_hides(everything) <= person_hides(fewer)


def test_a_missing_mandate_tells_its_reason() -> None:
    agreement = Agreement(OWN, date(2023, 1, 1))
    found = sight(_opened((), OrganisationType.WELLBEING_COUNTY, agreement), agreement, Section.PAYMENTS)
    assert found.denied is not None
    assert found.denied.reason is Reason.NO_MANDATE
    assert found.denied.mandates == ("benefit_viewing_and_claims",)


def test_what_is_taken_off_a_payment_cannot_be_computed() -> None:
    views = list(mandate_views().values())
    for number in range(1, len(views) + 1):
        for together in combinations(views, number):
            away = frozenset.intersection(*(view.hides for view in together))
            if away & {"payments.tax", "payments.deductions"}:
                assert "payments.gross" in away


def test_non_disclosure_hides_where_somebody_lives() -> None:
    assert under_non_disclosure("person") == {"address", "telephone", "home_municipality"}
    assert under_non_disclosure("decisions") == frozenset()
