"""The form of a sending: files that are checked beside it, good and bad ones, the preview, and handing it in."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kelmu_tui.content import checking
from kelmu_tui.domain.documents import limits
from kelmu_tui.screens.documents import DocumentsScreen
from kelmu_tui.screens.sending_form import Begin, SendingFormScreen
from kelmu_tui.screens.sending_preview import SendingPreviewScreen
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.sync.status import Connection
from tests.content import files
from tests.screens.sendings import NAME, SendingsOffice, add, fill_in, filling, form, top, words
from tests.screens.support import LANGUAGES, SIZES, check_grid, press, settled, text_of, type_text
from tests.store.customer_lines import CODE
from tests.widgets.support import until

BEGIN = Begin(CODE, NAME)


async def sent(app: SendingsOffice, pilot: object) -> None:
    """Wait until the form has gone with its sending."""
    await until(pilot, lambda: isinstance(app.screen, DocumentsScreen), "the list")  # type: ignore[arg-type]
    await settled(pilot)  # type: ignore[arg-type]


# --- the whole way ---------------------------------------------------------------------------------------------------


async def test_a_sending_is_made_by_keys_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "salainen nimi.jpg").write_bytes(files.jpeg_of(exif=files.exif_of()))
    async with filling(tmp_path) as (app, pilot):
        await type_text(pilot, CODE)
        await press(pilot, "tab", "tab", "p", "enter")
        assert form(app).values["way"] == "telephone"
        await press(pilot, "ctrl+o", "enter")
        await type_text(pilot, "vuo")
        await press(pilot, "enter")
        await until(pilot, lambda: not any(one.waits for one in form(app).files.all), "a checked file")
        await settled(pilot)
        assert "Poistetaan ennen lähetystä" in words(app)
        assert "sijainti" in words(app)
        await press(pilot, "ctrl+s")
        assert top(app) is SendingPreviewScreen
        assert "Asiakas itse, puhelimessa, 20.11.2026" in words(app)
        await press(pilot, "enter")
        await sent(app, pilot)
        assert app.desk is not None
        (line,) = app.desk.sendings.lines()
        assert line.masked_code == "******-*00P"
        assert [(one.kind, one.name, one.media_type) for one in line.documents] == [
            ("rent", "Vuokrasopimus tai vuokra", "image/jpeg")
        ]
        assert "gps" in line.documents[0].removed
        assert "salainen" not in str(app.command(line.id).payload)
        assert "Lähetys on jätetty" in text_of(app)


async def test_it_is_queued_without_a_connection_and_taken_back_with_u(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot):
        app.set_status(state=Connection.OFFLINE)
        await fill_in(app, pilot, app.file("a.pdf"))
        assert "lähtee, kun yhteys palaa" in words(app)
        await press(pilot, "ctrl+s")
        assert "lähtee, kun yhteys palaa" in words(app)
        await press(pilot, "enter")
        await sent(app, pilot)
        assert "odottaa yhteyttä" in text_of(app)
        assert app.held() == 1
        await press(pilot, "u")
        assert "Lähetys peruttiin" in text_of(app)
        assert app.held() == 0


async def test_the_name_for_kela_is_the_users_to_choose_and_not_that_of_the_file(tmp_path: Path) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        await fill_in(app, pilot, app.file("avioero ja velat.pdf"))
        await press(pilot, "ctrl+r", "ctrl+u")
        await type_text(pilot, "Marraskuun tiliote")
        await press(pilot, "enter", "ctrl+s", "enter")
        await sent(app, pilot)
        assert app.desk is not None
        (line,) = app.desk.sendings.lines()
        assert line.documents[0].name == "Marraskuun tiliote"
        assert "avioero" not in str(app.command(line.id))


async def test_files_are_gone_before_a_second_one_is_sent_no_copy_of_the_form_is_kept(tmp_path: Path) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        path = app.file("a.pdf")
        await fill_in(app, pilot, path)
        await press(pilot, "ctrl+s")
        path.unlink()
        await press(pilot, "enter")
        await until(pilot, lambda: form(app).sealing is None, "the end of sealing")
        await settled(pilot)
        assert top(app) is SendingFormScreen
        assert "a.pdf: ei voi lähettää" in text_of(app)
        assert "muuttui tai poistettiin" in words(app)
        assert app.held() == 0


async def test_a_file_that_changed_since_it_was_checked_is_not_sent_but_can_be_checked_again(tmp_path: Path) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        path = app.file("a.pdf")
        await fill_in(app, pilot, path)
        await press(pilot, "ctrl+s")
        path.write_bytes(files.plain_pdf(3))
        await press(pilot, "enter")
        await until(pilot, lambda: form(app).sealing is None, "the end of sealing")
        await settled(pilot)
        assert "muuttui tai poistettiin" in words(app)
        await add(app, pilot, path)  # chosen once more
        assert "3 sivua" in text_of(app)
        await press(pilot, "ctrl+s", "enter")
        await sent(app, pilot)
        assert app.held() == 1


async def test_a_full_disk_loses_nothing_that_was_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        await fill_in(app, pilot, app.file("a.pdf"))
        assert app.desk is not None

        def full(*_: object, **__: object) -> None:
            raise StoreFull

        with monkeypatch.context() as patch:
            patch.setattr(app.desk.sendings, "seal", full)
            await press(pilot, "ctrl+s", "enter")
            await until(pilot, lambda: form(app).sealing is None, "the end of sealing")
            await settled(pilot)
        assert top(app) is SendingFormScreen
        assert "levy" in text_of(app).lower()
        assert len(form(app).files.all) == 1
        await press(pilot, "ctrl+s", "enter")
        await sent(app, pilot)
        assert app.held() == 1


async def test_when_the_mandate_ends_meanwhile_nothing_is_queued_and_it_is_said(tmp_path: Path) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        await fill_in(app, pilot, app.file("a.pdf"))
        await press(pilot, "ctrl+s")
        app.lose()
        await settled(pilot)
        await press(pilot, "enter")
        await until(pilot, lambda: form(app).sealing is None, "the end of sealing")
        await settled(pilot)
        assert "Valtuutesi ei avaa" in words(app)
        assert app.held() == 0


# --- what hinders ----------------------------------------------------------------------------------------------------


async def test_what_is_missing_is_said_where_it_is_missing(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot):
        await press(pilot, "ctrl+s")
        assert "Kirjoita asiakkaan henkilötunnus" in text_of(app)
        assert app.focused is not None
        assert app.focused.id == "customer"
        await type_text(pilot, CODE)
        await press(pilot, "ctrl+s")
        assert app.focused.id == "way"
        assert "Valitse, miten" in text_of(app)
        await press(pilot, "k", "enter", "ctrl+s")
        assert "Ei tiedostoja" in words(app)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("24.11.2026", "ei voi olla tulevaisuudessa"),
        ("32.1.2026", "ei ole"),
        ("huomenna", "kirjoitetaan"),
        ("1.1.1899", "1900–2099"),
        ("", "minä päivänä"),
    ],
)
async def test_a_day_that_cannot_be_is_told_while_it_is_typed(tmp_path: Path, text: str, said: str) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        await press(pilot, "tab", "ctrl+u")
        assert app.focused is not None
        assert app.focused.id == "asked_on"
        await type_text(pilot, text)
        await press(pilot, "tab")
        assert said in words(app)
        await fill_in(app, pilot, app.file("a.pdf"))
        await press(pilot, "ctrl+s")
        assert top(app) is SendingFormScreen


async def test_a_code_that_is_wrong_is_told_as_in_the_look_up(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot):
        await type_text(pilot, "010190-900X")
        assert form(app).code.wrong is not None
        await press(pilot, "ctrl+u")
        await type_text(pilot, CODE)
        assert "ei ole haettu täällä" in words(app)


async def test_a_customer_who_was_looked_up_is_named_after_the_look_is_logged(tmp_path: Path) -> None:
    from tests.screens.customers import whole
    from tests.store.customer_lines import answer, head

    async with filling(tmp_path) as (app, pilot):
        answer(app.store, head(), *whole())
        before = len(app.looks())
        await type_text(pilot, CODE)
        assert "Virtanen" in text_of(app)
        answer(app.store, head(), *whole())  # what the feed brings of them is no other look
        await settled(pilot)
        await press(pilot, "backspace", "P")
        assert "Virtanen" in text_of(app)
        assert len(app.looks()) == before + 1


async def test_more_files_than_a_sending_takes_are_kept_until_some_are_left_out(tmp_path: Path) -> None:
    async with filling(tmp_path, BEGIN, (120, 40)) as (app, pilot):
        most = limits().files
        await fill_in(app, pilot, *(app.file(f"{number:02}.pdf") for number in range(most + 1)))
        assert f"Tiedostot {most + 1}/{most}" in text_of(app)
        await press(pilot, "ctrl+s")
        assert "yksi liikaa" in text_of(app)
        await press(pilot, "ctrl+d", "ctrl+s")
        assert top(app) is SendingPreviewScreen
        assert len(form(app).files.all) == most


BAD = {
    "program": (b"\x7fELF" + bytes(2000), "Tämä on ohjelma"),
    "encrypted": (files.encrypted_pdf("secret"), "suojattu salasanalla"),
    "empty": (b"", "Tiedosto on tyhjä"),
    "too_large": (b"%PDF-1.4\n" + bytes(11 << 20), "liian suuri"),
    "broken": (b"\xff\xd8\xff\xe0" + bytes(500), "Tiedosto on rikki"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_file_is_told_with_what_to_do_and_hinders_the_sending(tmp_path: Path, kind: str) -> None:
    content, said = BAD[kind]
    async with filling(tmp_path, BEGIN, (120, 40)) as (app, pilot):
        await fill_in(app, pilot, app.file("hyvä.pdf"), app.file("paha.pdf", content))
        form(app).point(form(app).files.all[1].key)
        await settled(pilot)
        assert said in words(app)
        assert "ei voi lähettää" in text_of(app)
        await press(pilot, "ctrl+s")
        assert top(app) is SendingFormScreen
        assert "paha.pdf: ei voi lähettää" in text_of(app)
        await press(pilot, "ctrl+g")
        assert said in words(app)
        await press(pilot, "q", "ctrl+d", "ctrl+s")
        assert top(app) is SendingPreviewScreen


async def test_what_cannot_be_read_is_told_with_its_reason(tmp_path: Path) -> None:
    async with filling(tmp_path, BEGIN, (120, 40)) as (app, pilot):
        folder, pipe = tmp_path / "kansio", tmp_path / "putki"
        folder.mkdir()
        os.mkfifo(pipe)
        await fill_in(app, pilot, tmp_path / "puuttuu.pdf", folder, pipe)
        said = [one.why(app.t) for one in form(app).files.all]
        assert "ei ole" in said[0]
        assert "ei ole tiedosto" in said[1]
        assert "ei ole tiedosto" in said[2]


async def test_a_file_that_is_deleted_while_it_is_checked_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        path, read = app.file("a.pdf"), checking.read

        def vanishing(one: Path) -> bytes:
            found = read(one)
            path.unlink()
            return found

        monkeypatch.setattr(checking, "read", vanishing)
        await fill_in(app, pilot, path)
        assert form(app).files.all[0].refused is not None
        assert "ei ole" in form(app).files.all[0].why(app.t) or "poistettiin" in form(app).files.all[0].why(app.t)


async def test_an_installation_without_its_reader_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        assert app.desk is not None

        def none(*_: object, **__: object) -> None:
            raise checking.NoReader

        monkeypatch.setattr(app.desk.sendings, "check", none)
        await fill_in(app, pilot, app.file("a.pdf"))
        assert "asennus on vajaa" in words(app)


async def test_keys_are_taken_while_a_file_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    async with filling(tmp_path, BEGIN) as (app, pilot):
        assert app.desk is not None
        check = app.desk.sendings.check

        def slow(path: Path, *rest: int, ascii_only: bool = False) -> object:
            gate.wait(30)
            return check(path, *rest, ascii_only=ascii_only)

        monkeypatch.setattr(app.desk.sendings, "check", slow)
        try:
            shown = form(app)
            shown._add([app.file("a.pdf")])
            await until(pilot, lambda: app.screen is not shown, "the kinds")
            await pilot.press("down", "enter")
            await until(pilot, lambda: shown.files.all[0].kind == "bank_statement", "a kind while it is checked")
            assert "tarkistetaan" in text_of(app)
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "Valitse, miten" in text_of(app), "what hinders")
        finally:
            gate.set()
        await until(pilot, lambda: shown.files.all[0].ready, "a checked file")


async def test_no_key_on_the_pages_over_the_form_leads_away_from_it(tmp_path: Path) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        await fill_in(app, pilot, app.file("a.pdf"))
        for key in ("ctrl+g", "ctrl+s"):
            await press(pilot, key, "1", "9", "u", "r", "q")
            assert top(app) is SendingFormScreen
            assert len(form(app).files.all) == 1


async def test_two_files_the_same_are_one(tmp_path: Path) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        path = app.file("a.pdf")
        await add(app, pilot, path, path)
        await add(app, pilot, path)
        assert len(form(app).files.all) == 1


# --- leaving ---------------------------------------------------------------------------------------------------------


async def test_leaving_asks_only_when_there_are_files(tmp_path: Path) -> None:
    async with filling(tmp_path, BEGIN) as (app, pilot):
        await add(app, pilot, app.file("a.pdf"))
        await press(pilot, "escape")
        assert "Lopetetaanko" in text_of(app)
        await press(pilot, "enter")
        assert top(app) is SendingFormScreen
        await press(pilot, "escape", "down", "enter")
        assert top(app) is DocumentsScreen
        assert (tmp_path / "a.pdf").exists()
        assert app.held() == 0
    async with filling(tmp_path / "again", BEGIN) as (app, pilot):
        await press(pilot, "escape")
        assert top(app) is DocumentsScreen


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_the_form_stands_in_every_size_and_language(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    odd = "x" * 200 + ".jpg"
    async with filling(tmp_path, BEGIN, size, language=language, ascii_only=language == "en") as (app, pilot):
        check_grid(app, size)
        await fill_in(app, pilot, app.file("a.pdf"), app.file(odd, files.jpeg_of()), app.file("b\x1b[2J.pdf", b"x"))
        shown = form(app)
        for one in shown.files.all:
            shown.point(one.key)
            await settled(pilot)
            check_grid(app, size)
            await press(pilot, "ctrl+g")
            check_grid(app, size)
            if language == "en":
                assert (
                    text_of(app).replace("\N{NO-BREAK SPACE}", " ").replace("\N{REPLACEMENT CHARACTER}", "?").isascii()
                )
            await press(pilot, "q")
        app.set_language("sv" if language == "fi" else "fi")
        await settled(pilot)
        check_grid(app, size)
        await press(pilot, "ctrl+d", "ctrl+s")
        assert top(app) is SendingPreviewScreen
        check_grid(app, size)
