"""The settings file as text: parsed with forgiveness line by line, edited in single lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from kelmu_tui.platform.paths import private_folder, write_private
from kelmu_tui.platform.settings import CHOICES, RANGES, Loaded, Settings, SettingsProblem, is_profile_name

MAX_MENDED: Final = 20
"""Broken lines left out before the rest of the file is given up."""

_LOOPBACK: Final = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?/?\Z")
_SECURE: Final = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?\Z")


class SettingsNotWritten(OSError):
    """The settings file could not be changed; it is as it was."""


def parse(text: str) -> Loaded:
    """Return the settings that `text` (TOML) asks for, with every mistake in it."""
    table, problems = _tolerant(text)
    lines = _line_numbers(text)
    settings = Settings()
    key_lines: dict[str, int] = {}
    for key, value in table.items():
        if key == "keys":
            keys, wrong = _keys(value, lines)
            settings = settings._replace(keys=MappingProxyType(keys))
            key_lines = {name: _key_line(name, lines) for name in keys}
            problems.extend(wrong)
            continue
        check = _CHECKS.get(key)
        if check is None:
            problems.append(SettingsProblem(lines.get((key,), 0), key, "unknown"))
            continue
        found, code, detail = check(key, value)
        if code:
            problems.append(SettingsProblem(lines.get((key,), 0), key, code, detail))
        else:
            settings = settings._replace(**{_FIELDS.get(key, key): found})
    return Loaded(settings, tuple(sorted(problems, key=lambda p: p.line)), MappingProxyType(key_lines))


def _tolerant(text: str) -> tuple[dict[str, Any], list[SettingsProblem]]:
    """Parse TOML line by line as far as it goes: a broken line is reported, left out, and the rest read again."""
    import tomli

    problems: list[SettingsProblem] = []
    lines = text.splitlines()
    for _ in range(MAX_MENDED):
        try:
            return tomli.loads("\n".join(lines)), problems
        except tomli.TOMLDecodeError as error:
            number, reason = _position(str(error), lines)
            problems.append(SettingsProblem(number, "", "syntax", reason))
            if not number:
                break
            lines[number - 1] = ""
    return {}, problems


def _position(message: str, lines: list[str]) -> tuple[int, str]:
    """Take the line number out of the parser's sentence; at the end of the text it means the last line written."""
    found = re.search(r"^(.*?) \(at (?:line (\d+), column \d+|end of document)\)$", message, re.DOTALL)
    if found is None:
        return 0, message
    last = max((n for n, line in enumerate(lines, 1) if line.strip()), default=0)
    number = int(found[2]) if found[2] else last
    while number and not (number <= len(lines) and lines[number - 1].strip()):
        number -= 1  # the parser points behind a line that ended too early
    return number, found[1]


Checked = tuple[Any, str, str]


def _choice(key: str, value: object) -> Checked:
    words = CHOICES[key]
    if not isinstance(value, str):
        return None, "type", "text"
    return (value, "", "") if value in words else (None, "choice", ", ".join(words))


def _number(key: str, value: object) -> Checked:
    low, high = RANGES[key]
    if not isinstance(value, int) or isinstance(value, bool):
        return None, "type", f"{low}–{high}"
    return (value, "", "") if low <= value <= high else (None, "value", f"{low}–{high}")


def _profile(_key: str, value: object) -> Checked:
    if not isinstance(value, str):
        return None, "type", "text"
    return (value, "", "") if is_profile_name(value) else (None, "value", "a-z 0-9 _ -")


def _backend(_key: str, value: object) -> Checked:
    if not isinstance(value, str):
        return None, "type", "text"
    return (value.rstrip("/"), "", "") if is_backend_url(value) else (None, "value", "https://")


_CHECKS: Final[Mapping[str, Callable[[str, object], Checked]]] = MappingProxyType(
    {**dict.fromkeys(CHOICES, _choice), **dict.fromkeys(RANGES, _number), "profile": _profile, "backend": _backend}
)
_FIELDS: Final = {"backend": "backend_url"}
"""Names in the file that differ from those of the class."""


def _keys(value: object, lines: Mapping[tuple[str, ...], int]) -> tuple[dict[str, str], list[SettingsProblem]]:
    """Read `[keys]`: action id to a key or a list of keys. Whether the ids exist is the key map's question."""
    if not isinstance(value, dict):
        return {}, [SettingsProblem(lines.get(("keys",), 0), "keys", "type", "[keys]")]
    keys: dict[str, str] = {}
    problems = []
    for name, bound in _flat(value).items():
        many = [bound] if isinstance(bound, str) else bound
        if isinstance(many, list) and all(isinstance(key, str) and key.isprintable() and key for key in many):
            keys[name] = ",".join(many)
        else:
            problems.append(SettingsProblem(_key_line(name, lines), f"keys.{name}", "type", "text"))
    return keys, problems


