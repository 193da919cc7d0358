"""The texts of the pages: complete in three languages, all used, none missing."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import kelmu_backend.identity
from kelmu_backend.identity import texts
from kelmu_tui.domain.organisations import Language

HERE = Path(kelmu_backend.identity.__file__).parent


def test_every_text_has_three_languages_with_the_same_places() -> None:
    for key, versions in texts.catalogue().items():
        assert set(versions) == {"fi", "sv", "en"}, key
        places = {frozenset(name for _, name, _, _ in Formatter().parse(text) if name) for text in versions.values()}
        assert len(places) == 1, key
        assert all(text.strip() == text and text for text in versions.values()), key


def test_no_text_is_missing_and_none_unused() -> None:
    sources = [*HERE.glob("*.py"), *HERE.glob("templates/*.html")]
    used = {key for path in sources for key in re.findall(r'\bt\("([a-z_.]+)"', path.read_text(encoding="utf-8"))}
    assert used == set(texts.catalogue())


def test_languages_do_not_repeat_each_other_by_mistake() -> None:
    same = {key for key, versions in texts.catalogue().items() if versions[Language.FI] == versions[Language.SV]}
    assert same == {"page.service"}
