"""What was found in a file is told in words that say what to do next."""

from __future__ import annotations

import pytest

from kelmu_tui.content.checking import inspect
from kelmu_tui.content.found import Active, What
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.services.content_words import detail_text
from tests.content.files import encrypted_pdf, simple_pdf


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_detail_has_its_own_sentences(language: str) -> None:
    t = Translator(language)
    told = [detail_text(t, detail) for detail in (*What, *Active)]
    assert len(set(told)) == len(told)
    assert all(text.endswith(".") and text.count(". ") == 1 for text in told)
    assert detail_text(t, "") == detail_text(t, "something new") == ""


def test_a_refused_file_is_told_by_what_it_is() -> None:
    t = Translator("en")
    said = {
        b"PK\x03\x04word/document.xml": "This is a word processor's document. Print it to PDF first.",
        b"\x00\x00\x00\x18ftypheic": "This is a phone's HEIC picture. Save it as JPEG first.",
        simple_pdf(catalog=b"/AcroForm << /XFA 4 0 R >>"): (
            "The PDF is an electronic form (XFA) that changes when it is opened. Print the filled form to a new PDF."
        ),
        encrypted_pdf(""): "",
    }
    assert {data: detail_text(t, inspect(data).detail) for data in said} == said