def _key_line(name: str, lines: Mapping[tuple[str, ...], int]) -> int:
    """Return the line of an action in `[keys]`, 0 when it cannot be told."""
    return lines.get(("keys", name), lines.get(("keys", *name.split(".")), 0))


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables with dotted names: `inbox.take = "a"` and `"inbox.take" = "a"` mean the same."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            found.update(_flat(value, f"{prefix}{name}."))
        else:
            found[f"{prefix}{name}"] = value
    return found


def is_backend_url(url: str) -> bool:
    """Tell whether `url` may be spoken to: https, or plain http on this machine."""
    return _SECURE.match(url) is not None or _LOOPBACK.match(url) is not None


# --- lines ----------------------------------------------------------------------------------------------------------

_HEADER: Final = re.compile(r"\s*\[\[?\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_NAME: Final = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_ASSIGNMENT: Final = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_PART: Final = re.compile(r"""[A-Za-z0-9_-]+|"([^"]*)"|'([^']*)'""")
_FENCES: Final = ('"""', "'''")


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(m[1] if m[1] is not None else m[2] if m[2] is not None else m[0] for m in _PART.finditer(dotted))


def _line_numbers(text: str) -> dict[tuple[str, ...], int]:
    """Return on which line each key stands; lines inside a multi-line string are no keys."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            if fence in line:
                fence = ""
            continue
        fence = next((mark for mark in _FENCES if line.count(mark) == 1), "")
        if header := _HEADER.match(line):
            table = _parts(header[1])
            found.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            found.setdefault((*table, *_parts(assignment[1])), number)
    return found


# --- writing --------------------------------------------------------------------------------------------------------

WRITABLE: Final = frozenset({"language", "profile", "backend", "theme", "motion", "mouse", "glyphs", "lock_minutes"})


def write(path: Path, key: str, value: str | int) -> None:
    """Set one top-level value in the file and touch nothing else; the file is made when it is missing.

    Raises:
        SettingsNotWritten: the value is not allowed, or the file cannot be read, edited safely or written.
    """
    if key not in WRITABLE or _CHECKS[key](key, value)[1]:
        raise SettingsNotWritten(f"{key}: not a setting, or not a value for it")
    target = path.resolve()  # a link (dotfiles kept elsewhere) stays a link
    try:
        text = target.read_text(encoding="utf-8") if target.exists() else ""
        edited = _edit(text, key, value)
        before, after = parse(text), parse(edited)
        name = _FIELDS.get(key, key)
        others = [field for field in Settings._fields if field != name]
        alone = all(getattr(before.settings, other) == getattr(after.settings, other) for other in others)
        if not alone or getattr(after.settings, name) != value or len(after.problems) > len(before.problems):
            raise SettingsNotWritten(f"{path}: the line of {key} cannot be changed alone")
        if not target.parent.exists():
            private_folder(target.parent)
        write_private(target, edited.encode("utf-8"))
    except SettingsNotWritten:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsNotWritten(f"{path}: {error}") from error


def _edit(text: str, key: str, value: str | int) -> str:
    literal = f'"{value}"' if isinstance(value, str) else str(value)
    lines = text.splitlines(keepends=True)
    number = _line_numbers(text).get((key,))
    if number:
        line = lines[number - 1]
        end = "\n" if line.endswith("\n") else ""
        comment = re.search(r"""=\s*(?:"[^"]*"|'[^']*'|[^#"']*?)(\s*#.*)?$""", line.rstrip("\n"))
        lines[number - 1] = f"{line.split('=', 1)[0]}= {literal}{(comment and comment[1]) or ''}{end}"
        return "".join(lines)
    first_table = next((n for n, line in enumerate(lines) if _HEADER.match(line)), len(lines))
    while first_table < len(lines) and first_table and lines[first_table - 1].lstrip().startswith("#"):
        first_table -= 1  # above the comment that belongs to the first table
    while first_table and not lines[first_table - 1].strip():
        first_table -= 1  # and above the empty lines that part it from what stands before
    if first_table and not lines[first_table - 1].endswith("\n"):
        lines[first_table - 1] += "\n"
    lines.insert(first_table, f"{key} = {literal}\n")
    return "".join(lines)
