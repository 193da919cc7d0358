"""A backend that dies, a network that lies, a session that ends: one message in the user's words, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.proxy import Mode, Proxy
from tests.e2e.world import (
    BACKEND,
    COLLEAGUE,
    PIRKANMAA,
    SHAPE,
    WORKER,
    World,
    alive,
    demo_world,
    eventually,
    served_world,
)
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

TAKEN = "SELECT assignee FROM notice WHERE id = ?"


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Proxy]]:
    """A demo whose clients reach the backend through a network that can be spoiled."""
    proxy = Proxy()
    with served_world(tmp_path_factory.mktemp("wired"), proxy.url) as (world, url):
        proxy.point_at(url)
        yield world, proxy
    proxy.close()


@pytest.fixture(autouse=True)
def healed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave the network whole for the next test."""
    yield
    if "wired" in request.fixturenames:
        request.getfixturevalue("wired")[1].switch(Mode.PASS)


def at_work(world: World) -> Terminal:
    """Start the app and wait until it is connected."""
    app = world.app()
    app.wait_for(PIRKANMAA, "synkronoitu", "Käsittelemättömät", "▌")
    return app


def take_first(world: World, app: Terminal, user: str) -> str:
    """Take a free notice in the app, found by its customer's name, and return its id."""
    names = [row["customer"].split(",")[0] for row in world.inbox(user)]
    row = next(row for row in world.free(user) if names.count(row["customer"].split(",")[0]) == 1)
    name = row["customer"].split(",")[0]
    app.send("/")
    app.wait_for(" /")
    app.send(name.lower(), "enter")
    app.wait_until(lambda screen: "▌" in screen and f"/{name.lower()}" in screen and " 1/" in screen, "one row")
    app.send("a")
    app.wait_for("Otettu käsittelyyn.")
    return str(row["id"])


def taken_once(world: World, notice: str, user: str) -> None:
    """Wait until the backend has the notice taken by the user, by one command and no more."""
    world.wait_sql(lambda rows: rows == [(user,)], TAKEN, notice)
    done = world.sql("SELECT outcome FROM audit WHERE action LIKE '%take%' AND subject = ? AND user = ?", notice, user)
    assert len([row for row in done if row[0] in ("ok", "done", "200")]) == 1, done


def test_a_killed_backend_comes_back_and_gets_what_was_done_without_it(tmp_path: Path) -> None:
    """SIGKILL in the middle of the day; another terminal's start brings the backend back, and the app finds it."""
    with demo_world(tmp_path) as world:
        world.sign_in(WORKER)
        with at_work(world) as app:
            first = world.backend_pid
            os.kill(first, signal.SIGKILL)
            app.wait_for("ei yhteyttä")
            notice = take_first(world, app, WORKER)
            app.wait_for("↑1")
            world.kelmu("demo", "--personas", *SHAPE)
            assert world.backend_pid != first
            taken_once(world, notice, WORKER)
            app.wait_gone("↑1")
            app.wait_for("synkronoitu")


def test_without_a_backend_the_app_opens_on_what_it_has(wired: tuple[World, Proxy]) -> None:
    """Nobody answers at the start: the list is there, work is saved, and goes out when somebody answers."""
    world, proxy = wired
    world.sign_in(WORKER, sync=True)
    proxy.switch(Mode.AWAY)
    with world.app() as app:
        app.wait_for(PIRKANMAA, "Käsittelemättömät", "ei yhteyttä", "▌")
        notice = take_first(world, app, WORKER)
        app.wait_for("↑1")
        app.send("ctrl+q")
        assert app.wait_exit() == 0
    assert world.kelmu("--user", WORKER, "status", "--json").data["queued"] == 1
    with world.app() as app:
        app.wait_for("ei yhteyttä", "↑1")
        proxy.switch(Mode.PASS)
        taken_once(world, notice, WORKER)
        app.wait_gone("↑1")


def test_an_answer_that_gets_lost_does_not_double_the_command(wired: tuple[World, Proxy]) -> None:
    """The backend did it and the line dropped before it could say so: it is asked again and does nothing twice."""
    world, proxy = wired
    world.sign_in(WORKER)
    with at_work(world) as app:
        proxy.switch(Mode.SWALLOW)
        notice = take_first(world, app, WORKER)
        eventually(lambda: proxy.swallowed > 0, "a lost answer")
        assert world.sql(TAKEN, notice) == [(WORKER,)]
        app.wait_for("↑1")
        proxy.switch(Mode.PASS)
        app.send("r")
        app.wait_gone("↑1")
        taken_once(world, notice, WORKER)


@pytest.mark.parametrize("mode", [Mode.HTML, Mode.HALF, Mode.WRONG])
def test_garbage_is_named_once_and_harms_nothing(wired: tuple[World, Proxy], mode: Mode) -> None:
    """A page of the network's, half a body and foreign JSON: offline, one sentence of the cause, then well again."""
    world, proxy = wired
    world.sign_in(WORKER)
    with at_work(world) as app:
        proxy.switch(mode)
        app.wait_for("ei yhteyttä")
        app.send("I")
        app.wait_for("vastasi jokin muu")
        app.send("escape")
        proxy.switch(Mode.PASS)
        app.wait_gone("vastasi jokin muu")
        app.send("r")
        app.wait_for("synkronoitu")


def test_a_mandate_that_ends_takes_the_rows_away(wired: tuple[World, Proxy]) -> None:
    """The mandate is revoked while the list is open: the app explains, the rows leave the screen and the disk."""
    world, _ = wired
    world.sign_in(COLLEAGUE, sync=True)
    name = world.inbox(COLLEAGUE)[0]["customer"].split(",")[0]
    with at_work(world) as app:
        (organisation,) = {row[0] for row in world.sql("SELECT employer FROM app_user WHERE id = ?", COLLEAGUE)}
        mandates = world.sql("SELECT DISTINCT mandate FROM mandate_grant WHERE user = ?", COLLEAGUE)
        for (mandate,) in mandates:
            subprocess.run(
                [*BACKEND, "users", "revoke", COLLEAGUE, mandate, organisation, "--data", str(world.backend_data)],
                env=world.env,
                check=True,
                capture_output=True,
            )
        app.wait_for("Valtuutesi tälle organisaatiolle päättyi.")
        assert name not in app.text
        refused = world.kelmu("--user", COLLEAGUE, "inbox", "list", "--json", code=6)
        assert name not in refused.out + refused.err


def test_the_end_of_the_last_app_ends_the_backend(tmp_path: Path) -> None:
    """Leaving takes the demo's backend along, so that nothing is left behind on the machine."""
    with demo_world(tmp_path) as world:
        world.sign_in(WORKER)
        with at_work(world) as app:
            pid = world.backend_pid
            app.send("ctrl+q")
            assert app.wait_exit() == 0
        assert alive(pid)  # the test itself still holds on
    assert not alive(pid)
