"""Foreign text: whatever comes in, nothing that can steer a terminal or turn a sentence around gets through."""

from __future__ import annotations

import unicodedata
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.text import REPLACEMENT, clean, is_safe

# Visible, or needed to write: joiners, the soft hyphen that word processors leave, and signs that stand for numbers.
HARMLESS = frozenset("\u200c\u200d\u00ad\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd") | {
    chr(code) for code in range(0x0600, 0x0606)
}
FORBIDDEN = frozenset(
    letter
    for letter in map(chr, range(0x110000))
    if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and letter not in HARMLESS
)
"""What the Unicode database itself calls a control, a format character, a surrogate or a separator of lines."""
MARKS = frozenset(map(chr, range(0x0300, 0x0370)))

ATTACKS = [
    "\x1b[2J\x1b[H",
    "\x1b]0;otsikko\x07",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x1b]8;;http://example.invalid\x1b\\linkki\x1b]8;;\x1b\\",
    "\x1bPq#0;2;0;0;0\x1b\\",
    "\x1b[?1049h",
    "\x1b[6n",
    "\x1b[>0q",
    "\x1b[21t",
    "\x1bc",
    "\x1b(0lqqk",
    "\x9b31mpunainen\x9b0m",
    "\x9d0;otsikko\x9c",
    "\x90q\x9c",
    "\x07\x07\x07",
    "Virtanen\x08\x08\x08\x08\x08Korho",
    "salasana\rSALASANA",
    "\x00\x00",
    "\x7f\x7f",
    "\x0e\x0f",
    "\x0b\x0c",
    "\u202eirtrap\u202c",
    "\u2067oikealta\u2069",
    "\u200e\u200f\u061c",
    "\u202aa\u202bb\u202dc",
    "a\u2028b\u2029c",
    "\ufeffBOM",
    "nolla\u200bleveä\u2060sana",
    "\u2061\u2062\u2063\u2064",
    "\u206a\u206b\u206c\u206d\u206e\u206f",
    "\ufff9a\ufffab\ufffb",
    "\U000e0001\U000e0074\U000e0065\U000e007f",
    "\ud83d\ude00",
    "\udcff",
    "Z" + "\u0336\u0337\u0338" * 40,
    "a" + "\u0344" * 3,
    "o" + "\u0301" * 4,
    "\u180e\U0001d173\U0001bca0\U00013437",
    "\x85seuraava",
    "e\u0301\u0301\u0301\u0301\u0301",
    "\u20dd" * 9,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
]
SETTINGS = ["{}", "Virtanen {} Aino", "{}\nrivi", "[bold]{}[/bold]", "\t{}\t"]
HOSTILE = [setting.format(attack) for attack, setting in product(ATTACKS, SETTINGS)]


def _survivors(text: str, *, multiline: bool) -> set[str]:
    allowed = set("\n\t") if multiline else set()
    return {letter for letter in text if letter in FORBIDDEN - allowed}


def _longest_run(text: str) -> int:
    longest = run = 0
    for letter in text:
        run = run + 1 if letter in MARKS else 0
        longest = max(longest, run)
    return longest


def _check(text: str, *, multiline: bool) -> None:
    cleaned = clean(text, multiline=multiline)
    assert not _survivors(cleaned, multiline=multiline)
    assert _longest_run(cleaned) <= 3
    assert is_safe(cleaned, multiline=multiline)
    assert clean(cleaned, multiline=multiline) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    cleaned.encode("utf-8")


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 200


@pytest.mark.parametrize("multiline", [False, True])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text(text: str, multiline: bool) -> None:
    _check(text, multiline=multiline)


@pytest.mark.parametrize("multiline", [False, True])
def test_every_forbidden_character_is_replaced(multiline: bool) -> None:
    for letter in FORBIDDEN - set("\t\n\r"):
        assert clean(f"a{letter}b", multiline=multiline) == f"a{REPLACEMENT}b", hex(ord(letter))
        assert not is_safe(f"a{letter}b", multiline=multiline)


@given(text=st.text(st.characters(), max_size=60), multiline=st.booleans())
def test_any_text(text: str, multiline: bool) -> None:
    _check(text, multiline=multiline)


@given(
    text=st.text(
        st.sampled_from("aäÅ o\u0301\u0308\u0344\u0323\u3099か\n\t\r\x1b\u202e\u0f71\U0001d160\u0958"), max_size=40
    ),
    multiline=st.booleans(),
)
def test_text_of_difficult_letters(text: str, multiline: bool) -> None:
    _check(text, multiline=multiline)


@pytest.mark.parametrize(
    "text",
    [
        "Äijälä, Yrjö-Pekka",
        "Čálbmi Ŋ ŧ ž š đ",
        "O’Connor D'Arcy",
        "Nguyễn Thị Mỹ Duyên",
        "[kiireellinen] <b> {x} %s \\n $HOME `ls` =SUMMA(A1)",
        "🙂 👩‍👧",
        "578,43 €",
        "عربي",
        "עברית",
        "日本語 ภาษาไทย",
        "می‌خواهم",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text
    assert is_safe(text)


def test_line_breaks() -> None:
    assert clean("a\r\nb\rc\nd", multiline=True) == "a\nb\nc\nd"
    assert clean("a\r\nb\tc\n\nd") == "a b c d"
    assert is_safe("a\nb\tc", multiline=True)
    assert not is_safe("a\nb")


def test_composed_and_decomposed_names_become_one() -> None:
    assert clean("A\u0308ija\u0308la\u0308") == clean("Äijälä") == "Äijälä"
