"""The settings file: every mistake is told with its line, nothing else suffers from it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.platform import settings as module
from kelmu_tui.platform.settings import Settings, load
from kelmu_tui.platform.settings_file import SettingsNotWritten, parse, write


def told(text: str) -> list[tuple[int, str, str]]:
    return [(p.line, p.key, p.code) for p in parse(text).problems]


def test_a_missing_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "settings.toml") == module.Loaded(Settings())


def test_everything_can_be_set() -> None:
    loaded = parse(
        'language = "sv"\nprofile = "work"\nbackend = "https://kelmu.example.fi/"\ntheme = "light"\nmotion = "off"\n'
        'mouse = "on"\nglyphs = "ascii"\nlock_minutes = 5\n[keys]\n"inbox.take" = "b"\ninbox.handle = ["d", "ctrl+d"]\n'
    )
    assert loaded.problems == ()
    assert loaded.settings == Settings(
        "sv", "work", "https://kelmu.example.fi", "light", "off", "on", "ascii", 5,
        {"inbox.take": "b", "inbox.handle": "d,ctrl+d"},
    )  # fmt: skip


def test_each_mistake_is_told_with_its_line_and_the_rest_counts() -> None:
    text = '# mine\nlanguage = "no"\ncolour = 1\n\nmotion = 5\nmouse = "off"\n[keys]\n"inbox.take" = 7\nx = "y"\n'
    assert told(text) == [
        (2, "language", "choice"),
        (3, "colour", "unknown"),
        (5, "motion", "type"),
        (8, "keys.inbox.take", "type"),
    ]
    assert parse(text).settings == Settings(mouse="off", keys={"x": "y"})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('language = "sv"\nthis is not TOML\nmouse = "off"\n', 2),
        ('language = "sv"\nmouse = "off"\nmouse = "on"\n', 3),
        ('language = "sv"\nmouse = "off"\ntheme = "li', 3),
        ('language = "sv"\nmouse = "off"\n[keys\n', 3),
        ('language = "sv"\ntheme = light\nmouse = "off"\n', 2),
    ],
)
def test_a_broken_line_is_left_out_alone(text: str, line: int) -> None:
    loaded = parse(text)
    assert [(p.line, p.code) for p in loaded.problems] == [(line, "syntax")]
    assert (loaded.settings.language, loaded.settings.mouse) == ("sv", "off")


@pytest.mark.parametrize(
    "url", ["http://kelmu.example.fi", "ftp://x", "https://", "https://user:word@x.fi", "http://localhost.evil.fi", "x"]
)
def test_an_unsafe_backend_is_not_used(url: str) -> None:
    assert told(f'backend = "{url}"') == [(1, "backend", "value")]
    assert parse(f'backend = "{url}"').settings.backend_url is None


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1:1", "http://[::1]:80", "https://a.fi/k"])
def test_https_or_loopback(url: str) -> None:
    assert parse(f'backend = "{url}"').settings.backend_url == url


@pytest.mark.parametrize(
    ("value", "code"), [("0", "value"), ("16", "value"), ("true", "type"), ('"5"', "type"), ("2.5", "type")]
)
def test_the_lock_comes_within_a_quarter_of_an_hour(value: str, code: str) -> None:
    assert told(f"lock_minutes = {value}") == [(1, "lock_minutes", code)]
    assert parse(f"lock_minutes = {value}").settings.lock_minutes == 10
    assert parse("lock_minutes = 15").settings.lock_minutes == 15


@pytest.mark.parametrize("name", ["../up", "", "a/b", "Iso", ".x", "a" * 33])
def test_a_profile_cannot_leave_its_folder(name: str) -> None:
    assert told(f'profile = "{name}"') == [(1, "profile", "value")]


def test_files_that_are_no_settings(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b'language = "fi"\nmouse = "\xff"\n')
    assert [(p.line, p.code) for p in load(path).problems] == [(2, "encoding")]
    path.write_bytes(b"#" * (module.MAX_BYTES + 1))
    assert [(p.line, p.code) for p in load(path).problems] == [(0, "size")]
    path.unlink()
    path.mkdir()
    assert [(p.line, p.code) for p in load(path).problems] == [(0, "unreadable")]


@given(st.text(max_size=200))
def test_no_text_whatever_keeps_the_program_from_starting(text: str) -> None:
    loaded = parse(text)
    assert isinstance(loaded.settings, Settings)
    assert all(0 <= p.line <= text.count("\n") + len(text.splitlines()) + 1 for p in loaded.problems)


@given(st.lists(st.sampled_from(['mouse = "off"', "mouse = 3", "[keys]", "[keys", 'a = """', '"""', "=", "x.y = 1"])))
def test_no_mixture_of_lines_either(lines: list[str]) -> None:
    parse("\n".join(lines))


def test_one_value_is_written_and_the_users_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('# my settings\nlanguage = "fi"   # at work\n\n# keys of my own\n[keys]\n"inbox.take" = "b"\n')
    write(path, "language", "sv")
    write(path, "profile", "demo")
    assert path.read_text() == (
        '# my settings\nlanguage = "sv"   # at work\nprofile = "demo"\n\n# keys of my own\n[keys]\n"inbox.take" = "b"\n'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_is_made_when_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "config" / "settings.toml"
    write(path, "language", "en")
    assert path.read_text() == 'language = "en"\n'


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text('theme = "light"')
    link = tmp_path / "settings.toml"
    link.symlink_to(real)
    write(link, "language", "sv")
    assert link.is_symlink()
    assert real.read_text() == 'theme = "light"\nlanguage = "sv"\n'


def test_a_file_with_mistakes_is_still_edited_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('broken line\nlanguage = "fi"\n')
    write(path, "language", "sv")
    assert path.read_text() == 'broken line\nlanguage = "sv"\n'


def test_what_is_no_setting_is_not_written(tmp_path: Path) -> None:
    for key, value in (("language", "no"), ("colour", "red"), ("motion", "maybe")):
        with pytest.raises(SettingsNotWritten):
            write(tmp_path / "settings.toml", key, value)
    assert not (tmp_path / "settings.toml").exists()


def test_a_value_that_cannot_be_changed_alone_is_left(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    text = 'language = """\nfi"""\nmouse = "off"\n'
    path.write_text(text)
    with pytest.raises(SettingsNotWritten):
        write(path, "language", "sv")
    assert path.read_text() == text
