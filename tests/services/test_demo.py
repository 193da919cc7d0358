"""The demo's locks: one backend for all terminals, gone after the last, never shared by mistake."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kelmu_tui.platform.detached import start_process
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.demo import Demo, DemoInUse, DemoNotStarted, Progress, Shape, Stage


class Time:
    """A clock that the waiting moves; `then` runs during a wait, as other processes would."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.then: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.then()


class Backend:
    """Stands for the backend's process: holds the inherited lock and writes the ready file."""

    def __init__(self, demo: Demo, *, dies: bool = False, silent: bool = False) -> None:
        self.demo = demo
        self.dies = dies
        self.silent = silent
        self.starts: list[list[str]] = []
        self.lock: int | None = None

    def start(self, command: Sequence[str], log: Path, lock: int) -> Backend:
        self.starts.append(list(command))
        log.write_text('{"stage": "notices", "done": 5, "total": 10}\nboom\n' if self.dies else "")
        if self.dies:
            return self
        self.lock = os.dup(lock)
        if not self.silent:
            self.demo.ready_file.write_text(json.dumps({"url": f"http://127.0.0.1:{len(self.starts)}", "pid": 1}))
        return self

    def poll(self) -> int | None:
        return 1 if self.dies else None

    def look(self) -> None:
        """Do what the backend does each second: end when nobody holds the lifeline."""
        handle = os.open(self.demo.folder / "lifeline", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        finally:
            os.close(handle)
        self.end()

    def end(self) -> None:
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile("demo", tmp_path / "data" / "demo", tmp_path / "settings.toml")


class Scene:
    """A demo with its imitated backend and the progress that was told."""

    def __init__(self, profile: Profile) -> None:
        self.time = Time()
        self.demo = Demo(profile, clock=self.time, wait=self.time.wait, start=lambda *a: self.backend.start(*a))
        self.backend = Backend(self.demo)
        self.told: list[Progress] = []

    def open(self, **how: object) -> object:
        return self.demo.open(on_progress=self.told.append, **how)  # type: ignore[arg-type]


@pytest.fixture
def scene(profile: Profile) -> Iterator[Scene]:
    made = Scene(profile)
    yield made
    made.backend.end()


def test_the_first_starts_and_the_second_joins(scene: Scene) -> None:
    with scene.demo.open(Shape(seed=7, notices=50), on_progress=scene.told.append) as first:
        assert (first.url, first.joined, first.shape_ignored) == ("http://127.0.0.1:1", False, False)
        with scene.demo.open(on_progress=scene.told.append) as second:
            assert (second.url, second.joined) == (first.url, True)
    assert len(scene.backend.starts) == 1
    command = scene.backend.starts[0]
    assert command[1:5] == ["-m", "kelmu_backend", "serve", "--demo"]
    assert command[-4:] == ["--seed", "7", "--notices", "50"]
    assert [p.stage for p in scene.told] == [Stage.STARTING, Stage.READY, Stage.JOINING, Stage.READY]


def test_the_backend_ends_after_the_last_terminal_and_not_before(scene: Scene) -> None:
    first = scene.demo.open()
    second = scene.demo.open()
    first.close()
    scene.backend.look()
    joined = scene.demo.join()
    assert joined is not None
    joined.close()
    second.close()
    scene.backend.look()
    assert scene.backend.lock is None
    assert scene.demo.join() is None
    with scene.demo.open() as third:
        assert (third.url, third.joined) == ("http://127.0.0.1:2", False)


def test_a_killed_backend_is_started_again_whatever_its_ready_file_says(scene: Scene) -> None:
    with scene.demo.open():
        scene.backend.end()
        assert scene.demo.ready_file.exists()
        assert scene.demo.join() is None
        with scene.demo.open() as again:
            assert (again.url, again.joined) == ("http://127.0.0.1:2", False)


def test_a_failed_start_says_where_to_look(scene: Scene) -> None:
    scene.backend.dies = True
    with pytest.raises(DemoNotStarted) as caught:
        scene.demo.open()
    assert caught.value.log == scene.demo.log
    assert "boom" in caught.value.tail
    with scene.demo._lock("lifeline") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the failed terminal let go


def test_a_silent_backend_is_given_up_after_its_time(scene: Scene) -> None:
    scene.backend.silent = True
    with pytest.raises(DemoNotStarted):
        scene.demo.open()
    assert 600 <= scene.time.seconds < 601


def test_filling_is_told_once_for_each_step(scene: Scene) -> None:
    scene.backend.silent = True
    lines = iter(['{"stage": "a", "done": 1, "total": 9}\n', "", '{"stage": "a", "done": 9, "total": 9}\n', "ready"])

    def then() -> None:
        line = next(lines, "")
        if line == "ready":
            scene.demo.ready_file.write_text('{"url": "http://127.0.0.1:9"}')
        else:
            with scene.demo.log.open("a") as log:
                log.write(line)

    scene.time.then = then
    with scene.demo.open(on_progress=scene.told.append) as handle:
        assert handle.url == "http://127.0.0.1:9"
    filling = [(p.done, p.total) for p in scene.told if p.stage is Stage.FILLING]
    assert filling == [(1, 9), (9, 9)]


def test_another_shape_is_refused_softly(scene: Scene) -> None:
    with scene.demo.open(Shape(seed=1)), scene.demo.open(Shape(seed=2)) as second:
        assert second.shape_ignored
        with scene.demo.open(Shape(seed=1)) as third:
            assert not third.shape_ignored


def test_the_shape_outlives_the_backend(scene: Scene) -> None:
    scene.demo.open(Shape(seed=3, people=10)).close()
    scene.backend.look()
    scene.demo.open(Shape(seed=4)).close()
    assert scene.backend.starts[1][-4:] == ["--seed", "3", "--people", "10"]


def test_fresh_destroys_the_old_world_and_what_was_stored_of_it(scene: Scene, profile: Profile) -> None:
    scene.demo.open(Shape(seed=1)).close()
    (scene.demo.data / "kelmu.db").write_text("old")
    (profile.users / "abc").mkdir(parents=True)
    (profile.root / "current").write_text("abc")
    scene.time.then = scene.backend.look
    with scene.demo.open(Shape(seed=2), fresh=True) as handle:
        assert not handle.shape_ignored
        assert not (scene.demo.data / "kelmu.db").exists()
        assert not profile.users.exists()
        assert not (profile.root / "current").exists()
    assert scene.backend.starts[1][-2:] == ["--seed", "2"]


def test_fresh_is_refused_while_anybody_looks(scene: Scene) -> None:
    with scene.demo.open():
        (scene.demo.data / "kelmu.db").write_text("mine")
        with pytest.raises(DemoInUse):
            scene.demo.open(fresh=True)
        assert (scene.demo.data / "kelmu.db").read_text() == "mine"


def test_fresh_is_refused_while_the_old_backend_does_not_end(scene: Scene) -> None:
    scene.demo.open().close()
    (scene.demo.data / "kelmu.db").write_text("mine")
    with pytest.raises(DemoInUse):
        scene.demo.open(fresh=True)
    assert (scene.demo.data / "kelmu.db").exists()


def test_a_backend_on_its_way_out_is_not_joined(scene: Scene) -> None:
    scene.demo.open().close()
    leaving = os.open(scene.demo.folder / "lifeline", os.O_RDWR)
    fcntl.flock(leaving, fcntl.LOCK_EX)

    def gone() -> None:
        nonlocal leaving
        if leaving >= 0 and scene.time.seconds > 1:
            scene.backend.end()
            os.close(leaving)
            leaving = -1

    assert scene.demo.join() is None
    scene.time.then = gone
    with scene.demo.open(on_progress=scene.told.append) as handle:
        assert (handle.url, handle.joined) == ("http://127.0.0.1:2", False)
    assert Stage.ENDING in [p.stage for p in scene.told]


def test_ten_starters_make_one_backend(profile: Profile) -> None:
    scene = Scene(profile)
    handles, barrier = [], threading.Barrier(10)

    def terminal() -> None:
        demo = Demo(profile, start=scene.backend.start)
        barrier.wait()
        handles.append(demo.open())

    threads = [threading.Thread(target=terminal) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(scene.backend.starts) == 1
    assert {handle.url for handle in handles} == {"http://127.0.0.1:1"}
    for handle in handles:
        handle.close()
    scene.backend.end()


def test_a_real_process_inherits_the_lock_and_keeps_it(tmp_path: Path) -> None:
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    process = start_process(["/bin/sh", "-c", "echo started; exec sleep 60"], tmp_path / "log", lock)
    os.close(lock)
    probe = os.open(tmp_path / "lock", os.O_RDWR)
    try:
        with pytest.raises(BlockingIOError):
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
    finally:
        assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process.poll() == -signal.SIGKILL
    fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(probe)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
