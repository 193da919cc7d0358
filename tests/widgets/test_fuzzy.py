"""Finding by a few letters."""

from __future__ import annotations

import pytest

from kelmu_tui.domain.organisations import municipalities
from kelmu_tui.widgets.fuzzy import fold, score


@pytest.mark.parametrize(
    ("query", "best"),
    [("ylo", "Ylöjärvi"), ("aht", "Ähtäri"), ("ÄHT", "Ähtäri"), ("nokia", "Nokia"), ("man vil", "Mänttä-Vilppula")],
)
def test_the_place_that_is_meant_comes_first(query: str, best: str) -> None:
    names = [municipality.name.fi for municipality in municipalities().values()]
    found = sorted(names, key=lambda name: -score(query, name))
    assert found[0] == best
    assert score(query, best) > 0


def test_every_word_has_to_be_found() -> None:
    assert score("tampere pirkanmaa", "Tampere Pirkanmaan hyvinvointialue")
    assert not score("tampere kainuu", "Tampere Pirkanmaan hyvinvointialue")
    assert score("", "anything")


def test_better_places_count_more() -> None:
    start, word, part, scattered = (score("lap", text) for text in ("Lapua", "Kita Lappi", "Kilappa", "Laihian piha"))
    assert start > word > part > scattered > 0
    assert not score("lap", "Lomaa illalla, pitkä tie")


def test_folding_forgets_case_and_diacritics_only() -> None:
    assert fold("Ähtäri Öja Åbo É") == "ahtari oja abo e"
