"""What the user's own machine does to the app: broken files, a small window, signals, a lost line, a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import PIRKANMAA, RESTORED, WORKER, World, eventually, saved_note, under_cursor
from tests.support.requirements import program
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.xdist_group("e2e")]


@pytest.fixture
def user(demo: World) -> Path:
    """Folder of the encrypted files of a worker who has just synchronised."""
    before = set(demo.users) if (demo.profile / "users").exists() else set()
    demo.sign_in(WORKER, sync=True)
    current = (demo.profile / "current").read_text().split()[0]
    found = [folder for folder in demo.users if folder.name in current or folder not in before]
    return found[0] if found else max(demo.users, key=lambda folder: (folder / "ledger.db").stat().st_mtime)


def at_work(world: World) -> Terminal:
    """Start the app and wait until it is connected."""
    app = world.app()
    app.wait_for(PIRKANMAA, "synkronoitu", "Käsittelemättömät", "▌")
    return app


def flip(path: Path) -> bytes:
    """Flip every byte of a file's first pages, drop its journal, and return what it holds now."""
    data = bytearray(path.read_bytes())
    assert len(data) > 4096
    for position in range(16, min(len(data), 16_384)):
        data[position] ^= 0xFF
    path.write_bytes(data)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return bytes(data)


# --- files --------------------------------------------------------------------------------------------------------


def test_a_corrupt_replica_is_moved_aside_and_filled_anew(demo: World, user: Path) -> None:
    """The copy of the backend's rows is broken: kept under another name, told, and read again."""
    (replica,) = [path for path in user.glob("replica-*.db") if "corrupt" not in path.name]
    broken = flip(replica)
    with demo.app() as app:
        app.wait_for(PIRKANMAA, "siirrettiin sivuun")
        app.wait_for("synkronoitu", "Käsittelemättömät", "▌")
    kept = [path for path in user.iterdir() if "corrupt" in path.name and path.name.startswith(replica.name)]
    assert broken in [path.read_bytes() for path in kept]


def test_a_corrupt_ledger_is_moved_aside_and_said(demo: World, user: Path) -> None:
    """The user's own file is broken: never deleted, told, and signing in again goes on."""
    broken = flip(user / "ledger.db")
    with demo.app() as app:
        app.wait_for("Kenenä kirjaudut?", "siirrettiin sivuun")
        app.send("enter")
        app.wait_for(PIRKANMAA, "synkronoitu", "▌")
    assert broken in [path.read_bytes() for path in user.iterdir() if "corrupt" in path.name]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('language = "fi"\ntheme = "dark"\nglyphs = "hieroglyphs"\n', "3"),
        ('language = "fi"\n[keys]\n"inbox.take" = "m"\n"inbox.fly" = "f"\n', "4"),
        ('language = "fi"\ntheme = = "dark"\n', "2"),
    ],
)
def test_mistakes_in_the_settings_are_told_with_their_line(demo: World, user: Path, text: str, line: str) -> None:
    """The app starts, says that there is a mistake and where to look, and the page names the line."""
    assert user.exists()
    settings = demo.home / "settings.toml"
    settings.write_text(text)
    try:
        with demo.app() as app:
            app.wait_for(PIRKANMAA, "Asetustiedostossa on virhe")
            app.send("I")
            app.wait_for(f"Rivi {line}")
        if "inbox.fly" not in text:  # the command line has no keys, and no opinion about them
            assert f"settings.toml:{line}: " in demo.kelmu("config", "show", code=10).err
    finally:
        settings.unlink()


# --- the window and the keyboard ------------------------------------------------------------------------------------


def test_a_tiny_window_and_back(demo: World, user: Path) -> None:
    """40×12 shows the list and its cursor; back at 80×24 everything is where it was."""
    assert user.exists()
    with at_work(demo) as app:
        seen = ["", under_cursor(app.text)]
        for _ in range(2):  # on a busy machine silence does not mean that a key has had its effect
            app.send("j")
            app.wait_until(lambda screen: under_cursor(screen) not in seen, "the cursor to move")
            seen.append(under_cursor(app.text))
        before = seen[-1]
        app.resize(40, 12)
        app.wait_until(lambda screen: "▌" in screen and "Käsittelemättömät" in screen, "the list in a small window")
        assert all(len(line) <= 40 for line in app.text.splitlines())
        app.send("k", "j")
        app.settle()
        app.resize(80, 24)
        app.wait_until(lambda screen: under_cursor(screen) == before, f"the cursor on {before!r} again")


