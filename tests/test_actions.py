"""The registry of actions: sound in itself, remapped with every mistake reported, shown where it fits."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.actions import (
    ACTIONS,
    ACTIVE,
    REGISTRY,
    Context,
    Keymap,
    KeymapFault,
    KeymapProblem,
    State,
    Why,
    disabled,
    footer,
    parse_key,
    search,
    show_key,
)
from kelmu_tui.actions.__main__ import page
from kelmu_tui.actions.contexts import TYPING
from kelmu_tui.actions.footer import GAP, cells
from kelmu_tui.actions.keys import RESERVED, is_printable
from kelmu_tui.actions.registry import reachable
from kelmu_tui.i18n import Translator

ROOT = Path(__file__).parent.parent
EVERYTHING = State(capabilities=("notices_inbox", "notice_transfer"), selected=1, can_undo=True, can_repeat=True)

# Design, section 8: the keys people are told about.
DESIGNED = {
    "list.down": ("j", "down"),
    "list.up": ("k", "up"),
    "list.page_down": ("pagedown",),
    "list.page_up": ("pageup",),
    "list.top": ("g",),
    "list.bottom": ("G",),
    "list.open": ("enter", "l"),
    "app.back": ("q", "h", "escape"),
    "inbox.pane": ("tab",),
    "list.filter": ("slash",),
    "inbox.views": ("v",),
    "inbox.sort": ("s",),
    "list.mark": ("x",),
    "list.mark_range": ("X",),
    "list.mark_all": ("asterisk",),
    "main.undo": ("u",),
    "main.repeat": ("full_stop",),
    "main.sync": ("r",),
    "main.organisation": ("o",),
    "app.palette": ("colon", "ctrl+p"),
    "app.help": ("question_mark",),
    "inbox.transfer": ("t",),
    "inbox.take": ("a",),
    "inbox.release": ("A",),
    "inbox.handle": ("d",),
    "inbox.note": ("n",),
    "main.inbox": ("1",),
}


def test_ids_are_unique_and_the_design_is_kept() -> None:
    assert len(REGISTRY) == len(ACTIONS)
    for name, keys in DESIGNED.items():
        assert REGISTRY[name].keys[: len(keys)] == keys, name


def test_every_default_key_is_one_a_terminal_sends() -> None:
    for action in ACTIONS:
        for key in action.keys:
            assert parse_key(show_key(key, arrows=False)) == key, (action.id, key)
            assert key not in RESERVED
            assert not (is_printable(key) and not TYPING.isdisjoint(action.contexts)), (action.id, key)


def test_every_page_can_do_its_work_without_function_keys_or_modifiers() -> None:
    for action in ACTIONS:
        if action.keys and TYPING.isdisjoint(action.contexts) and action.id != "app.quit":
            assert any("+" not in key for key in action.keys), action.id


def test_no_key_means_two_things_on_a_screen() -> None:
    for context in ACTIVE:
        keys = [key for action in reachable(context) for key in action.keys]
        assert len(keys) == len(set(keys)), context


def test_every_context_is_active_somewhere_and_every_screen_can_be_left() -> None:
    assert {c for active in ACTIVE.values() for c in active} == set(Context)
    for context, active in ACTIVE.items():
        assert active[0] is context
        # Nobody gets past the lock by leaving it.
        assert (Keymap().find(context, "escape") is None) == (context is Context.LOCKED)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("?", "question_mark"),
        ("/", "slash"),
        ("ä", "ä"),
        ("T", "T"),
        ("ctrl+P", "ctrl+p"),
        ("Ctrl + p", "ctrl+p"),
        ("PgDn", "pagedown"),
        ("Esc", "escape"),
        ("F5", "f5"),
        ("shift+Tab", "shift+tab"),
        ("alt+x", "alt+x"),
        ("+", "plus"),
        ("Space", "space"),
        ("question_mark", "question_mark"),
        ("ctrl+i", None),  # a terminal sends tab
        ("ctrl+m", None),
        ("ctrl+shift+t", None),
        ("ctrl+enter", None),
        ("shift+t", None),  # that is T
        ("f25", None),
        ("hyper+x", None),
        ("ctrl+ctrl+p", None),
        ("", None),
        ("jk", None),
        ("\x1b", None),
        ("\u202e", None),
    ],
)
def test_parse_key(written: str, key: str | None) -> None:
    assert parse_key(written) == key


def test_character_names_are_those_of_textual() -> None:
    from textual.keys import _character_to_key

    for character in [*map(chr, range(33, 127)), *"åäöÅÄÖ§€"]:
        assert parse_key(character) == _character_to_key(character)


@given(st.text(max_size=12))
def test_any_text_is_a_key_or_none(text: str) -> None:
    key = parse_key(text)
    assert key is None or parse_key(show_key(key, arrows=False)) == key


def test_remapping() -> None:
    keymap = Keymap({"inbox.take": "m, F6", "app.mouse": "M"})
    assert keymap.problems == ()
    assert keymap.keys("inbox.take") == ("m", "f6")
    assert keymap.find(Context.INBOX, "m") is REGISTRY["inbox.take"]
    assert keymap.find(Context.INBOX, "a") is None
    assert keymap.find(Context.NOTICE, "f6") is REGISTRY["inbox.take"]


def test_two_actions_may_swap_their_keys() -> None:
    keymap = Keymap({"inbox.take": "t", "inbox.transfer": "a"})
    assert keymap.problems == ()
    assert keymap.find(Context.INBOX, "t") is REGISTRY["inbox.take"]


def test_the_same_key_on_different_screens_is_no_conflict() -> None:
    assert Keymap({"outbox.retry": "a"}).problems == ()


def test_an_action_may_lose_its_keys_unless_it_is_essential() -> None:
    keymap = Keymap({"list.mark_all": "none", "app.back": ""})
    assert keymap.keys("list.mark_all") == ()
    assert keymap.keys("app.back") == ("q", "h", "escape")
    assert keymap.problems == (KeymapProblem(KeymapFault.ESSENTIAL, "app.back"),)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("inbox.fly", "f", KeymapProblem(KeymapFault.UNKNOWN_ACTION, "inbox.fly")),
        ("inbox.take", "ctrl+enter", KeymapProblem(KeymapFault.UNUSABLE_KEY, "inbox.take", "ctrl+enter")),
        ("inbox.take", "m, ctrl+c", KeymapProblem(KeymapFault.RESERVED_KEY, "inbox.take", "ctrl+c")),
        ("dialog.accept", "y", KeymapProblem(KeymapFault.TYPED_KEY, "dialog.accept", "y")),
        ("inbox.take", "t", KeymapProblem(KeymapFault.CONFLICT, "inbox.take", "t", "inbox.transfer")),
        # The list's keys and the page's work on the inbox too.
        ("inbox.take", "u", KeymapProblem(KeymapFault.CONFLICT, "inbox.take", "u", "main.undo")),
        ("main.undo", "j", KeymapProblem(KeymapFault.CONFLICT, "main.undo", "j", "list.down")),
    ],
)
def test_a_mistake_is_reported_and_the_default_stays(name: str, text: str, problem: KeymapProblem) -> None:
    keymap = Keymap({name: text})
    assert keymap.problems == (problem,)
    for action in ACTIONS:
        assert keymap.keys(action.id) == action.keys


_WRITTEN = st.one_of(
    st.sampled_from(["a", "t", "j", "none", "", ",", "x,y", "enter", "ctrl+p", "ctrl+c", "f5", "esc"]),
    st.text(max_size=6),
)


@given(st.dictionaries(st.sampled_from([*REGISTRY, "no.such"]), _WRITTEN, max_size=12))
def test_whatever_the_settings_say_the_keymap_is_sound(changes: dict[str, str]) -> None:
    keymap = Keymap(changes)
    for context in ACTIVE:
        keys = [key for action in reachable(context) for key in keymap.keys(action.id)]
        assert len(keys) == len(set(keys))
    for action in ACTIONS:
        assert keymap.keys(action.id) or not action.essential or not action.keys
    blamed = {problem.action for problem in keymap.problems}
    for name in changes:
        if name in REGISTRY and name in blamed:
            assert keymap.keys(name) == REGISTRY[name].keys


def test_why_an_action_is_disabled() -> None:
    transfer, undo, repeat = REGISTRY["inbox.transfer"], REGISTRY["main.undo"], REGISTRY["main.repeat"]
    assert disabled(transfer, EVERYTHING) is None
    assert disabled(transfer, State(capabilities=("notices_inbox",), selected=1)) is Why.CAPABILITY
    assert disabled(transfer, State(capabilities=("notice_transfer",))) is Why.NOTHING_SELECTED
    assert disabled(transfer, State(capabilities=("notice_transfer",), selected=2, online=False)) is None
    assert disabled(REGISTRY["main.sync"]._replace(needs_network=True), State(online=False)) is Why.OFFLINE
    # Trying again is what one wants to do offline, and the way back in after the session has ended.
    assert disabled(REGISTRY["main.sync"], State(online=False)) is None
    search_log = REGISTRY["supervision.search"]
    assert disabled(search_log, State(capabilities=("customer_lookup",))) is Why.SUPERVISION
    # What was typed waits in the box for the connection.
    assert disabled(search_log, State(supervisor=True, online=False)) is None
    assert disabled(REGISTRY["supervision.copy"], State(supervisor=True)) is Why.NOTHING_SELECTED
    assert disabled(undo, State()) is Why.NOTHING_TO_UNDO
    assert disabled(repeat, State(can_repeat=True)) is Why.NOTHING_TO_REPEAT


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
@pytest.mark.parametrize("context", list(ACTIVE))
def test_the_footer_fits_and_counts_what_is_missing(context: Context, language: str) -> None:
    keymap, translate = Keymap(), Translator(language)
    everything = footer(context, keymap, translate, 10_000, EVERYTHING)
    assert everything.more == 0
    before = -1
    for width in range(160):
        found = footer(context, keymap, translate, width, EVERYTHING)
        parts = [*(f"{hint.key} {hint.label}" for hint in found.hints), *filter(None, [found.rest])]
        assert not found.hints or cells((" " * GAP).join(parts)) <= width
        assert len(found.hints) + found.more == len(everything.hints)
        # More room never shows less; the help is the last to go.
        assert len(found.hints) >= before
        assert (
            not found.hints
            or Context.GLOBAL not in ACTIVE[context]
            or "app.help" in {hint.action.id for hint in found.hints}
        )
        before = len(found.hints)


def test_the_footer_of_the_design() -> None:
    found = footer(Context.INBOX, Keymap(), Translator("fi"), 80, EVERYTHING)
    assert "  ".join(f"{hint.key} {hint.label}" for hint in found.hints) == (
        "t siirrä  a ota  d käsitelty  x merkitse  / suodata  u kumoa  ? ohje"
    )


def test_the_footer_leaves_out_what_no_mandate_opens_and_keeps_what_is_off_for_now() -> None:
    found = footer(Context.INBOX, Keymap(), Translator("fi"), 200, State(capabilities=("notices_inbox",)))
    usable = {hint.action.id: hint.usable for hint in found.hints}
    assert "inbox.transfer" not in usable
    assert usable["inbox.take"] is False
    assert usable["app.help"] is True


@pytest.mark.parametrize(
    ("language", "query", "name"),
    [
        ("fi", "siirrä", "inbox.transfer"),
        ("fi", "SIIRRA", "inbox.transfer"),
        ("fi", "kasit", "inbox.handle"),
        ("fi", "t", "inbox.transfer"),
        ("sv", "över kommun", "inbox.transfer"),
        ("en", "give back team", "inbox.release"),
        ("en", "?", "app.help"),
        ("en", "list.filter", "list.filter"),
        ("en", "syc", "main.sync"),
    ],
)
def test_search_finds_by_label_help_key_id_and_scattered_letters(language: str, query: str, name: str) -> None:
    assert search(query, Keymap(), Translator(language))[0].action.id == name


def test_search_shows_all_without_a_word_and_nothing_for_nonsense() -> None:
    assert [match.action for match in search(" ", Keymap(), Translator("fi"))] == list(ACTIONS)
    assert search("xyzzyq", Keymap(), Translator("fi")) == []


@given(st.text(max_size=20))
def test_search_survives_any_query(query: str) -> None:
    for match in search(query, Keymap(), Translator("sv")):
        assert match.score > 0 or not query.split()


def test_the_page_of_keys_is_up_to_date() -> None:
    assert (ROOT / "docs" / "keys.md").read_text(encoding="utf-8") == page(), "run python -m kelmu_tui.actions"


def test_the_registry_knows_nothing_of_the_screen() -> None:
    for path in (ROOT / "kelmu_tui" / "actions").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in ("textual", "rich")


def test_every_action_is_something_the_faces_do() -> None:
    done = {
        node.name
        for folder in ("screens", "widgets")
        for path in (ROOT / "kelmu_tui" / folder).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    } | {
        node.name
        for node in ast.walk(ast.parse((ROOT / "kelmu_tui" / "app.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert [action.id for action in ACTIONS if f"action_{action.method}" not in done] == []
