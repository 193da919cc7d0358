"""What the catalogue holds and what the code asks for, as data for the tests."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_args

from kelmu_tui.i18n import FAMILIES, LANGUAGES, Text, area

ROOT: Final = Path(__file__).parent.parent.parent
CATALOGUE: Final = ROOT / "kelmu_tui" / "i18n" / "catalogue"
AREAS: Final = tuple(sorted(path.stem for path in CATALOGUE.glob("*.toml")))
CALLS: Final = frozenset({"t", "translate"})
"""Names under which code holds a translator."""
RUN_TIME_KEYS: Final = frozenset({"label_key", "help_key"})
"""Attributes that hold keys of the registry of actions, the one place where keys are put together."""

Entry = Mapping[str, Text]


def entries() -> dict[str, Entry]:
    """Return every text by its key."""
    return {f"{name}.{key}": entry for name in AREAS for key, entry in _leaves("", area(name)) if key}


def _leaves(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if any(_is_text(table.get(language)) for language in LANGUAGES):
        yield prefix, table
        return
    for name, value in table.items():
        if name == FAMILIES and not prefix:
            continue
        key = f"{prefix}.{name}" if prefix else name
        if isinstance(value, Mapping):
            yield from _leaves(key, value)
        else:
            yield key, value


def _is_text(value: object) -> bool:
    # A family of languages has members called fi, sv and en, which are texts in their turn.
    return isinstance(value, str) or (isinstance(value, Mapping) and not set(value) - {"one", "other"})


def families() -> dict[str, frozenset[str] | None]:
    """Return the values that each declared family must have a text for; None when it is open."""
    found: dict[str, frozenset[str] | None] = {}
    for name in AREAS:
        for family, spec in area(name).get(FAMILIES, {}).items():
            found[f"{name}.{family}"] = None if spec == "open" else _values(spec)
    return found


def _values(spec: str | list[str]) -> frozenset[str]:
    if isinstance(spec, list):
        return frozenset().union(*(_values(one) if ":" in one else {one} for one in spec))
    module, _, name = spec.partition(":")
    found = getattr(import_module(module), name)
    if isinstance(found, type) and issubclass(found, Enum):
        return frozenset(str(member.value) for member in found)
    if isinstance(found, type):
        return frozenset(_codes(found))
    return frozenset(get_args(found) or found)


def _codes(kind: Any) -> Iterator[str]:
    """Yield the `code` of an exception class and of all its subclasses."""
    yield kind.code
    for child in kind.__subclasses__():
        yield from _codes(child)


def placeholders(text: Text) -> set[str]:
    """Return the names in braces, over all plural forms."""
    forms = [text] if isinstance(text, str) else list(text.values())
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name is not None}


@dataclass(frozen=True)
class Use:
    """A call of a translator: `key` is None when it is no literal; `values` is None when it passes a mapping."""

    where: str
    choice: bool
    key: str | None
    values: frozenset[str] | None
    allowed: bool


def uses() -> list[Use]:
    """Return every call of a translator in the client."""
    return [use for path, tree in _trees() for node in ast.walk(tree) for use in _uses_of(path, node)]


def literals() -> set[str]:
    """Return every string in the client's code that looks like a key."""
    return {
        node.value
        for _, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.split(".")[0] in AREAS
    }


def _trees() -> list[tuple[str, ast.Module]]:
    return [
        (str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted((ROOT / "kelmu_tui").rglob("*.py"))
    ]


def _uses_of(path: str, node: ast.AST) -> Iterator[Use]:
    if not isinstance(node, ast.Call) or not node.args:
        return
    name = _name(node.func)
    holder = _name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    choice = name == "choice" and holder in CALLS | {"_t", "_say"}
    if name not in CALLS and not choice:
        return
    names = [keyword.arg for keyword in node.keywords]
    values = None if None in names else frozenset(n for n in names if n is not None and n != "default")
    where = f"{path}:{node.lineno}"
    for key in _keys(node.args[0]):
        yield Use(where, choice, key, values, key is not None or _allowed(node.args[0]))


def _keys(argument: ast.expr) -> Iterator[str | None]:
    if isinstance(argument, ast.IfExp):
        yield from _keys(argument.body)
        yield from _keys(argument.orelse)
    else:
        yield argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def _allowed(argument: ast.expr) -> bool:
    """A key that is no literal may come out of a table or a parameter, never be put together."""
    if isinstance(argument, ast.JoinedStr | ast.BinOp):
        return False
    return not (isinstance(argument, ast.Call) and _name(argument.func) in ("format", "join"))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
