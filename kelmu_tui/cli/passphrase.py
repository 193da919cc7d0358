"""`kelmu passphrase`: change what opens the local files."""

from __future__ import annotations

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.services.session import DEMO, find_folder


def change(env: Env) -> int:
    """Ask for the old passphrase and the new one, on the terminal alone; with `--keyring` the keyring takes over."""
    if env.profile.name == DEMO:
        raise CliError(Exit.USAGE, "demo_passphrase", env.t("cli.demo_passphrase"))
    from kelmu_tui.services import passphrase

    folder = find_folder(env.profile, env.option("user"), env.backend_url)
    keyring = bool(env.option("keyring"))
    passphrase.change(env.profile, folder, env.passphrase, keyring=keyring)
    if env.out.as_json:
        env.out.data("passphrase", {"keys": "keyring" if keyring else "passphrase"})
    env.out.note(env.t("cli.keys_in_keyring") if keyring else env.t("cli.passphrase_changed"))
    return Exit.OK
