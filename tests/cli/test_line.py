"""The command line by itself: grammar, languages, exit codes, JSON, and what it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kelmu_tui.cli.commands import COMMANDS, GLOBAL
from kelmu_tui.cli.exits import Exit
from kelmu_tui.cli.output import Column, Output, fitted, width
from kelmu_tui.cli.parser import build
from kelmu_tui.platform import ephemeral
from kelmu_tui.platform.paths import HOME_VARIABLE
from tests.cli.conftest import Kelmu


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_every_command_has_help_in_every_language(kelmu: Kelmu, language: str) -> None:
    root = kelmu("--help", "--lang", language)
    assert root.code == Exit.OK
    for code in Exit:
        assert f"{code.value:>3}  " in root.out
    for command in COMMANDS:
        ran = kelmu(*command.words, "--help", "--lang", language)
        assert ran.code == Exit.OK, command.words
        for option in (*command.options, *GLOBAL):
            shown = (
                option.flags[0] if option.flags[0].startswith("-") else dict(option.settings).get("metavar", "{bash")
            )
            assert shown in ran.out, (command.words, option.name)


def test_help_speaks_one_language(kelmu: Kelmu) -> None:
    assert "käyttö:" in kelmu("--help", "--lang", "fi").out
    assert "användning:" in kelmu("--help", "--lang=sv").out
    assert "usage:" in kelmu("--help", "--lang", "en").out


def test_version(kelmu: Kelmu) -> None:
    ran = kelmu("--version")
    assert (ran.code, ran.out.split()[0]) == (Exit.OK, "kelmu")


@pytest.mark.parametrize(
    "argv",
    [
        ["bogus"],
        ["inbox"],
        ["inbox", "lst"],
        ["inbox", "take"],
        ["inbox", "list", "--view", "x"],
        ["inbox", "list", "--limit", "0"],
        ["inbox", "transfer", "id", "--to", "Turku"],
        ["inbox", "take", "id", "--wait", "-1"],
        ["--profile", "../up", "status"],
        ["--profile"],
        ["demo", "--seed", "x"],
    ],
)
def test_a_wrong_line_is_usage(kelmu: Kelmu, argv: list[str]) -> None:
    ran = kelmu(*argv)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert ran.err
    ran = kelmu(*argv, "--json") if argv[-1] != "--profile" else kelmu("--json", *argv)
    assert ran.document["error"]["exit"] == Exit.USAGE


def test_global_options_stand_before_or_after(kelmu: Kelmu) -> None:
    before, after = kelmu("--json", "--lang", "en", "status"), kelmu("status", "--json", "--lang", "en")
    assert before.document == after.document
    assert before.code == after.code == Exit.NOT_SIGNED_IN


@pytest.mark.parametrize("place", ["inbox list --filter {}", "inbox note x --text {}", "bogus {}", "{}", "--user={} x"])
def test_an_identity_code_in_the_line_is_refused_and_not_repeated(kelmu: Kelmu, place: str) -> None:
    code = "010190-957K"
    ran = kelmu(*[word.format(code) for word in place.split()], "--lang", "en")
    assert ran.code == Exit.USAGE
    assert "identity code" in ran.err
    assert code not in ran.err + ran.out
    ran = kelmu("inbox", "note", "x", "--text", f"Soitto {code.lower()}.", "--json")
    assert ran.document["error"]["code"] == "identity_code"
    assert code.lower() not in ran.out + ran.err


@pytest.mark.parametrize(
    "argv", [["status"], ["inbox", "list"], ["outbox", "list"], ["sync"], ["sign-out"], ["inbox", "take", "abcd"]]
)
def test_without_a_sign_in_nothing_but_the_way_to_it(kelmu: Kelmu, home: Path, argv: list[str]) -> None:
    ran = kelmu(*argv, "--lang", "en")
    assert (ran.code, ran.out) == (Exit.NOT_SIGNED_IN, "")
    assert "kelmu sign-in" in ran.err
    assert list(home.iterdir()) == []


def test_sign_in_needs_an_address_that_may_be_trusted(kelmu: Kelmu) -> None:
    assert kelmu("sign-in").code == Exit.USAGE
    for url in ("http://kelmu.example.fi", "ftp://x", "https://user:word@x.fi"):
        assert kelmu("sign-in", "--backend", url).code == Exit.USAGE
    assert kelmu("sign-in", "--persona", "x").code == Exit.USAGE


def test_leaving_no_file_is_for_the_app_alone(kelmu: Kelmu, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for argv in (["--ephemeral", "status"], ["demo", "--ephemeral", "--personas"]):
        ran = kelmu(*argv, "--json")
        assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "ephemeral")
    assert kelmu("--ephemeral").code == Exit.USAGE, "where would the backend be?"
    monkeypatch.setattr(ephemeral, "_places", lambda: iter(()))
    (home / "settings.toml").write_text('backend = "https://kelmu.example.fi"\n')
    ran = kelmu("--ephemeral", "--lang", "en")
    assert (ran.code, "/dev/shm" in ran.err) == (Exit.STORE, True)
    assert [path.name for path in home.iterdir()] == ["settings.toml"]


def test_the_app_without_an_address_says_where_it_belongs(kelmu: Kelmu, home: Path) -> None:
    ran = kelmu("--lang", "en")
    assert ran.code == Exit.USAGE
    assert str(home / "settings.toml") in ran.err


def test_a_backend_that_is_away(kelmu: Kelmu) -> None:
    ran = kelmu("sign-in", "--backend", "http://127.0.0.1:9", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.OFFLINE, "unreachable")


def test_config_tells_mistakes_with_their_lines(kelmu: Kelmu, home: Path) -> None:
    path = home / "settings.toml"
    assert kelmu("config", "path").out.strip() == str(path)
    assert kelmu("config", "show").code == Exit.OK
    path.write_text('language = "sv"\ncolour = 1\n[keys]\n"inbox.take" = "b"\n')
    ran = kelmu("config", "show")
    assert ran.code == Exit.PROBLEMS
    assert f"{path}:2: colour: okänd inställning" in ran.err
    assert 'keys."inbox.take" = "b"' in ran.out
    document = kelmu("config", "show", "--json").data
    assert document["settings"]["language"] == "sv"
    assert document["problems"][0]["line"] == 2


def test_doctor_on_an_empty_home(kelmu: Kelmu, home: Path) -> None:
    ran = kelmu("doctor", "--json")
    assert ran.code == Exit.OK
    assert ran.data["healthy"]
    assert list(home.iterdir()) == []
    users = home / "data" / "default" / "users" / "0123456789abcdef"
    users.mkdir(parents=True, mode=0o755)
    users.chmod(0o755)
    (home / "settings.toml").write_text("x = 1\n")
    ran = kelmu("doctor", "--json")
    assert ran.code == Exit.PROBLEMS
    hints = {finding["hint"] for finding in ran.data["findings"] if finding["state"] == "wrong"}
    assert {"open_folder", "settings_unknown"} <= hints


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command_and_parses(kelmu: Kelmu, shell: str, tmp_path: Path) -> None:
    ran = kelmu("completion", shell)
    assert ran.code == Exit.OK
    for command in COMMANDS:
        for word in command.words:
            assert word in ran.out
    program = shutil.which(shell)
    if program is not None:
        script = tmp_path / "completion"
        script.write_text(ran.out)
        subprocess.run([program, "-n", str(script)], check=True)


def test_bash_completes(kelmu: Kelmu, tmp_path: Path) -> None:
    (tmp_path / "c").write_text(kelmu("completion", "bash").out)
    probe = (
        'source "$1"; COMP_WORDS=(kelmu inbox tr); COMP_CWORD=2; _kelmu; echo "${COMPREPLY[@]}";'
        ' COMP_WORDS=(kelmu inbox list --view m); COMP_CWORD=4; _kelmu; echo "${COMPREPLY[@]}"'
    )
    ran = subprocess.run(["bash", "-c", probe, "bash", str(tmp_path / "c")], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["transfer", "mine"]


def test_all_commands_parse_with_the_whole_grammar() -> None:
    parser = build([], everything=True)
    args = parser.parse_args(["inbox", "transfer", "a", "--to", "x", "--reason", "y", "--profile", "demo"])
    assert (args.chosen.words, args.profile, args.wait) == (("inbox", "transfer"), "demo", None)


# --- output ---------------------------------------------------------------------------------------------------------


class Screen:
    """A stream that is, or is not, a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        self.text = ""
        self.terminal = terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return self.terminal


