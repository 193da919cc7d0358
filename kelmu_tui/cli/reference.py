"""docs/cli.md, generated from the grammar: `python -m kelmu_tui.cli.reference > docs/cli.md`."""

from __future__ import annotations

from typing import Final

from kelmu_tui.cli.commands import COMMANDS, GLOBAL, Option
from kelmu_tui.cli.exits import Exit
from kelmu_tui.cli.output import SCHEMA
from kelmu_tui.cli.texts import help_text
from kelmu_tui.i18n import Translator

HEAD: Final = """\
# Command line

`kelmu` without a command opens the app. `kelmu --ephemeral` opens it on a store in memory that is gone when it ends:
it begins with a sign-in, keeps no file, and asks before what is not sent is lost.

The commands below work on the same local store as the app, with or without a connection. Data goes to stdout,
narration to stderr. This page is generated from the program's own grammar
(`python -m kelmu_tui.cli.reference > docs/cli.md`); a test compares them.

A notice or a command is named by its id or by the first digits of it, four at the least. `-` in the place of ids or of
a text reads them from standard input: a customer's data never belongs on the command line, where other users of the
machine and the history of the shell see it. A line that holds an identity code is refused.

`outbox list` and `outbox show` also know drafts (state `draft`): what was typed in a dialog of the app and not given
yet. `kelmu outbox show ID --text` copies out what you wrote, also when the mandate has ended or the backend was not
heard for long; names of customers and the backend's rows are not told then.

What a command does is saved first and then sent for a moment (five seconds, `--wait` changes it). Each notice is told
as `sent`, `saved` (it goes out with the next connection), `refused` (with the reason) or `unchanged`.
"""

