"""`kelmu passphrase`: change what opens the local files, or start over when it is forgotten."""

from __future__ import annotations

from pathlib import Path

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.services.session import DEMO, find_folder


def change(env: Env) -> int:
    """Ask for the old passphrase and the new one, on the terminal alone; with `--keyring` the keyring takes over."""
    if env.profile.name == DEMO:
        raise CliError(Exit.USAGE, "demo_passphrase", env.t("cli.demo_passphrase"))
    from kelmu_tui.services import passphrase

    folder = find_folder(env.profile, env.option("user"), env.backend_url)
    if env.option("forgotten"):
        return _start_over(env, folder)
    keyring = bool(env.option("keyring"))
    changed = passphrase.change(env.profile, folder, env.passphrase, keyring=keyring)
    if env.out.as_json:
        env.out.data("passphrase", {"keys": changed.keys.method, "forgotten": changed.forgotten})
    env.out.note(env.t("cli.keys_in_keyring") if keyring else env.t("cli.passphrase_changed"))
    if not changed.forgotten:
        env.out.note(env.t("cli.keyring_keeps"))
    return Exit.OK


def _start_over(env: Env, folder: Path) -> int:
    """Set the wraps aside once a word was typed: nothing opens the files then, and the next sign-in begins new ones."""
    from kelmu_tui.services import passphrase

    word = env.t("cli.forgotten_word")
    if env.typed(env.t("cli.forgotten", word=word)).strip().casefold() != word.casefold():
        raise CliError(Exit.STORE, "not_confirmed", env.t("cli.other_word"))
    moved = passphrase.give_up(env.profile, folder, env.clock, env.ids)
    if env.out.as_json:
        env.out.data("passphrase", {"keys": None, "forgotten": True})
    env.out.note(env.t("cli.started_over", file=moved.name))
    return Exit.OK
