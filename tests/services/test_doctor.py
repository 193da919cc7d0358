"""The doctor sees what is wrong and changes nothing that is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import NETWORK_FILE_SYSTEMS, Profile, file_system
from kelmu_tui.platform.settings import Loaded, Settings, SettingsProblem
from kelmu_tui.services import session
from kelmu_tui.services.doctor import Finding, State, examine, examine_backend
from kelmu_tui.store.database import LEDGER_FILE, Store
from kelmu_tui.store.keys import DemoKeys
from kelmu_tui.store.schema import LEDGER_VERSION

IDS = SeededIds(1)
FINE = Loaded(Settings())


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile("demo", tmp_path / "data" / "demo", tmp_path / "settings.toml")


@pytest.fixture
def folder(profile: Profile) -> Path:
    """A user's folder with a ledger of the real store."""
    made = session.user_folder(profile, "", "u1")
    for parent in (profile.root.parent, profile.root, profile.users):
        parent.mkdir(mode=0o700)
    Store.open(made, DemoKeys(made, profile), SystemClock(), IDS).close()
    session.make_current(profile, made)
    return made


def findings(profile: Profile, loaded: Loaded = FINE) -> list[Finding]:
    return examine(profile, loaded, clock=SystemClock(), ids=IDS, ask=None)


def wrong(profile: Profile, loaded: Loaded = FINE) -> set[tuple[str, str]]:
    return {(f.what, f.hint) for f in findings(profile, loaded) if f.state is State.WRONG}


def test_nothing_there_is_nothing_wrong(profile: Profile, tmp_path: Path) -> None:
    assert wrong(profile) == set()
    assert list(tmp_path.iterdir()) == []


def test_a_sound_store(profile: Profile, folder: Path) -> None:
    assert wrong(profile) == set()
    told = {f.what: f.value for f in findings(profile) if f.part == "store"}
    assert (told["user"], told["keys"], told["schema"]) == (folder.name, "demo", str(LEDGER_VERSION))
    assert told["cipher"].startswith("SQLCipher 4.")


def test_modes_links_and_settings_are_told(profile: Profile, folder: Path) -> None:
    (folder / LEDGER_FILE).chmod(0o644)
    folder.chmod(0o750)
    (folder / "link").symlink_to("/dev/null")
    loaded = Loaded(Settings(), (SettingsProblem(3, "colour", "unknown"),))
    found = wrong(profile, loaded)
    assert {
        ("file", "open_file"),
        ("user", "open_folder"),
        ("file", "symlink"),
        ("problem", "settings_unknown"),
    } <= found


def test_a_corrupt_ledger_is_moved_aside_and_told(profile: Profile, folder: Path) -> None:
    (folder / LEDGER_FILE).write_bytes(b"garbage" * 1000)
    assert ("incident", "set_aside") in wrong(profile)
    assert list(folder.glob("ledger.db.corrupt-*"))
    again = [f for f in findings(profile) if f.what == "set_aside"]
    assert [f.state for f in again] == [State.NOTE]


def test_a_passphrase_is_not_guessed(profile: Profile, folder: Path) -> None:
    wraps = folder / "wraps.json"
    wraps.write_text(wraps.read_text().replace('"method": "demo"', '"method": "passphrase"'))
    opens = [f for f in findings(profile) if f.what == "opens"]
    assert [(f.state, f.hint) for f in opens] == [(State.NOTE, "locked")]


def test_network_file_systems_are_found() -> None:
    mounts = "/dev/a / ext4 rw 0 0\nserver:/x /home/with\\040space nfs4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\nbroken\n"
    assert file_system(Path("/home/with space/kelmu"), mounts) == "nfs4"
    assert file_system(Path("/home/other"), mounts) == "ext4"
    assert file_system(Path("/tmp/x"), mounts) == "tmpfs"
    assert "nfs4" in NETWORK_FILE_SYSTEMS


async def test_a_backend_that_does_not_answer() -> None:
    (finding,) = await examine_backend("http://127.0.0.1:9", SystemClock())
    assert (finding.state, finding.hint) == (State.WRONG, "unreachable")
    (finding,) = await examine_backend("http://kelmu.example.fi", SystemClock())
    assert (finding.state, finding.hint) == (State.WRONG, "address")
