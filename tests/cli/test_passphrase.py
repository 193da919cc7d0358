"""`kelmu passphrase` in a real terminal: asked there and nowhere else, and the store opens with the new one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.platform.paths import profile
from kelmu_tui.services.session import make_current, user_folder
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import WrongPassphrase
from kelmu_tui.store.keys import PassphraseKeys
from tests.cli.conftest import Kelmu
from tests.store.build import FixedClock
from tests.support.terminal import Terminal

OLD, NEW = "kolme punaista venetta", "nelja sinista purjetta"


@pytest.fixture
def folder(home: Path) -> Path:
    """A user's folder whose keys are wrapped by a passphrase."""
    where = profile("default")
    found = user_folder(where, "https://kelmu.example.fi", "u1")
    for path in (where.root, where.users):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    Store.open(found, PassphraseKeys(found, OLD), FixedClock(), RandomIds()).close()
    make_current(where, found)
    return found


def terminal(home: Path) -> Terminal:
    env = {**os.environ, "KELMU_HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    return Terminal([sys.executable, "-m", "kelmu_tui", "--lang", "en", "passphrase"], env=env, cwd=home)


def opens(folder: Path, passphrase: str) -> bool:
    try:
        Store.open(folder, PassphraseKeys(folder, passphrase), FixedClock(), RandomIds()).close()
    except WrongPassphrase:
        return False
    return True


def test_the_new_one_opens_and_the_old_one_does_not(home: Path, folder: Path) -> None:
    with terminal(home) as screen:
        for prompt, text in (("store's passphrase", OLD), ("New passphrase", NEW), ("The same again", NEW)):
            screen.wait_for(prompt)
            screen.send(f"{text}\r")
        screen.wait_for("has been changed")
        assert OLD not in screen.text
        assert NEW not in screen.text
    assert (opens(folder, OLD), opens(folder, NEW)) == (False, True)


def test_a_wrong_old_one_is_told_before_a_new_one_is_asked_for(home: Path, folder: Path) -> None:
    with terminal(home) as screen:
        screen.wait_for("store's passphrase")
        screen.send(f"{NEW}\r")
        screen.wait_for("passphrase is wrong")
        assert "New passphrase" not in screen.text
    assert opens(folder, OLD)


def test_without_a_terminal_nothing_is_asked(home: Path, folder: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "kelmu_tui", "--json", "passphrase"],
        env={**os.environ, "KELMU_HOME": str(home)},
        input=f"{OLD}\n{NEW}\n{NEW}\n",
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    assert json.loads(ran.stdout or ran.stderr)["error"]["code"] == "no_terminal"
    assert opens(folder, OLD)


def test_the_demo_has_none(demo: Kelmu) -> None:
    ran = demo("passphrase")
    assert ran.code == 2
    assert "esittely" in ran.err.casefold() or "demo" in ran.err.casefold()
