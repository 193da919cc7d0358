"""Words for searching and keys for sorting: foreign text folded in one way, on writing and on asking.

The index keeps what this module wrote, so a change here needs a new `schema.REPLICA_VERSION`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from kelmu_tui.domain.notices import Kind
from kelmu_tui.domain.organisations import municipalities

MAX_WORDS: Final = 12
"""Words of a filter that count; more only cost time."""
_WORD: Final = re.compile(r"[^\W_]+")
# In the Finnish alphabet å, ä and ö are letters of their own after z; other marks only settle ties, so they go.
_ALPHABET: Final = str.maketrans({"å": "{", "ä": "|", "æ": "|", "ö": "}", "ø": "}", "ü": "y", "ß": "ss"})


def folded(text: str) -> list[str]:
    """Return the words of `text` without case and marks: letters and digits, in order."""
    text = text.casefold()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    return _WORD.findall(text)


def sort_key(text: str) -> str:
    """Return a key that sorts names by the Finnish alphabet in byte order."""
    text = unicodedata.normalize("NFC", text).casefold()
    if not text.isascii():
        text = text.translate(_ALPHABET)
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text


def asked(text: str) -> list[str]:
    """Return the beginnings of words that a filter asks for, without repetitions."""
    return list(dict.fromkeys(folded(text)))[:MAX_WORDS]


@cache
def kind_ranks() -> Mapping[str, int]:
    """Return the place of each kind in the catalogue."""
    return {kind.value: rank for rank, kind in enumerate(Kind)}


@cache
def municipality_ranks() -> Mapping[str, int]:
    """Return the place of each municipality (code) in the Finnish alphabet."""
    ordered = sorted(municipalities().values(), key=lambda m: (sort_key(m.name.fi), m.code))
    return {municipality.code: rank for rank, municipality in enumerate(ordered)}


@cache
def _municipality_words() -> Mapping[str, str]:
    return {
        code: " ".join(dict.fromkeys(folded(f"{m.name.fi} {m.name.sv} {m.name.en}")))
        for code, m in municipalities().items()
    }


@cache
def _kind_words() -> Mapping[str, str]:
    text = (files("kelmu_tui.domain.catalogue") / "notices.toml").read_text(encoding="utf-8")
    catalogue = tomllib.loads(text)
    return {
        row["id"]: " ".join(dict.fromkeys(folded(f"{row['code']} {row['fi']} {row['sv']} {row['en']}")))
        for row in catalogue["notice"]
    }


_URGENT: Final = "kiireellinen bradskande urgent"


def notice_words(row: Mapping[str, Any], municipality: str | None = None) -> str:
    """Return the folded words under which a notice (the wire's JSON) is found, with spaces around each.

    Names, kind, municipality and free text; nothing of where a person under non-disclosure lives.

    Args:
        municipality: code to use instead of the row's own, for a transfer that is still on its way.
    """
    customer, content = row["customer"], row["content"]
    text = [customer["family_name"], customer["given_names"]]
    if content.get("free_text"):
        text.append(content["free_text"])
    text.extend(note["text"] for note in row.get("notes") or ())
    if row.get("origin"):
        text.append(row["origin"]["reason"])
    found = [*folded("\n".join(text)), _kind_words().get(row["kind"], "")]
    if row["urgent"]:
        found.append(_URGENT)
    if not customer.get("non_disclosure"):
        found.append(_municipality_words().get(municipality or row["municipality"], ""))
    return f" {' '.join(found)} "
