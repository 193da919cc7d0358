"""Two terminals on one backend: what one worker transfers stands in the other's inbox seconds later."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import (
    PIRKANMAA,
    RECEIVER,
    TURKU,
    VARSINAIS_SUOMI,
    WORKER,
    World,
    demo_world,
    rows_of,
    under_cursor,
)
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

REASON = "Asiakas muutti Turkuun"


def filtered(terminal: Terminal, words: str) -> None:
    """Narrow the list by typing."""
    terminal.send("/")
    terminal.wait_for(" /")
    terminal.send(words)
    terminal.wait_for(f"/ {words}")
    terminal.send("enter")
    terminal.wait_for(f"/{words}")


def transfer(terminal: Terminal, to: str, place: str, reason: str, done: str) -> None:
    """Transfer what stands under the cursor through the dialog."""
    terminal.send("t")
    terminal.wait_for("0/500")
    terminal.send(to)
    terminal.wait_until(lambda screen: re.search(rf"▌ {place}", screen) is not None, f"{place} as the choice")
    terminal.send("tab", reason)
    terminal.wait_for(reason, f"{len(reason)}/500")
    terminal.send("enter")
    terminal.wait_for(done)


def singular(world: World, user: str) -> dict[str, Any]:
    """Return a notice whose customer's family name nobody else has here, so that a name on a screen means it."""
    names = [family(row) for row in world.inbox(user)]
    return next(row for row in world.free(user) if names.count(family(row)) == 1)


def listed(screen: str, name: str) -> int:
    """Count the rows of the list with a name."""
    return len([line for line in rows_of(screen) if name in line])


def arrived(terminal: Terminal, name: str, count: int, bar: str) -> None:
    """Wait until the list has `count` rows with the name, revealing new rows when the bar announces them."""
    terminal.wait_until(lambda screen: bar in screen or listed(screen, name) == count, f"{name}, or {bar!r}")
    if bar in terminal.text:
        terminal.send("N")
    terminal.wait_until(lambda screen: listed(screen, name) == count, f"{count} rows of {name}")


def family(row: dict[str, Any]) -> str:
    """Return the family name of a notice's customer."""
    return str(row["customer"]).split(",")[0]


def test_the_receiver_sees_it_and_the_sender_takes_it_back(tmp_path: Path) -> None:
    """From the persona picker to a settled transfer, then undone while nobody has opened it."""
    with demo_world(tmp_path) as demo, demo.app() as sender:
        sender.wait_for("Kenenä kirjaudut?", "Outi Rautio")
        sender.send("enter")
        sender.wait_for(PIRKANMAA, "synkronoitu", "Käsittelemättömät")
        with demo.app() as receiver:
            receiver.wait_for("Kenenä kirjaudut?", "Maarit Heino")  # the first persona is at work in the other terminal
            receiver.send("j", "j")
            receiver.wait_until(lambda screen: "▌   Maarit Heino" in screen, "the cursor on the receiver")
            receiver.send("enter")
            receiver.wait_for(VARSINAIS_SUOMI, "synkronoitu")
            row = singular(demo, WORKER)
            name = family(row)
            filtered(sender, name.lower())
            sender.wait_until(lambda screen: name in under_cursor(screen), "the notice under the cursor")
            filtered(receiver, name.lower())
            here = listed(receiver.text, name)
            transfer(sender, "turku", "Turku", REASON, "Siirretty.")
            sender.wait_until(lambda screen: name not in "".join(rows_of(screen)), "the sender's list without it")

            arrived(receiver, name, here + 1, "uusi (N)")
            demo.wait_sql(lambda rows: rows == [("sent",)], "SELECT state FROM trace WHERE notice = ?", row["id"])

            sender.send("6")
            sender.wait_for("Lähetetyt ja lähtevät", "siirrä", "valmis", "Turku")
            sender.send("1", "u")
            sender.wait_for("Kumottu.")
            receiver.wait_until(lambda screen: listed(screen, name) == here, "the row to go")
            demo.wait_sql(
                lambda rows: rows == [(row["municipality"], "taken_back")],
                "SELECT n.municipality, t.state FROM notice n JOIN trace t ON t.notice = n.id WHERE n.id = ?",
                row["id"],
            )
            sender.send("ctrl+q")
            assert sender.wait_exit() == 0


def test_the_same_in_swedish(demo: World) -> None:
    """A Swedish-speaking worker finds Åbo, and the receiver's terminal tells of the new row in Swedish too."""
    demo.sign_in(WORKER, sync=True)
    row = singular(demo, WORKER)
    name = family(row)
    with demo.app(language="sv") as sender:
        sender.wait_for("Birkalands välfärdsområde", "synkroniserad", "Obehandlade")
        demo.sign_in(RECEIVER)
        with demo.app(language="sv") as receiver:
            receiver.wait_for("Egentliga Finlands välfärdsområde", "synkroniserad")
            filtered(sender, name.lower())
            sender.wait_until(lambda screen: name in under_cursor(screen), "the notice under the cursor")
            filtered(receiver, name.lower())
            here = listed(receiver.text, name)
            transfer(sender, "åbo", "Åbo", "Kunden flyttade till Åbo", "Överförd.")
            arrived(receiver, name, here + 1, "ny (N)")
            sender.send("6")
            sender.wait_for("Skickade och på väg", "överför", "Åbo")


def test_a_transfer_by_the_command_line_shows_in_the_other_terminal(demo: World) -> None:
    """The script's transfer arrives in the receiver's running app and in their JSON."""
    demo.sign_in(WORKER, sync=True)
    row = singular(demo, WORKER)
    name = family(row)
    demo.sign_in(RECEIVER)
    with demo.app() as receiver:
        receiver.wait_for(VARSINAIS_SUOMI, "synkronoitu")
        filtered(receiver, name.lower())
        here = listed(receiver.text, name)
        moved = demo.kelmu(
            *("--user", WORKER, "inbox", "transfer", row["id"], "--to", "Turku", "--reason", REASON),
            *("--json", "--wait", "30"),
        )
        assert [result["result"] for result in moved.data["results"]] == ["sent"]
        arrived(receiver, name, here + 1, "uusi (N)")
        stored = {found["id"]: found for found in demo.inbox(RECEIVER)}
        assert stored[row["id"]]["municipality"] == TURKU
        assert row["id"] not in {found["id"] for found in demo.inbox(WORKER)}