JSON: Final = f"""\
## JSON

With `--json` stdout is one document on one line, ASCII only. A field may be added at any time; `schema` grows when one
is renamed, retyped or removed.

    {{"schema": {SCHEMA}, "kind": "inbox.list", "data": {{…}}}}
    {{"schema": {SCHEMA}, "kind": "error", "error": {{"code": "not_signed_in", "message": "…", "exit": 5}}}}

| kind | data |
|---|---|
| `inbox.list` | `organisation`, `view`, `total`, `synced_at`, `notices` (or `traces` in the view `transferred`) |
| `inbox.show` | the notice: fields of the list, `customer`, `content`, `notes`, `origin`, `handled_at`, `data_at` |
| `inbox.take` and the other acts | `results`: `id`, `result`, `command`, `reason` |
| `audit.search`, `audit.sample`, `audit.extract` | `kind`, `made_at`, `purpose`, `case_reference`, `look_ups` (each \
with `user`, `user_name`, `masked_code`, `flags`, …); of a sample `seed`, `drawn_from` |
| `claims.list` | `total`, `synced_at`, `claims`: `id`, `version`, `status`, `name`, `masked_code`, `basis`, \
`benefit`, `first`, `last`, `amount`, `payment_day`, `latest`, `late`, `paid`, `pending`, `conflict`, `editing`, … |
| `claims.show` | fields of the list, `payee`, `account`, `reference`, `grounds`, `handler`, `telephone`, \
`care_first`, `care_last`, `assistance`, `events`, `payments`, `decided_on`, `rejection`, `end_reason`, `ended_on`, \
`data_at` |
| `claims.check` | `findings`: `rule`, `kind` (`block`, `warn`, `warn_late`, `info`), `field`, `text`, `source`; \
`unchecked` (rules for which a fact is missing), `missing` (fields) |
| `claims.command` | `commands`: `id`, `state`; of a registration `claim` and `at_risk`, the payment day that is \
missed when it does not arrive in time |
| `claims.accounts` | `accounts`: `id`, `iban`, `name` |
| `invoices.list` | `kinds`: `kind`, `list`, `open`, `reason`, `mandates`; `invoices`: `kind`, `period`, \
X
| `invoices.review` | fields of one of `invoices`, `rows`, `rows_total`, `earlier`, `since`, `without`, `disputed`; \
`findings`: `key`, `rule`, `text`, `why`, `source`, `column`, `expected`, `found`, `rows`, `judgement` |
| `invoices.judge` | `kind`, `period`, `verdict` or null, `findings` (keys) |
| `invoices.dispute` | `kind`, `period`, `file`, `findings`, `rows`, `billed` |
| `outbox.list` | `commands`: `id`, `verb`, `notice`, `label`, `state`, `created_at`, `attempts`, `due_at`, `conflict` |
| `outbox.show` | fields of the list, `organisation`, `problem`, `present`, `text`; with `--text` only `id`, `text` |
| `outbox.reload` | `reloaded`, `failed` |
| `outbox.retry` | `failed`, `waiting` |
| `outbox.discard` | `discarded`, `failed` |
| `status` | `user`, `organisation`, `capabilities`, `signed_in`, `synced_at`, `lease_until`, `queued`, `conflicts`, \
`refreshing`, `views`, `incidents`, `diagnostics` |
| `sync` | `state`, `synced_at`, `queued`, `conflicts` |
| `sign-in` | `user`, `organisations` |
| `sign-out` | `revoked`: whether the backend knows already |
| `passphrase` | `keys`: what opens them now, `passphrase`, `keyring` or null; `forgotten`: whether the old secret is |
| `demo.personas` | `personas` |
| `doctor` | `healthy`, `findings`: `part`, `what`, `value`, `state` (`ok`, `note`, `wrong`), `hint` |
| `config.path`, `config.show` | `path`, `exists`; `settings`, `problems` |
| `completion` | `shell`, `script` |

### Diagnostics

`diagnostics` of `status` is what the app's diagnostics screen shows. It holds no personal data and can be pasted into
a support request as it is: `kelmu status --json | jq .data.diagnostics`. Identifiers are shortened to eight characters.

| field | holds |
|---|---|
| `feed` | `epoch`, `seq`, `checkpoint`, `scopes` |
| `feed.scopes` | `name`, `state` (`live`, `filling`), `generation` shown, `filled` of `expected` rows of a fill |
| `ages` | `synced_at`, `lease_until`, `session_revision`, `signed_in` |
| `queue` | `states`: commands in each state; `oldest` that waits, or null; `conflicts` not acted on |
| `queue.oldest` | `id`, `verb`, `state`, `created_at`, `attempts`, `due_at`; of its last failure `code`, `request_id` |
| `troubles` | the newest errors: `part`, `code`, `status`, `request_id`, `times` in a row, `first_at`, `last_at` |
| `storage` | `keys` (`keyring`, `passphrase`, `demo`), `files`: `name`, `bytes`; `incidents`: `file`, `kind`, `at` |
| `storage.databases` | `name`, `version` of the tables, `page_bytes`, `pages`, `free` pages, `rows` of each table |
| `leader` | `who` talks to the backend (`another`, `nobody`), `beat_at`: its last sign of life |
| `unshipped` | views shown that the backend has not confirmed yet |
| `backend`, `device` | host and port of the backend; the installation's identifier |

Instants are UTC in ISO 8601, days are Finnish calendar days, municipalities three-digit codes, organisations business
IDs.
"""


def markdown() -> str:
    """Return the page."""
    t = Translator("en")
    text = help_text(t)

    def row(option: Option) -> str:
        settings = dict(option.settings)
        choices = settings.get("choices")
        value = f" {{{','.join(choices)}}}" if choices else f" {settings['metavar']}" if "metavar" in settings else ""
        flag = option.flags[0] + value if option.flags[0].startswith("-") else value.strip() or option.flags[0]
        return f"- `{flag}`: {text(f'option.{option.name}')}"

    parts = [HEAD, "## Options of every command\n", "\n".join(row(option) for option in GLOBAL), ""]
    parts.append("## Commands\n")
    for command in COMMANDS:
        parts.append(f"### `kelmu {' '.join(command.words)}`\n\n{text(f'command.{command.name}')}".rstrip())
        parts.append("")
        if command.options:
            parts.append("\n".join(row(option) for option in command.options))
            parts.append("")
    parts.append("## Exit codes\n")
    parts.append("\n".join(f"- `{code.value}`: {t.choice('cli.exit', code.name.lower())}" for code in Exit))
    return "\n".join([*parts, "", JSON])


if __name__ == "__main__":
    print(markdown(), end="")
