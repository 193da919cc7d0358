"""The translator itself, on texts of its own."""

from __future__ import annotations

import pytest

from kelmu_tui import i18n
from kelmu_tui.i18n import MissingText, Translator, detect

TEXTS = {
    "plain": {"fi": "Kyllä", "sv": "Ja", "en": "Yes"},
    "marked": {
        "fi": {"one": "{count} merkitty", "other": "{count} merkittyä"},
        "sv": {"one": "{count} markerad", "other": "{count} markerade"},
        "en": "{count} marked",
    },
    "who": {"fi": "{name} otti", "sv": "{name} tog", "en": "{name} took"},
    "colour": {"red": {"fi": "punainen", "sv": "röd", "en": "red"}},
}


@pytest.fixture(autouse=True)
def _area(monkeypatch: pytest.MonkeyPatch) -> None:
    real = i18n.area
    monkeypatch.setattr(i18n, "area", lambda name: TEXTS if name == "trial" else real(name))


def test_each_language_and_the_fallback() -> None:
    assert [Translator(x)("trial.plain") for x in ("fi", "sv", "en", "de")] == ["Kyllä", "Ja", "Yes", "Kyllä"]


def test_plural_by_count_and_grouped_numbers() -> None:
    t = Translator("fi")
    assert t("trial.marked", count=1) == "1 merkitty"
    assert t("trial.marked", count=0) == "0 merkittyä"
    assert t("trial.marked", count=1204) == "1\N{NO-BREAK SPACE}204 merkittyä"
    assert Translator("en")("trial.marked", count=1) == "1 marked"


def test_a_value_is_never_read_as_a_template() -> None:
    assert Translator("en")("trial.who", name="{count} {name.__class__} [b]x[/b]") == (
        "{count} {name.__class__} [b]x[/b] took"
    )


def test_choice() -> None:
    t = Translator("sv")
    assert t.choice("trial.colour", "red") == "röd"
    assert t.choice("trial.colour", "blue", default="blue") == "blue"
    with pytest.raises(MissingText, match=r"trial\.colour\.blue"):
        t.choice("trial.colour", "blue")


@pytest.mark.parametrize("key", ["trial.nothing", "nowhere.plain", "trial", "trial.colour", "trial.plain.fi"])
def test_a_missing_text_raises_under_test_and_shows_its_key_elsewhere(key: str) -> None:
    with pytest.raises(MissingText):
        Translator("fi")(key)
    assert Translator("fi", strict=False)(key) == key


def test_a_missing_value_raises_under_test_and_stays_visible_elsewhere() -> None:
    with pytest.raises(MissingText, match="name"):
        Translator("fi")("trial.who")
    assert Translator("fi", strict=False)("trial.who") == "{name} otti"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "fi"),
        ({"LANG": "sv_FI.UTF-8"}, "sv"),
        ({"LANG": "C.UTF-8"}, "fi"),
        ({"LANG": "fi_FI.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "sv", "LANG": "en_US"}, "sv"),
    ],
)
def test_language_of_the_environment(environment: dict[str, str], language: str) -> None:
    assert detect(environment) == language
