"""Prints `docs/keys.md`: every action with its keys, as the registry has them."""

from __future__ import annotations

import sys
import tomllib
from functools import reduce
from importlib.resources import files
from typing import Any

from kelmu_tui.actions.action import Action
from kelmu_tui.actions.contexts import Group
from kelmu_tui.actions.keys import show_key
from kelmu_tui.actions.registry import ACTIONS

HEAD = """\
# Keys

Every action of the app, with its default keys. `?` in the app shows the same, in your language and with your own keys.

Give an action other keys in the settings file (`kelmu config path` says where it is), by its id. Several keys are
separated by commas; `none` takes the keys away. A mistake is reported with its line, and the action keeps its default.

```toml
[keys]
"inbox.take" = "m"
"list.down" = "j, ctrl+n, down"
```

Keys are written as they are typed (`t`, `T`, `?`), by name (`enter`, `esc`, `tab`, `space`, `pgup`, `f5`) or with
`ctrl+` and `alt+`. `ctrl+c`, `ctrl+z` and `ctrl+\\` belong to the terminal. Where text is typed, a key that types a
character can't be an action.
"""


def page() -> str:
    """Return the page; its texts are read as data, since the registry lies on the same floor as the translator."""
    text = (files("kelmu_tui") / "i18n" / "catalogue" / "actions.toml").read_text(encoding="utf-8")
    texts = tomllib.loads(text)
    parts = [HEAD]
    for group in Group:
        parts.append(f"\n## {texts['group'][group.value]['en']}\n\n| Keys | Does | Works in | Id |\n|---|---|---|---|")
        parts.extend(_row(action, texts) for action in ACTIONS if action.group is group)
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def _row(action: Action, texts: dict[str, Any]) -> str:
    keys = " ".join(f"`{show_key(key)}`" for key in action.keys) or "–"
    node = reduce(lambda table, step: table[step], action.id.split("."), texts)
    places = ", ".join(texts["context"][context.value]["en"].lower() for context in action.contexts)
    return f"| {keys} | {node['help']['en']} | {places} | `{action.id}` |"


if __name__ == "__main__":
    sys.stdout.write(page())
