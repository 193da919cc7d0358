"""The review finds every mistake that the record's lists may hold, and nothing in clean ones."""

from __future__ import annotations

import pytest

from kelmu_backend.population.issued import Fault
from kelmu_backend.population.issued.faults import possible
from kelmu_tui.domain.lists import lists

from .issued_support import BILLING, SEEDS
from .reviewed import flagged, missed, together


@pytest.mark.parametrize("name", [one.id for one in BILLING])
def test_nothing_clean_is_flagged(name: str) -> None:
    reviewed = 0
    for seed in SEEDS:
        found = flagged(seed, lists()[name])
        assert found.wrong == []
        reviewed += found.what["clean"]
    assert reviewed


@pytest.mark.parametrize(("name", "fault"), [(one.id, fault) for one in BILLING for fault in possible(one)])
def test_a_planted_mistake_is_found_and_nothing_else(name: str, fault: Fault) -> None:
    planted = 0
    for seed in SEEDS:
        found = missed(seed, lists()[name], (fault,))
        assert found.wrong == []
        planted += found.what[fault.value]
    assert planted


@pytest.mark.parametrize("name", [one.id for one in BILLING])
def test_several_mistakes_are_each_found_where_they_are(name: str) -> None:
    one, planted = lists()[name], 0
    for seed in SEEDS:
        for faults in together(seed, one):
            found = missed(seed, one, faults)
            assert found.wrong == []
            planted += found.what.total()
    assert planted > len(SEEDS) * 3