HOSTILE = "a\x1b]52;c;x\x07\u202eb\x9b31m\u2066\x7f\r\nc\ud800"


def test_what_terminals_obey_never_gets_out() -> None:
    for terminal in (True, False):
        out, err = Screen(terminal=terminal), Screen(terminal=terminal)
        printer = Output(stdout=out, stderr=err)  # type: ignore[arg-type]
        printer.table([Column("x")], [[HOSTILE]])
        printer.line(HOSTILE)
        printer.note(HOSTILE)
        printer.data("x", {"a": HOSTILE})
        for char in "\x1b\x07\u202e\x9b\u2066\x7f\r\ud800":
            assert char not in out.text + err.text, hex(ord(char))


def test_json_gives_the_value_back() -> None:
    import json

    out = Screen(terminal=False)
    Output(stdout=out).data("x", {"a": "ä\x7f\x1b"})  # type: ignore[arg-type]
    assert out.text.isascii()
    assert json.loads(out.text)["data"] == {"a": "ä\x7f\x1b"}


def test_a_table_fits_the_terminal_and_is_whole_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    columns = [Column("Id"), Column("Name", shrinks=True), Column("What", shrinks=True)]
    rows = [
        ["12345678", "Virtanen-Korhonen, Aino Maria", "a rather long description"],
        ["1", "世界世界世界世界世界", "x"],
    ]
    screen, pipe = Screen(terminal=True), Screen(terminal=False)
    Output(stdout=screen).table(columns, rows)  # type: ignore[arg-type]
    Output(stdout=pipe).table(columns, rows)  # type: ignore[arg-type]
    lines = screen.text.splitlines()
    assert len(lines) == 3
    assert max(width(line) for line in lines) <= 40
    assert "12345678" in lines[1]
    assert pipe.text == "".join("\t".join(row) + "\n" for row in rows)


