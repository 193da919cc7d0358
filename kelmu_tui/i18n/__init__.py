"""Every text of the interface in Finnish, Swedish and English.

A text is asked for by its key, `area.name`; `catalogue/<area>.toml` holds it and is read on the area's first use:

    [marked]                     # t("inbox.marked", count=3)
    fi = { one = "{count} merkitty", other = "{count} merkittyä" }
    sv = { one = "{count} markerad", other = "{count} markerade" }
    en = "{count} marked"

A plural text chooses its form by the value `count`. Keys are literal strings where they are used, so that a test can
find missing and unused ones. Texts chosen by a value stand in a family, a table of texts asked for with `choice`:

    [_families]                  # t.choice("errors.refusal", Refusal.NOT_TAKEN)
    refusal = "kelmu_tui.domain.notices:Refusal"
    trace = ["sent", "opened", "taken_back"]

    [refusal.not_taken]
    fi = "…"

`_families` names the enumeration (`module:name`; an Enum, a `Literal` or a collection of strings) or lists the values;
the test demands exactly one text for each. A family that something else keeps complete is declared as `"open"`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from enum import Enum
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import tomli

from kelmu_tui.domain.organisations import Language
from kelmu_tui.i18n.formats import Formats

LANGUAGES: Final = tuple(language.value for language in Language)
"""Languages of the interface, the first is the one to fall back on."""

FAMILIES: Final = "_families"

_CATALOGUE: Final = Path(__file__).with_name("catalogue")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")

Text = str | Mapping[str, str]
"""One text, or its plural forms `one` and `other`."""


class MissingText(LookupError):
    """A text, one of its values or its form is not there; raised only while the tests run."""


@cache
def area(name: str) -> Mapping[str, Any]:
    """Return the texts of an area by key; families are nested.

    Raises:
        FileNotFoundError: there is no such area.
    """
    # Compiled tomli, not the library's tomllib: a start reads four areas, and it takes a quarter of the time.
    return tomli.loads((_CATALOGUE / f"{name}.toml").read_text(encoding="utf-8"))


def detect(environment: Mapping[str, str]) -> str:
    """Return the interface language that the locale variables ask for, Finnish when they name none of the three."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        wanted = environment.get(variable, "")
        if wanted:
            return wanted[:2].lower() if wanted[:2].lower() in LANGUAGES else LANGUAGES[0]
    return LANGUAGES[0]


class Translator:
    """Texts in one language: call it with a key and the values of its placeholders.

    A missing text shows its key, since a user is better served by an odd word than by a crash; under pytest
    (`strict`) it raises.
    """

    def __init__(self, language: str, *, strict: bool | None = None) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._strict = "PYTEST_VERSION" in os.environ if strict is None else strict
        self._found: dict[str, Text] = {}

    @cached_property
    def formats(self) -> Formats:
        """Dates, times, numbers and sums in this language."""
        return Formats(self.language)

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text of `key` (`area.name`) with `values` in its placeholders; integers are grouped.

        Raises:
            MissingText: the text or a value is missing, and the tests run.
        """
        text = self._text(key)
        if text is None:
            return self._missing(key, key)
        if not isinstance(text, str):
            text = text["one" if values.get("count") == 1 else "other"]
        if "{" not in text:
            return text
        return _PLACEHOLDER.sub(lambda match: self._value(key, match, values), text)

    def choice(self, family: str, value: str | Enum, /, default: str | None = None, **values: object) -> str:
        """Return the text of `value` in `family` (`area.family`).

        Args:
            default: shown for a value without a text, which a newer backend may send; without it a missing text is
                a mistake, as in a call.
        """
        name = value.value if isinstance(value, Enum) else value
        key = f"{family}.{name}"
        if default is not None and self._text(key) is None:
            return default
        return self(key, **values)

    def has(self, key: str) -> bool:
        """Tell whether there is a text for `key`."""
        return self._text(key) is not None

    def _text(self, key: str) -> Text | None:
        found = self._found.get(key)
        if found is None:
            found = self._look_up(key)
            if found is not None:
                self._found[key] = found
        return found

    def _look_up(self, key: str) -> Text | None:
        name, *path = key.split(".")
        try:
            node: Any = area(name)
        except FileNotFoundError:
            return None
        for step in (*path, self.language):
            if not isinstance(node, Mapping) or step not in node:
                return None
            node = node[step]
        text: Text = node
        return text

    def _value(self, key: str, match: re.Match[str], values: Mapping[str, object]) -> str:
        name = match.group(1)
        if name not in values:
            return self._missing(f"{key} without {name}", match.group())
        value = values[name]
        if isinstance(value, int) and not isinstance(value, bool):
            return self.formats.number(value)
        return str(value)

    def _missing(self, what: str, shown: str) -> str:
        if self._strict:
            raise MissingText(what)
        return shown
