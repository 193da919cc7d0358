"""Leaving: on signals, on a terminal that is gone, and when the orderly end gets stuck."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from kelmu_tui.terminal.driver import QuietDriver
from kelmu_tui.terminal.guard import GuardedApp
from kelmu_tui.terminal.hang_up import HangUp
from tests.support.terminal import Terminal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_begins_the_end_once(number: signal.Signals) -> None:
    codes: asyncio.Queue[int] = asyncio.Queue()
    hang_up = HangUp(codes.put_nowait, seconds=60, end=lambda code: None)
    hang_up.install()
    try:
        os.kill(os.getpid(), number)
        assert await codes.get() == 128 + number
        assert hang_up.begun
        hang_up.terminal_gone()
        await asyncio.get_running_loop().run_in_executor(None, hang_up.terminal_gone)
    finally:
        hang_up.remove()
        hang_up.call_off()
    assert codes.empty()
    assert signal.getsignal(number) is signal.SIG_DFL


async def test_a_stuck_end_is_cut_short() -> None:
    ended = threading.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    hang_up = HangUp(lambda code: None, seconds=0.01, end=end)
    hang_up.install()
    hang_up.terminal_gone()
    await asyncio.get_running_loop().run_in_executor(None, ended.wait)
    hang_up.remove()
    assert codes == [129]


async def test_a_loop_that_never_listens_is_cut_short() -> None:
    ended = threading.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    hang_up = HangUp(lambda code: None, seconds=0.01, end=end)
    hang_up.install()
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        assert ended.wait(60)  # blocks the loop, on which nothing else can happen meanwhile
        assert not hang_up.begun
    finally:
        hang_up.remove()
    assert codes == [143]


def test_before_and_after_the_run_it_is_silent() -> None:
    HangUp(lambda code: None, end=lambda code: None).terminal_gone()


def _app(tmp_path: Path, **environment: str) -> Terminal:
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(["Virtanen", "Korhonen"]))
    return Terminal(
        [sys.executable, "-m", "tests.terminal.hostile_app", str(texts), str(tmp_path / "reports")], env=environment
    )


@pytest.mark.terminal
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_app_leaves_in_order_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with _app(tmp_path) as terminal:
        terminal.send("n")
        terminal.wait_for("shown 1")
        terminal.signal(number)
        assert terminal.wait_exit(timeout=20) == 128 + number
        assert b"\x1b[?1049l" in terminal.output
        assert b"\x1b[?25h" in terminal.output
        assert "Virtanen" not in terminal.text
    assert not (tmp_path / "reports").exists()


@pytest.mark.terminal
def test_the_app_ends_when_the_line_is_cut(tmp_path: Path) -> None:
    with _app(tmp_path) as terminal:
        terminal.send("n")
        terminal.wait_for("shown 1")
        terminal.hang_up()
        assert terminal.wait_exit(timeout=20) == 128 + signal.SIGHUP
    assert not (tmp_path / "reports").exists()


@pytest.mark.terminal
def test_torn_and_hostile_input_is_dropped(tmp_path: Path) -> None:
    with _app(tmp_path) as terminal:
        terminal.send("n")
        terminal.wait_for("shown 1")
        for junk in (
            b"\xff\xfe\x80",
            b"\x1b[<0;999999999999;1M",
            b"\x1b[<;;M",
            b"\x1b[M\xff\xff\xff",
            b"\x1b[?2048;9$y",
        ):
            os.write(terminal._fd, junk)
        os.write(terminal._fd, b"\x1b[48;a;b;c;dt\x1b[200~paste\x1b[201~")
        terminal.settle()
        terminal.send("n")
        terminal.wait_for("shown 2")
        terminal.send("e")
        assert terminal.wait_exit() == 0
    assert not (tmp_path / "reports").exists()


@pytest.mark.terminal
def test_what_each_kind_of_terminal_is_asked_for(tmp_path: Path) -> None:
    never = (b"?1003h", b"?1015h", b"?1016h")
    with _app(tmp_path, TERM="xterm-256color") as terminal:
        terminal.send("n")
        terminal.wait_for("shown 1")
        terminal.send("e")
        assert terminal.wait_exit() == 0
        assert not [mode for mode in never if mode in terminal.output]
        assert b"?1000h" not in terminal.output  # the app takes itself to be on SSH
        assert b"?1004h" not in terminal.output
        assert b"?2026$p" in terminal.output
    with _app(tmp_path, TERM="vt220", TEXTUAL_DISABLE_KITTY_KEY="1") as terminal:
        terminal.send("n")
        terminal.wait_for("shown 1")
        terminal.send("e")
        assert terminal.wait_exit() == 0
        asked = (*never, b"?1000h", b"?1004h", b"?2026$p", b"?2048$p", b"\x1b[<u")
        assert [mode for mode in asked if mode in terminal.output] == []


@pytest.mark.terminal
def test_a_local_terminal_gets_clicks_without_a_flood_of_motion(tmp_path: Path) -> None:
    with _app(tmp_path, TERM="xterm-256color", HOSTILE_SSH="") as terminal:
        terminal.send("n")
        terminal.wait_for("shown 1")
        assert b"?1000h" in terminal.output
        assert b"?1006h" in terminal.output
        assert b"?1003h" not in terminal.output
        terminal.send("\x1b[<0;5;5M\x1b[<0;5;5m")
        terminal.wait_for("clicked")
        terminal.send("e")
        assert terminal.wait_exit() == 0
        assert terminal.output.rindex(b"?1000l") > terminal.output.rindex(b"?1000h")


def test_what_is_overridden_is_there() -> None:
    for name in (
        "_handle_exception",
        "_fatal_error",
        "panic",
        "_print_error_renderables",
        "_build_driver",
        "_set_pointer_shape",
        "get_line_filters",
        "copy_to_clipboard",
        "get_system_commands",
        "action_screenshot",
    ):
        assert name in vars(GuardedApp)
        assert callable(getattr(App, name)), name
    for name in (
        "_enable_mouse_support",
        "_disable_mouse_support",
        "_enable_mouse_pixels",
        "_query_in_band_window_resize",
        "_request_terminal_sync_mode_support",
        "_run_input_thread",
        "run_input_thread",
        "stop_application_mode",
        "write",
    ):
        assert name in vars(QuietDriver)
        assert callable(getattr(LinuxDriver, name)), name
