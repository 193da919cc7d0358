"""Two workers of one county and one notice: who was slower is told who was faster, and what can be done now."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.world import COLLEAGUE, PIRKANMAA, WORKER, World, under_cursor
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.xdist_group("e2e")]


def families(world: World) -> list[dict[str, Any]]:
    """Return the free notices whose customer's family name nobody else has here."""
    names = [row["customer"].split(",")[0] for row in world.inbox(WORKER)]
    return [row for row in world.free(WORKER) if names.count(row["customer"].split(",")[0]) == 1]


def point_at(terminal: Terminal, row: dict[str, Any]) -> str:
    """Narrow the list to a notice and return the family name on its row."""
    name = str(row["customer"]).split(",")[0]
    terminal.send("/")
    terminal.wait_for(" /")
    terminal.send(name.lower(), "enter")
    terminal.wait_until(
        lambda screen: name in under_cursor(screen) and f"/{name.lower()}" in screen, f"the row of {name}"
    )
    return name


def test_what_one_takes_shows_as_theirs_in_the_other_terminal(demo: World) -> None:
    """Both look at the same row; one takes it, and it carries their initials on the other's screen."""
    demo.sign_in(COLLEAGUE)
    with demo.app() as other:
        other.wait_for(PIRKANMAA, "synkronoitu")
        demo.sign_in(WORKER, sync=True)
        with demo.app() as own:
            own.wait_for(PIRKANMAA, "synkronoitu")
            row = families(demo)[0]
            point_at(own, row)
            point_at(other, row)
            assert under_cursor(other.text).rstrip().endswith("–")
            own.send("a")
            own.wait_for("Otettu käsittelyyn.")
            # On its own row: while the list is being narrowed another row of theirs may still be in the picture.
            other.wait_until(lambda screen: under_cursor(screen).rstrip().endswith("OR"), "the initials")
            other.send("a")
            other.wait_for("Toinen työntekijä on jo ottanut ilmoituksen.")


def test_the_slower_one_is_told_who_was_faster_and_decides(demo: World) -> None:
    """The worker took it without a connection and the colleague was faster: the refusal is explained, then accepted."""
    demo.sign_in(COLLEAGUE, sync=True)
    demo.sign_in(WORKER, sync=True)
    row = families(demo)[1]
    saved = demo.kelmu("--user", WORKER, "inbox", "take", row["id"], "--no-wait", "--json")
    assert [result["result"] for result in saved.data["results"]] == ["saved"]
    demo.kelmu("--user", COLLEAGUE, "inbox", "take", row["id"], "--wait", "30")
    with demo.app() as own:
        own.wait_for(PIRKANMAA, "joku ehti ensin")
        own.send("6")
        own.wait_for("Lähetetyt ja lähtevät", "hylätty")
        own.wait_for("Toinen työntekijä on jo ottanut ilmoituksen.", "Tilanne nyt", "Lauri Kettunen")
        own.send("enter")
        own.wait_for("Luovu ja katso nykyinen", "Tee uudelleen nykyiseen", "Poista muutos")
        own.send("enter")
        own.wait_for("Muutoksesta luovuttu")
        own.wait_gone("hylätty")
    assert demo.kelmu("--user", WORKER, "status", "--json").data["conflicts"] == 0
    assert demo.sql("SELECT assignee FROM notice WHERE id = ?", row["id"]) == [(COLLEAGUE,)]
