"""Documents from a file on the disk to Kela's receipt, by keys in a terminal against a real backend."""

from __future__ import annotations

import re

import pytest

from tests.content import files
from tests.e2e.world import PIRKANMAA, WORKER, World

pytestmark = [pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

CTRL_O, CTRL_S, CTRL_U = "\x0f", "\x13", "\x15"
RECEIPT = re.compile(r"\b\d{8}-[A-Z0-9]{4}-[A-Z0-9]{4}\b")


def test_a_photo_goes_to_kela_without_its_place_and_the_receipt_is_shown(demo: World) -> None:
    """A customer is looked up, the file is picked by its path, and nothing of it is left here once Kela has it."""
    photo = demo.home / "yksityinen kuva.jpg"
    photo.write_bytes(files.jpeg_of(exif=files.exif_of()))
    demo.sign_in(WORKER, sync=True)
    with demo.app(columns=100, rows=30) as app:
        app.wait_for(PIRKANMAA, "synkronoitu", "Käsittelemättömät", "▌")
        app.send("i")
        app.wait_for("Hae asiakas", "Tarkoitus")
        app.send("enter", "enter")
        app.wait_for("haettu", "Seuraava maksu")
        app.send("C")
        app.wait_for("Asiakirjoja Kelaan", "Pyyntötapa")
        app.send("p", "enter")
        app.wait_for("Puhelimessa")
        app.send(CTRL_O)
        app.wait_for("Valitse tiedostot")
        app.send(CTRL_U, str(photo))
        app.wait_for("yksityinen kuva.jpg")
        app.send("enter")
        app.wait_for("Laji: yksityinen kuva.jpg")
        app.send("t", "i", "l", "enter")
        app.wait_for("Poistetaan ennen lähetystä: sijainti")
        app.send(CTRL_S)
        app.wait_for("Tämä lähtee Kelaan", "Asiakas itse, puhelimessa")
        app.send("enter")
        app.wait_for("Lähetys on jätetty")
        app.send("q")
        app.wait_for("Käsittelemättömät")
        app.send("9")
        app.wait_until(lambda screen: RECEIPT.search(screen) is not None, "the receipt")
        found = RECEIPT.search(app.text)
        assert found is not None
        app.send("enter")
        app.wait_for(found[0], "Tiliote", "Poistettu tiedostosta: sijainti", "Suojatut kopiot on tuhottu")
        app.send("ctrl+q")
        assert app.wait_exit() == 0
        assert "yksityinen" not in "".join(path.read_text(errors="ignore") for path in demo.home.rglob("*.log"))
    assert demo.sql("SELECT receipt FROM sending") == [(found[0],)]
    assert demo.sql("SELECT kind, name, media_type FROM sent_document") == [
        ("bank_statement", "Tiliote", "image/jpeg"),
    ]
    assert photo.exists()
