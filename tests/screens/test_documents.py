"""Sendings on the screen: every state in words, live from the store, the acts, and what is closed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kelmu_tui.domain.documents import SendingState
from kelmu_tui.screens.closed import ClosedPartScreen
from kelmu_tui.screens.documents import DocumentsScreen
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.sending import SendingScreen
from kelmu_tui.store import outbox
from kelmu_tui.sync.status import Connection
from tests.screens.sendings import (
    NAME,
    RECEIPT,
    SENDER,
    SendingsOffice,
    listing,
    page,
    refused_document,
    row,
    sending,
    words,
)
from tests.screens.support import HOSTILE, LANGUAGES, SESSION, SIZES, check_grid, press, settled, text_of
from tests.store.customer_lines import CODE
from tests.widgets.support import until

OFFLINE = Connection.OFFLINE


def taken(app: SendingsOffice, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts that go to the clipboard."""
    found: list[str] = []
    monkeypatch.setattr(app, "send_copy", found.append)
    return found


def beats(app: SendingsOffice) -> bool:
    """Tell whether the list looks at the speed."""
    screen = app.screen
    assert isinstance(screen, DocumentsScreen)
    return screen._beat is not None and screen._beat._active.is_set()


async def test_nothing_was_sent_yet_and_it_is_said_how_to_begin(tmp_path: Path) -> None:
    async with listing(tmp_path) as (app, _):
        assert "Lähetyksiä ei ole. Uusi: n." in text_of(app)
        assert "asiakkaan pyynnöstä" in words(app)


