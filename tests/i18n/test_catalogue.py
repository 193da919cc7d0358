"""The catalogue is complete in three languages, and holds what the code asks for and nothing else."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from kelmu_tui.actions import REGISTRY
from kelmu_tui.actions.footer import cells
from kelmu_tui.domain.text import is_safe
from kelmu_tui.i18n import LANGUAGES, Text, Translator
from tests.i18n.catalogue import AREAS, Entry, entries, families, literals, placeholders, uses

ENTRIES = entries()
ACTION_KEYS = {key for action in REGISTRY.values() for key in (action.label_key, action.help_key)}
FOOTER_LABEL = 16
KIND_COLUMN = 21


def _forms(text: Text) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


@pytest.mark.parametrize("name", AREAS)
def test_every_text_is_in_all_three_languages(name: str) -> None:
    for key, entry in ENTRIES.items():
        if key.startswith(f"{name}."):
            assert isinstance(entry, dict), f"{key} is no text"
            assert set(entry) == set(LANGUAGES), key


@pytest.mark.parametrize("key", ENTRIES)
def test_texts_are_whole_and_safe(key: str) -> None:
    entry: Entry = ENTRIES[key]
    for text in entry.values():
        for form in _forms(text):
            # A prompt ends where the user begins to type.
            assert form == form.strip() + (" " if form.endswith(": ") else "")
            assert form
            assert is_safe(form, multiline=True)
            assert "[/" not in form, "markup is for nobody"


@pytest.mark.parametrize("key", ENTRIES)
def test_placeholders_and_plural_forms_agree(key: str) -> None:
    entry: Entry = ENTRIES[key]
    names = {language: placeholders(text) for language, text in entry.items()}
    assert names["fi"] == names["sv"] == names["en"]
    for text in entry.values():
        if not isinstance(text, str):
            assert set(text) == {"one", "other"}
            # A number that every language leaves out of "one" may be left out; a name may not.
            assert placeholders(text["one"]) | {"count"} == placeholders(text["other"]) | {"count"}


def test_families_have_one_text_for_each_value() -> None:
    for family, values in families().items():
        found = {key[len(family) + 1 :] for key in ENTRIES if key.startswith(f"{family}.")}
        assert found if values is None else found == values, family


def test_actions_have_their_texts() -> None:
    assert set(ENTRIES) >= ACTION_KEYS
    family_keys = tuple(f"{family}." for family in families())
    own = {key for key in ENTRIES if key.startswith("actions.") and not key.startswith(family_keys)}
    assert own <= ACTION_KEYS


def test_every_key_is_a_literal_that_exists() -> None:
    known = families()
    for use in uses():
        assert use.allowed, f"{use.where}: a key is put together, which no test can check"
        if use.key is None:
            continue
        if use.choice:
            assert use.key in known, f"{use.where}: {use.key} is no declared family"
        else:
            assert use.key in ENTRIES, f"{use.where}: there is no text {use.key}"


def test_every_call_gives_the_values_its_text_needs() -> None:
    for use in uses():
        if use.key is None or use.values is None:
            continue
        keys = [key for key in ENTRIES if key.startswith(f"{use.key}.")] if use.choice else [use.key]
        for key in keys:
            entry = ENTRIES.get(key, {})
            needed = set().union(*(placeholders(text) for text in entry.values()))
            if any(not isinstance(text, str) for text in entry.values()):
                needed.add("count")
            missing = needed - use.values
            assert not missing, f"{use.where}: {key} needs {missing}"


def test_no_text_is_unused() -> None:
    # The page of keys reads these two from the file.
    written = literals() | {"actions.group", "actions.context"}
    used_families = tuple(f"{family}." for family in families() if family in written)
    unused = sorted(
        key
        for key in ENTRIES
        if key not in written and key not in ACTION_KEYS and not key.startswith(used_families or ("\0",))
    )
    assert unused == []


def test_official_names_are_kept() -> None:
    text = (files("kelmu_tui.domain.catalogue") / "notices.toml").read_text(encoding="utf-8")
    facts = tomllib.loads(text)
    for language in LANGUAGES:
        t = Translator(language)
        for row in facts["notice"]:
            assert t.choice("kinds.full", row["id"]) == row[language]
        for row in facts["status"]:
            assert t.choice("kinds.status", row["id"]) == row[language]
        for row in facts["transfer_rule"]:
            if t.has(f"kinds.rule.{row['id']}"):
                assert t.choice("kinds.rule", row["id"]) == row[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_fit_where_they_stand(language: str) -> None:
    t = Translator(language)
    for action in REGISTRY.values():
        assert cells(t(action.label_key)) <= FOOTER_LABEL, action.id
    for key, entry in ENTRIES.items():
        if key.startswith(("kinds.short.", "kinds.urgent.")):
            for form in _forms(entry[language]):
                assert cells(form) <= KIND_COLUMN, key


def test_errors_are_sentences() -> None:
    for key, entry in ENTRIES.items():
        if key.startswith("errors."):
            for text in entry.values():
                assert all(form.endswith((".", "}.")) for form in _forms(text)), key
