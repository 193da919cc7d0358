"""Full collections are put off, and come back after the last who wanted that."""

from __future__ import annotations

import gc

from kelmu_tui.platform.collecting import no_full_collections


def test_full_collections_come_back_after_the_last() -> None:
    before = gc.get_threshold()
    first, second = no_full_collections(), no_full_collections()
    first.__enter__()
    assert gc.get_threshold()[:2] == before[:2]
    assert gc.get_threshold()[2] > 1_000_000
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[2] > 1_000_000
    second.__exit__(None, None, None)
    assert gc.get_threshold() == before


def test_full_collections_come_back_after_a_failure() -> None:
    before = gc.get_threshold()
    try:
        with no_full_collections():
            raise LookupError
    except LookupError:
        assert gc.get_threshold() == before
