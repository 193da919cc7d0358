"""A session that an administrator ends while the app is at work: said, survived with all that was done, begun anew."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.e2e.world import BACKEND, COLLEAGUE, PIRKANMAA, RESTORED, WORKER, World, saved_note

pytestmark = [pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

ENDED = re.compile(r"Kirjautuminen on päättynyt\..*Kirjaudu uudelleen: (\S+)", re.DOTALL)


def end_sessions(world: World, user: str) -> None:
    """End a user's sessions with the administrator's command, in a process of its own."""
    command = [*BACKEND, "users", "end-sessions", user, "--data", str(world.backend_data)]
    subprocess.run(command, env=world.env, check=True, capture_output=True)


def test_an_ended_session_is_said_and_what_is_done_meanwhile_arrives_after_the_next_sign_in(demo: World) -> None:
    """The key that the message names leads to the sign-in; the command given without a session is sent then, once."""
    demo.sign_in(COLLEAGUE, sync=True)
    theirs = demo.free(COLLEAGUE)[0]["id"]
    demo.sign_in(WORKER, sync=True)
    text = "istunnon päätyttyä"
    with demo.app() as app:
        app.wait_for(PIRKANMAA, "synkronoitu", "Käsittelemättömät", "▌")
        end_sessions(demo, WORKER)
        # What somebody else does wakes the poll that waits, so that nobody has to wait for its end.
        demo.kelmu("--user", COLLEAGUE, "inbox", "note", theirs, "--text", "herätys", "--wait", "30")
        app.wait_until(lambda screen: ENDED.search(screen) is not None, "the end of the session")
        found = ENDED.search(app.text)
        assert found is not None
        app.wait_for("kirjautuminen päättyi")
        saved_note(app, text)
        app.wait_for("↑1")
        assert demo.sql("SELECT count(*) FROM note WHERE text = ?", text) == [(0,)]
        app.send(found[1])
        app.wait_for("Kenenä kirjaudut?", "▌")
        app.send("enter")
        app.wait_for(PIRKANMAA, "synkronoitu", "Käsittelemättömät", "▌")
        demo.wait_sql(lambda rows: rows == [(1,)], "SELECT count(*) FROM note WHERE text = ?", text)
        app.wait_gone("↑1")
        app.send("ctrl+q")
        assert app.wait_exit() == 0
        assert all(mark in app.output for mark in RESTORED)
    assert demo.kelmu("--user", WORKER, "status", "--json").data["queued"] == 0
