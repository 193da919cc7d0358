"""Over any invoice: a clean one has no finding, and of a planted fault that fault is found and nothing else."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kelmu_tui.domain.lists import invoices
from kelmu_tui.domain.review import Shape, rules, shape_of
from tests.domain.review.clean import invoice
from tests.domain.review.faults import FAULTS, Spoil

SEEDS = st.integers(0, 2**32)
PLANTED = [(kind, spoil) for kind in invoices() for spoil in FAULTS[shape_of(kind)]]


@pytest.mark.parametrize("shape", Shape)
def test_there_is_a_fault_of_every_rule(shape: Shape) -> None:
    names = [spoil.__name__ for spoil in FAULTS[shape]]
    assert sorted(names) == sorted(rule.id for rule in rules().values() if shape in rule.of)


@pytest.mark.parametrize("kind", invoices())
@given(seed=SEEDS)
@settings(max_examples=200)
def test_a_clean_invoice_has_no_finding(kind: str, seed: int) -> None:
    assert invoice(kind, seed).found() == ()


@pytest.mark.parametrize(("kind", "spoil"), PLANTED, ids=lambda part: getattr(part, "__name__", part))
@given(seed=SEEDS)
@settings(max_examples=50)
def test_a_planted_fault_is_found_and_nothing_else(kind: str, spoil: Spoil, seed: int) -> None:
    case = invoice(kind, seed)
    rows = spoil(case, Random(seed + 1))
    findings = case.found()
    assert {finding.rule for finding in findings} == {spoil.__name__}
    told = [row for finding in findings for row in finding.rows]
    assert sorted(set(told)) == sorted(rows)
    assert findings == case.found()
