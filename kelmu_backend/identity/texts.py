"""Texts of the sign-in pages in the three languages, and which of them a browser wants."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final, cast

from kelmu_tui.domain.organisations import Language

LANGUAGES: Final = (Language.FI, Language.SV, Language.EN)
NAMES: Final[Mapping[Language, str]] = {Language.FI: "Suomi", Language.SV: "Svenska", Language.EN: "English"}
"""Each language by its own name, for the links that switch."""


@cache
def catalogue() -> Mapping[str, Mapping[Language, str]]:
    """Return all texts by key and language."""
    source = resources.files("kelmu_backend.identity").joinpath("texts.toml").read_text(encoding="utf-8")
    return cast("Mapping[str, Mapping[Language, str]]", tomllib.loads(source))


class Texts:
    """The texts of one language: `t("code.label")`."""

    def __init__(self, language: Language) -> None:
        self.language: Final = language

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of `key` with `values` put in.

        Raises:
            KeyError: there is no such text, or it wants a value that isn't given.
        """
        text = catalogue()[key][self.language]
        return text.format(**values) if values else text


def known(language: str | None) -> Language | None:
    """Return `language` when it is one of ours, else None."""
    return Language(language) if language in set(LANGUAGES) else None


def preferred(accept_language: str) -> Language:
    """Return the language an Accept-Language header asks for first among ours; Finnish when none."""
    best = Language.FI
    weight = 0.0
    for item in accept_language[:400].split(","):
        tag, _, parameter = item.strip().partition(";")
        language = known(tag.strip().lower().split("-")[0])
        quality = _quality(parameter)
        if language is not None and quality > weight:
            best, weight = language, quality
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