def test_ctrl_c_does_not_end_the_work(demo: World, user: Path) -> None:
    """The habit of a shell must not throw away an afternoon: ctrl+c says how to leave."""
    assert user.exists()
    with at_work(demo) as app:
        app.send("ctrl+c")
        app.wait_for("ctrl+q")
        app.send("j")
        app.settle()
        app.send("ctrl+q")
        assert app.wait_exit() == 0
        assert all(mark in app.output for mark in RESTORED)


# --- the line and the system ----------------------------------------------------------------------------------------


def arrives(demo: World, text: str) -> None:
    """Wait until the backend has the note, and check that it has it once."""
    demo.kelmu("--user", WORKER, "sync")
    demo.wait_sql(lambda rows: rows == [(1,)], "SELECT count(*) FROM note WHERE text = ?", text)


def test_a_closed_line_ends_the_process_and_keeps_the_work(demo: World, user: Path) -> None:
    """The terminal is gone: the process follows within seconds without a crash, and the note is saved."""
    app = at_work(demo)
    saved_note(app, "ennen linjan katkeamista")
    reports = set((demo.profile / "reports").glob("*"))
    app.hang_up()
    code = app.wait_exit(15)
    assert code in (128 + signal.SIGHUP, -signal.SIGHUP)
    assert set((demo.profile / "reports").glob("*")) == reports
    assert not list(demo.home.glob("core*"))
    arrives(demo, "ennen linjan katkeamista")
    assert user.exists()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_restores_the_terminal_and_keeps_the_work(demo: World, user: Path, number: signal.Signals) -> None:
    """The system asks to leave: own screen left, cursor back, the shell's usual code, the note saved."""
    with at_work(demo) as app:
        text = f"ennen signaalia {number.value}"
        saved_note(app, text)
        app.signal(number)
        assert app.wait_exit(15) == 128 + number
        assert all(mark in app.output for mark in RESTORED)
    arrives(demo, text)
    assert user.exists()


def test_a_killed_app_loses_nothing_that_it_confirmed(demo: World, user: Path) -> None:
    """SIGKILL right after the confirmation on the screen: the command is in the ledger, and arrives once."""
    with at_work(demo) as app:
        saved_note(app, "ennen tappamista")
        app.signal(signal.SIGKILL)
        assert app.wait_exit(15) == -signal.SIGKILL
    arrives(demo, "ennen tappamista")
    assert user.exists()


# --- the disk -------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(demo: World) -> Iterator[Path]:
    """A file system of a few megabytes in place of the users' folders; only root can have it."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a small file system")
    place = demo.profile / "users"
    place.mkdir(mode=0o700, exist_ok=True)
    mounted = subprocess.run(
        [program("mount"), "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        yield place
    finally:
        subprocess.run([program("umount"), "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    """Leave no free byte on a file system; return the file that takes the room."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    if not file.write(b"\0" * size):
                        break
            except OSError:
                continue
    return ballast


def test_a_full_disk_is_said_and_nothing_is_lost(demo: World, small_disk: Path) -> None:
    """No room for a note: the app says so and keeps what was typed; with room again that is saved, and arrives."""
    world = demo
    world.sign_in(WORKER, sync=True)
    with at_work(world) as app:
        saved_note(app, "ennen levyn täyttymistä")
        ballast = fill(small_disk)
        app.send("n")
        app.wait_for("Muistiinpano näkyy tiimille")
        app.send("tämä ei mahdu")
        app.wait_for("tämä ei mahdu")
        app.send("\x13")
        app.wait_for("Levy on täynnä.")
        ballast.unlink()
        eventually(lambda: os.statvfs(small_disk).f_bavail > 0, "room on the disk")
        app.wait_for("tämä ei mahdu")
        app.send("\x13")
        app.wait_for("Muistiinpano lisätty.")
        world.wait_sql(lambda rows: rows == [(1,)], "SELECT count(*) FROM note WHERE text = ?", "tämä ei mahdu")
        saved_note(app, "tilaa on taas")
        world.wait_sql(lambda rows: rows == [(1,)], "SELECT count(*) FROM note WHERE text = ?", "tilaa on taas")
        app.send("ctrl+q")
        assert app.wait_exit() == 0
    assert world.sql("SELECT count(*) FROM note WHERE text = ?", "ennen levyn täyttymistä") == [(1,)]
