"""What the environment says of the terminal, and a process that leaves no traces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kelmu_tui.terminal.environment import Kind, detect, facts, prepare, profile_of

UTF8 = {"LANG": "fi_FI.UTF-8", "TERM": "xterm-256color"}
DANGEROUS = (
    "TEXTUAL",
    "TEXTUAL_LOG",
    "TEXTUAL_DEBUG",
    "TEXTUAL_PRESS",
    "TEXTUAL_DRIVER",
    "TEXTUAL_SCREENSHOT",
    "TEXTUAL_SCREENSHOT_LOCATION",
    "TEXTUAL_SCREENSHOT_FILENAME",
    "TEXTUAL_SHOW_RETURN",
    "TEXTUAL_ALLOW_SIGNALS",
    "TEXTUAL_DEVTOOLS_HOST",
)


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        (UTF8, Kind.LOCAL),
        ({**UTF8, "SSH_CONNECTION": "192.0.2.1 5 192.0.2.2 22"}, Kind.SSH),
        ({**UTF8, "SSH_TTY": "/dev/pts/1", "TMUX": "/tmp/tmux"}, Kind.SSH),
        ({**UTF8, "TERM": "linux"}, Kind.COMPAT),
        ({**UTF8, "TERM": "vt100", "SSH_TTY": "x"}, Kind.COMPAT),
        ({**UTF8, "TERM": "putty-256color", "SSH_TTY": "x"}, Kind.COMPAT),
        ({"LANG": "fi_FI.UTF-8"}, Kind.COMPAT),
        ({**UTF8, "SSH_TTY": ""}, Kind.LOCAL),
    ],
)
def test_kind_of_terminal(environment: dict[str, str], kind: Kind) -> None:
    assert detect(environment).kind is kind


def test_what_each_kind_does_without() -> None:
    local, ssh, compat = (profile_of(kind, UTF8) for kind in (Kind.LOCAL, Kind.SSH, Kind.COMPAT))
    assert (local.mouse, ssh.mouse, compat.mouse) == (True, False, False)
    assert (local.queries, ssh.queries, compat.queries) == (True, True, False)
    assert (local.motion, ssh.motion, compat.motion) == (True, False, False)
    assert (local.ascii, ssh.ascii, compat.ascii) == (False, False, True)
    assert profile_of(Kind.LOCAL, {"LANG": "fi_FI.ISO-8859-1", "LC_CTYPE": ""}).ascii
    assert not profile_of(Kind.LOCAL, {"LANG": "C", "LC_ALL": "C.utf8"}).ascii


def _run(program: str, environment: dict[str, str]) -> str:
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return found.stdout


def test_dangerous_variables_have_no_effect_on_textual(tmp_path: Path) -> None:
    values = dict.fromkeys(DANGEROUS, "1") | {
        "TEXTUAL": "devtools,debug",
        "TEXTUAL_LOG": str(tmp_path / "log"),
        "TEXTUAL_DRIVER": "os:system",
        "TEXTUAL_SCREENSHOT_LOCATION": str(tmp_path),
        "SSH_TTY": "x",
        "TERM": "xterm",
    }
    program = (
        "import json, os; from kelmu_tui.terminal.environment import detect, prepare;"
        "removed = prepare(os.environ, detect(os.environ));"
        "from textual import constants as c; from textual.features import parse_features;"
        "print(json.dumps([removed, c.LOG_FILE, c.DEBUG, c.PRESS, c.DRIVER, c.SCREENSHOT_DELAY, c.SHOW_RETURN,"
        " sorted(parse_features(os.environ.get('TEXTUAL', ''))), c.TEXTUAL_ANIMATIONS, c.COLOR_SYSTEM, c.MAX_FPS]))"
    )
    removed, *seen = json.loads(_run(program, values))
    assert removed == sorted(DANGEROUS)
    assert seen == [None, False, "", None, -1, False, [], "none", "standard", 30]
    assert list(tmp_path.iterdir()) == []


def test_harmless_variables_of_the_user_win() -> None:
    environment = {**UTF8, "TEXTUAL_COLOR_SYSTEM": "256", "TEXTUAL_FPS": "10"}
    assert prepare(environment, profile_of(Kind.COMPAT, UTF8)) == ()
    assert (environment["TEXTUAL_COLOR_SYSTEM"], environment["TEXTUAL_FPS"]) == ("256", "10")
    assert environment["TEXTUAL_DISABLE_KITTY_KEY"] == "1"


def test_too_late_is_an_error_and_not_a_silent_leak() -> None:
    import textual  # noqa: F401

    with pytest.raises(RuntimeError):
        prepare({**UTF8, "TEXTUAL_LOG": "/tmp/log"}, profile_of(Kind.LOCAL, UTF8))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="core limits and prctl are Linux's here")
def test_no_core_and_no_reading_by_others() -> None:
    program = (
        "import ctypes, resource; from kelmu_tui.terminal.environment import harden; found = harden();"
        "print(found.no_core, found.not_dumpable, resource.getrlimit(resource.RLIMIT_CORE)[0],"
        " ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    assert _run(program, {}).split() == ["True", "True", "0", "0"]


def test_facts_for_the_doctor() -> None:
    found = facts({**UTF8, "TMUX": "x", "ASCIINEMA_REC": "1", "SCRIPT": "typescript", "TEXTUAL_LOG": "x"})
    assert (found.multiplexer, found.recorders, found.ignored) == ("tmux", ("asciinema", "script"), ("TEXTUAL_LOG",))
    assert facts({**UTF8, "STY": "1.pts"}).multiplexer == "screen"
    assert facts(UTF8).recorders == ()
    assert facts(UTF8).utf8


def test_nothing_of_textual_is_imported_before_its_variables_are_gone() -> None:
    program = (
        "import sys, kelmu_tui.terminal.environment, kelmu_tui.terminal.crash;"
        "print([name for name in sys.modules if name.split('.')[0] in ('textual', 'rich')])"
    )
    assert _run(program, {}).strip() == "[]"