def test_cells_are_cut_by_their_width() -> None:
    assert fitted("abc", 5) == "abc  "
    assert fitted("abcdef", 4) == "abc…"
    assert width(fitted("世界世界", 5)) == 5


# --- as a process ---------------------------------------------------------------------------------------------------


def process(home: Path, line: str, **how: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, HOME_VARIABLE: str(home), "LANG": "en_US.UTF-8"}
    shell = f"{sys.executable} -m kelmu_tui {line}"
    return subprocess.run(["bash", "-c", shell], env=environment, capture_output=True, text=True, **how)  # type: ignore[call-overload, no-any-return]


def test_a_reader_that_goes_away_is_no_crash(tmp_path: Path) -> None:
    ran = process(tmp_path, "completion fish | head -1; echo ${PIPESTATUS[0]}")
    assert ran.stdout.splitlines()[-1] in ("0", "141")
    assert "Traceback" not in ran.stderr


def test_closed_streams_are_no_crash(tmp_path: Path) -> None:
    for line in ("config show >&-", "config show 2>&-", "outbox discard abcd <&-", "inbox take - <&-"):
        ran = process(tmp_path, line)
        assert "Traceback" not in ran.stderr, line
    assert process(tmp_path, "inbox take - </dev/null").returncode == Exit.USAGE
