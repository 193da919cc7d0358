"""What is wrong with the files or their keys, as one sentence that says what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kelmu_tui.i18n import Translator
from kelmu_tui.store.errors import KeysLost, KeysUnavailable, StoreError, WeakPassphrase

if TYPE_CHECKING:
    from kelmu_tui.store.opening import Incident


def store_text(t: Translator, error: StoreError) -> str:
    """Return the sentence for a failure; one without a text of its own gets the general one."""
    general = t("errors.store.store_error")
    if isinstance(error, WeakPassphrase):
        return t.choice("errors.weak", error.reason, default=t("errors.store.weak_passphrase"))
    if isinstance(error, KeysLost) and error.reason == "keyring_forgot":
        return t("errors.keys.keyring_forgot")
    if isinstance(error, KeysUnavailable):
        general = t.choice("errors.store", error.code, default=general)
        return t.choice("errors.keys", error.reason, default=general) if error.reason else general
    return t.choice("errors.store", error.code, default=general)


def incident_text(t: Translator, incidents: Sequence[Incident]) -> str:
    """Return which files were moved aside, why, and what to do; empty when none was.

    The first one is the cause of those after it.
    """
    if not incidents:
        return ""
    return t.choice("errors.incident", incidents[0].kind, file=incidents[0].moved_to.name)