async def test_a_sending_waits_goes_up_and_is_received_before_the_eyes_of_the_user(tmp_path: Path) -> None:
    async with listing(tmp_path, size=(120, 40)) as (app, pilot):
        id_ = app.queue()
        await settled(pilot)
        assert "odottaa" in text_of(app)
        assert "Lähtee vuorollaan" in words(app)
        size = app.desk.sendings.lines()[0].size if app.desk is not None else 0
        app.upload_rate = 100.0
        app.copy(id_, state="begun", sent=size // 2)
        await settled(pilot)
        assert f"siirretään {size // 2 * 100 // size}\N{NO-BREAK SPACE}%" in text_of(app)
        assert "█" in text_of(app)
        assert "100\N{NO-BREAK SPACE}t/s" in text_of(app)
        app.copy(id_, state="whole", sent=size)
        await settled(pilot)
        assert "lähetetään" in text_of(app)
        assert "Kela tarkastaa asiakirjat" in words(app)
        app.hold([row(id_, customer_name=NAME)])
        await settled(pilot)
        assert RECEIPT in text_of(app)
        assert "vastaanotettu" in text_of(app)
        assert "Suojatut kopiot on tuhottu" in words(app)


async def test_without_a_connection_it_is_said_that_it_waits_for_one(tmp_path: Path) -> None:
    async with listing(tmp_path, size=(120, 40)) as (app, pilot):
        id_ = app.queue()
        app.copy(id_, state="begun", sent=10)
        app.set_status(state=OFFLINE)
        await settled(pilot)
        assert "odottaa yhteyttä" in text_of(app)
        assert "lähtee itsestään, kun yhteys palaa" in words(app)
        app.set_status(state=Connection.ONLINE)
        await settled(pilot)
        assert "odottaa yhteyttä" not in text_of(app)


async def test_the_speed_is_looked_at_only_while_something_goes_up(tmp_path: Path) -> None:
    async with listing(tmp_path, size=(120, 40)) as (app, pilot):
        assert not beats(app)
        id_ = app.queue()
        app.copy(id_, state="begun", sent=10)
        app.upload_rate = 1000.0
        await settled(pilot)
        assert beats(app)
        assert "/s," in text_of(app)
        app.upload_rate = None
        await until(pilot, lambda: "/s," not in text_of(app), "no speed any more")
        app.copy(id_, state="whole")
        await settled(pilot)
        assert not beats(app)


STATES = {
    "checked": (row("a", state=SendingState.CHECKED), "Kela on ottanut asiakirjat käsittelyyn"),
    "partly": (
        row("a", state=SendingState.CHECKED, documents=[row("b")["documents"][0], refused_document()]),
        "Kela hylkäsi yhden asiakirjan",
    ),
    "refused": (row("a", state=SendingState.REFUSED, documents=[refused_document()]), "Kela hylkäsi kaikki"),
}


@pytest.mark.parametrize("state", STATES)
async def test_what_kela_says_is_told_with_the_reason_of_each_document(tmp_path: Path, state: str) -> None:
    made, said = STATES[state]
    async with listing(tmp_path, [made], size=(120, 40)) as (app, pilot):
        assert said in words(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, SendingScreen)
        assert said in words(app)
        assert RECEIPT in words(app)
        assert "Asiakas itse, puhelimessa, 20.11.2026" in words(app)
        assert "22.12.2026" in words(app)
        assert ("Tiedosto on rikki" in words(app)) == (state != "checked")


async def test_a_refused_sending_says_why_and_can_be_given_again_or_cancelled(tmp_path: Path) -> None:
    async with listing(tmp_path, size=(120, 40)) as (app, pilot):
        id_ = app.queue()
        app.refuse(id_, rule="sending_customer")
        await settled(pilot)
        assert "1 odottaa sinua" in text_of(app)
        assert "Hae ensin asiakkaan tiedot" in words(app)
        assert "Suojatut kopiot ovat yhä tallessa" in words(app)
        await press(pilot, "t")
        assert "Yritetään uudelleen" in text_of(app)
        assert app.command(id_).state is outbox.State.QUEUED
        assert app.pokes
        await press(pilot, "c", "down", "enter")
        assert "Lähetyksiä ei ole" in text_of(app)
        assert app.held() == 0


async def test_a_broken_copy_is_not_sent_and_the_files_have_to_be_chosen_again(tmp_path: Path) -> None:
    async with listing(tmp_path, size=(120, 40)) as (app, pilot):
        id_ = app.queue()
        app.copy(id_, state="broken", problem=json.dumps({"code": "copy_broken", "rule": "copy_broken"}))
        app.refuse(id_, rule="copy_broken")
        await settled(pilot)
        assert "vioittunut tai kadonnut" in words(app)
        assert "Valitse tiedostot uudelleen: n" in words(app)


async def test_cancelling_asks_first_and_leaves_the_file_of_the_user(tmp_path: Path) -> None:
    async with listing(tmp_path) as (app, pilot):
        app.queue()
        await settled(pilot)
        await press(pilot, "c")
        assert "Perutaanko lähetys?" in text_of(app)
        await press(pilot, "enter")  # the cursor stands on leaving it
        assert app.held() == 1
        await press(pilot, "c", "down", "enter")
        assert "Lähetys peruttiin" in text_of(app)
        assert app.held() == 0
        assert (tmp_path / "queued.pdf").exists()


async def test_what_was_received_cannot_be_cancelled_or_retried(tmp_path: Path) -> None:
    async with listing(tmp_path, [row("a")]) as (app, pilot):
        await press(pilot, "c")
        assert "Kela on jo vastaanottanut" in text_of(app)
        await press(pilot, "t")
        assert "Kela on jo vastaanottanut" in text_of(app)
        assert isinstance(app.screen, DocumentsScreen)


async def test_what_is_on_its_way_at_kela_cannot_be_cancelled_just_now(tmp_path: Path) -> None:
    async with listing(tmp_path) as (app, pilot):
        id_ = app.queue()
        with app.store.write() as db:
            outbox.freeze(db, app.command(id_).id)
            app.store.changed("command", keys=(id_,))
        await settled(pilot)
        await press(pilot, "c", "down", "enter")
        assert "ei voi juuri nyt perua" in text_of(app)
        assert app.held() == 1


async def test_another_terminal_may_have_been_faster(tmp_path: Path) -> None:
    async with listing(tmp_path) as (app, pilot):
        id_ = app.queue()
        await settled(pilot)
        await press(pilot, "c", "down")
        assert app.desk is not None
        app.desk.sendings.cancel(id_)
        await press(pilot, "enter")
        assert "Lähetystä ei enää ole" in text_of(app)


async def test_the_receipt_is_copied_as_text_without_the_code_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listing(tmp_path, [row("a", case_reference="TAY 7/2026")]) as (app, pilot):
        found, before = taken(app, monkeypatch), len(app.looks())
        await press(pilot, "y")
        (text,) = found
        assert text.startswith("Asiakirjojen lähetys Kelaan: kuittaus")
        for part in (RECEIPT, "Korpi, Eero ******-*123", "Laura Koski", "TAY 7/2026", "22.11.2026", "1. Tiliote"):
            assert part in text
        assert len(app.looks()) == before + 1


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
async def test_of_a_document_that_is_refused_it_is_said_which_why_and_what_helps(tmp_path: Path, language: str) -> None:
    async with listing(tmp_path, language=language) as (app, pilot):
        app.refuse(app.queue(), rule="sending_document", document=0, fault="active_content")
        await settled(pilot)
        assert app.t("documents.fault.active_content")[:50] in words(app)
        await press(pilot, "enter")
        assert app.t("documents.fault.active_content")[:50] in words(app)
        said = app.t("sending_view.next_replace", cancel="c", new="n")
        assert said in words(app)


async def test_what_has_no_receipt_is_copied_as_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listing(tmp_path) as (app, pilot):
        found = taken(app, monkeypatch)
        app.refuse(app.queue(), rule="sending_customer")
        await settled(pilot)
        await press(pilot, "y")
        assert "ei kuittausta" in found[0]
        assert "Hae ensin asiakkaan tiedot" in found[0]
        assert CODE not in found[0]


async def test_the_explanation_begins_with_the_state_at_hand(tmp_path: Path) -> None:
    async with listing(tmp_path, [row("a")], size=(120, 40)) as (app, pilot):
        await press(pilot, "K")
        assert "Mitä asiakirjoille tapahtuu" in text_of(app)
        assert words(app).index("Kela on antanut kuittauksen") < words(app).index("Odottaa vuoroaan")
        assert "10 tiedostoa" in words(app)
        await press(pilot, "q")
        assert isinstance(app.screen, DocumentsScreen)


async def test_names_are_shown_only_after_the_look_is_logged_and_not_again_for_bytes(tmp_path: Path) -> None:
    async with listing(tmp_path, [row("a")]) as (app, pilot):
        assert app.looks() == [("customer_list:sendings", 1)]
        id_ = app.queue()
        await settled(pilot)
        assert len(app.looks()) == 2
        app.copy(id_, state="begun", sent=5)
        await settled(pilot)
        assert len(app.looks()) == 2
        await press(pilot, "enter")
        assert len(app.looks()) == 3
        app.copy(id_, sent=9)
        await settled(pilot)
        assert len(app.looks()) == 3


async def test_the_page_follows_its_sending_to_the_receipt(tmp_path: Path) -> None:
    async with listing(tmp_path, size=(120, 40)) as (app, pilot):
        id_ = app.queue()
        await settled(pilot)
        await press(pilot, "enter")
        assert "Edunvalvoja, kirjeellä" in words(app)
        assert "TAY 7/2026" in words(app)
        app.hold([row(id_, customer_name=NAME)])
        await settled(pilot)
        assert page(app).line is not None
        assert RECEIPT in words(app)
        await press(pilot, "q")
        assert RECEIPT in words(app)


async def test_a_sending_that_goes_leaves_an_honest_page(tmp_path: Path) -> None:
    async with listing(tmp_path) as (app, pilot):
        id_ = app.queue()
        await settled(pilot)
        await press(pilot, "enter")
        assert app.desk is not None
        app.desk.sendings.cancel(id_)
        await settled(pilot)
        assert "ei ole enää täällä" in words(app)
        await press(pilot, "c", "t", "y")
        assert isinstance(app.screen, SendingScreen)


async def test_when_the_mandate_ends_no_name_is_shown_any_more(tmp_path: Path) -> None:
    async with listing(tmp_path, [row("a")], size=(120, 40)) as (app, pilot):
        assert "Korpi" in text_of(app)
        app.lose()
        await settled(pilot)
        assert "Korpi" not in text_of(app)
        assert "Valtuutesi ei avaa asiakirjojen lähettämistä" in text_of(app)
        assert "näkyvät Lähetetyissä" in words(app)


async def test_without_the_mandate_the_section_explains_what_is_needed(tmp_path: Path) -> None:
    async with sending(tmp_path, session=SESSION, mandates=("benefit_viewing_and_claims",)) as (app, pilot):
        await press(pilot, "9")
        await until(pilot, lambda: isinstance(app.screen, ClosedPartScreen), "the explanation")
        await settled(pilot)
        assert "Asiakirjojen lähetys" in text_of(app)


def test_where_documents_alone_are_open_the_app_begins_with_them(tmp_path: Path) -> None:
    app = SendingsOffice(tmp_path)
    try:
        assert app.desk is not None
        app.desk.session = SENDER._replace(capabilities=frozenset({"documents_send"}))
        assert isinstance(KelmuApp._first_screen(app.desk), DocumentsScreen)
    finally:
        app.thread.close()


async def test_a_sending_can_be_filtered_and_found(tmp_path: Path) -> None:
    async with listing(tmp_path, [row("a"), row("b", customer_name="Lahti, Aune")]) as (app, pilot):
        await press(pilot, "slash", "l", "a", "h", "t", "enter")
        assert "Lahti" in text_of(app)
        assert "Korpi" not in text_of(app)
        await press(pilot, "escape")
        assert "Korpi" in text_of(app)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_all_states_stand_in_every_size_and_language(
    tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    rows = [
        row("a", customer_name=HOSTILE[:100] if language != "en" else "Plain, Name"),
        row("b", state=SendingState.CHECKED, documents=[row("c")["documents"][0], refused_document()]),
        row("d", state=SendingState.REFUSED, documents=[refused_document("encrypted")]),
    ]
    async with listing(tmp_path, rows, size, language=language, ascii_only=language == "en") as (app, pilot):
        app.copy(app.queue(), state="begun", sent=7)
        await settled(pilot)
        for _ in range(4):
            check_grid(app, size)
            await press(pilot, "enter")
            check_grid(app, size)
            if language == "en":
                assert text_of(app).isascii()
            await press(pilot, "q", "j")
        await press(pilot, "K")
        check_grid(app, size)
