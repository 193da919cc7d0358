"""What every command works with: the parsed line, output, settings, profile, texts, and the user's context."""

from __future__ import annotations

import argparse
import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.output import Output
from kelmu_tui.platform.clock import Clock, SystemClock
from kelmu_tui.platform.ids import Ids, RandomIds
from kelmu_tui.platform.paths import Profile, profile
from kelmu_tui.platform.settings import Loaded, is_profile_name, load

if TYPE_CHECKING:
    from kelmu_tui.i18n import Translator
    from kelmu_tui.services.context import Context
    from kelmu_tui.store.database import Store

MAX_STDIN = 1024 * 1024
"""Characters read from standard input at the most: ids or a reason, not a file sent by mistake."""


class Env:
    """The surroundings of one command; everything costly is made when first asked for."""

    def __init__(self, out: Output, *, clock: Clock | None = None, ids: Ids | None = None) -> None:
        self.out = out
        self.args = argparse.Namespace()
        self.clock = clock or SystemClock()
        self.ids = ids or RandomIds()
        self.language: str | None = None

    @cached_property
    def loaded(self) -> Loaded:
        """The settings file, with its mistakes."""
        return load(profile("default").settings)

    @cached_property
    def t(self) -> Translator:
        """Texts in the user's language: `--lang`, then the settings, then the environment."""
        from kelmu_tui.i18n import Translator, detect

        return Translator(self.language or self.loaded.settings.language or detect(os.environ))

    @cached_property
    def profile(self) -> Profile:
        """The profile in use: `--profile`, then the settings.

        Raises:
            CliError: the name cannot be one.
        """
        name = self.option("profile") or self.loaded.settings.profile
        if not is_profile_name(name):
            raise CliError(Exit.USAGE, "profile_name", self.t("cli.profile_name"))
        return profile(name)

    def option(self, name: str) -> Any:
        """Return an option's value, None when it was not given."""
        return getattr(self.args, name, None)

    @property
    def backend_url(self) -> str:
        """Address from the settings; empty when there is none."""
        return self.loaded.settings.backend_url or ""

    def context(self, needs: frozenset[str] | None = None) -> Context:
        """Open the signed-in user's context on the local store.

        Args:
            needs: capabilities of which one has to be open (`services.known`); the inbox by default.

        Raises:
            SessionProblem, StoreError: turned into words by `faults`.
        """
        from kelmu_tui.services.context import open_context
        from kelmu_tui.services.known import INBOX

        return open_context(
            self.profile,
            user=self.option("user"),
            backend_url=self.backend_url,
            organisation=self.option("organisation"),
            ask=self.passphrase,
            clock=self.clock,
            ids=self.ids,
            tell=self.tell_incidents,
            needs=INBOX if needs is None else needs,
        )

    def store(self) -> Store:
        """Open the signed-in user's store alone, where no organisation needs to be open; the caller closes it.

        Raises:
            SessionProblem, StoreError: turned into words by `faults`.
        """
        from kelmu_tui.services.context import open_store

        store = open_store(
            self.profile,
            user=self.option("user"),
            backend_url=self.backend_url,
            ask=self.passphrase,
            clock=self.clock,
            ids=self.ids,
        )
        self.tell_incidents(store)
        return store

    def tell_incidents(self, store: Store) -> None:
        """Tell which files did not open and were moved aside."""
        if store.incidents:
            from kelmu_tui.i18n.failures import incident_text

            self.out.note(incident_text(self.t, store.incidents))

    def passphrase(self, new: bool) -> str:
        """Ask for a passphrase on the terminal, never through stdin, arguments or the environment.

        Raises:
            CliError: there is no terminal to ask on.
        """
        import getpass
        import warnings

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", getpass.GetPassWarning)
                first = getpass.getpass(self.t("cli.passphrase_new") if new else self.t("cli.passphrase"))
                if new and getpass.getpass(self.t("cli.passphrase_again")) != first:
                    raise CliError(Exit.STORE, "passphrases_differ", self.t("cli.passphrases_differ"))
        except (getpass.GetPassWarning, EOFError, OSError):
            raise CliError(Exit.STORE, "no_terminal", self.t("cli.no_terminal")) from None
        return first

    def secret_text(self, prompt: str) -> str:
        """Return what stands on standard input, or ask for a line without showing it where that is a terminal.

        Raises:
            CliError: nothing is given.
        """
        import getpass

        if sys.stdin is None or not sys.stdin.isatty():
            return self.read_stdin()
        try:
            return getpass.getpass(prompt)
        except EOFError:
            raise CliError(Exit.USAGE, "stdin_empty", self.t("cli.stdin_empty")) from None

    def typed(self, prompt: str) -> str:
        """Ask for a word on the terminal, where a script cannot give it by mistake.

        Raises:
            CliError: there is no terminal to ask on.
        """
        try:
            with open("/dev/tty", "r+", encoding="utf-8", buffering=1) as terminal:  # noqa: PTH123 - a device
                terminal.write(prompt)
                return terminal.readline()
        except OSError:
            raise CliError(Exit.STORE, "no_terminal", self.t("cli.no_terminal")) from None

    def read_stdin(self) -> str:
        """Return what stands on standard input.

        Raises:
            CliError: it is closed or holds too much.
        """
        try:
            text = sys.stdin.read(MAX_STDIN + 1) if sys.stdin is not None else ""
        except (OSError, ValueError):
            text = ""
        if not text.strip():
            raise CliError(Exit.USAGE, "stdin_empty", self.t("cli.stdin_empty"))
        if len(text) > MAX_STDIN:
            raise CliError(Exit.USAGE, "stdin_long", self.t("cli.stdin_long"))
        return text

    def listed_ids(self) -> tuple[str, ...]:
        """Return the ids given, those on standard input for `-`, each once and in order."""
        given: list[str] = []
        for word in self.option("ids") or ():
            given.extend(self.read_stdin().split() if word == "-" else [word])
        return tuple(dict.fromkeys(given))
