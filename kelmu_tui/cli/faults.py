"""Failures from the rooms below, as one sentence and one exit code each."""

from __future__ import annotations

import traceback

from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.domain.capabilities import mandates
from kelmu_tui.domain.identifiers import InvalidIdentityCode
from kelmu_tui.i18n import Translator
from kelmu_tui.i18n.failures import store_text
from kelmu_tui.platform.paths import UnsafePath
from kelmu_tui.services.audit_typing import Unfit
from kelmu_tui.services.customers import InvalidCase, InvalidQuery, InvalidReason
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.known import SHUT_OUT, NotSupervisor
from kelmu_tui.services.session import (
    ChooseOrganisation,
    KnownOrganisation,
    NoSuchOrganisation,
    NothingOpens,
    NotSignedIn,
    SessionProblem,
)
from kelmu_tui.services.short_ids import Ambiguous, Unknown
from kelmu_tui.store.errors import ClockBehind, LeaseEnded, StoreError, ViewsBarred


def explain(error: Exception, t: Translator) -> CliError:
    """Return the failure to tell; one that nobody foresaw is told without any value in it."""
    if isinstance(error, SessionProblem):
        return _session(error, t)
    if isinstance(error, LeaseEnded):
        until = t.formats.instant(error.until)
        return CliError(Exit.NOT_SIGNED_IN, error.code, t("cli.lease_over", until=until))
    if isinstance(error, ClockBehind):
        return CliError(Exit.NOT_SIGNED_IN, error.code, t("cli.clock_behind"))
    if isinstance(error, ViewsBarred):
        return CliError(Exit.NOT_SIGNED_IN, error.code, t.choice("errors.store", error.code))
    if isinstance(error, StoreError):
        return CliError(Exit.STORE, error.code, store_text(t, error))
    if isinstance(error, UnsafePath):
        return CliError(Exit.STORE, "unsafe_path", t("cli.unsafe_path", path=error.path, why=error.why))
    if isinstance(error, Unknown):
        return CliError(Exit.NOT_FOUND, "not_found", t("cli.not_found", ids=", ".join(error.words)))
    if isinstance(error, Ambiguous):
        return CliError(Exit.NOT_FOUND, "ambiguous", t("cli.ambiguous", id=error.word))
    if isinstance(error, NotAllowed):
        return CliError(Exit.NOT_ALLOWED, "mandate_missing", t("errors.api.mandate_missing"))
    if isinstance(error, NotSupervisor):
        return CliError(Exit.NOT_ALLOWED, "not_supervisor", t("look_ups.not_supervisor"))
    known = _mistake(error, t) or _api(error, t)
    if known is not None:
        return known
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__}, {frame.name}:{frame.lineno}"
    return CliError(Exit.FAILED, "unexpected", t("cli.unexpected", where=where))


def _mistake(error: Exception, t: Translator) -> CliError | None:
    if isinstance(error, InvalidIdentityCode):
        text = f"{t('errors.api.customer_code_invalid')} {t.choice('customers.fault', error.fault)}"
        return CliError(Exit.USAGE, "customer_code_invalid", text)
    if isinstance(error, InvalidCase):
        return CliError(Exit.USAGE, "case_invalid", t("cli.case_invalid"))
    if isinstance(error, InvalidReason):
        return CliError(Exit.USAGE, "reason_invalid", t("cli.reason_invalid"))
    if isinstance(error, Unfit):
        return CliError(Exit.USAGE, f"{error.part}_invalid", t.choice("look_ups.unfit", error.part))
    if isinstance(error, InvalidQuery):
        return CliError(Exit.USAGE, "query_invalid", t("cli.query_invalid"))
    return None


def _session(error: SessionProblem, t: Translator) -> CliError:
    match error:
        case NotSignedIn():
            return CliError(Exit.NOT_SIGNED_IN, error.code, t("cli.not_signed_in"))
        case ChooseOrganisation():
            return CliError(
                Exit.NOT_ALLOWED, error.code, f"{t('cli.choose_organisation')}\n{listed(error.organisations, t)}"
            )
        case NoSuchOrganisation():
            return CliError(
                Exit.NOT_ALLOWED, error.code, f"{t('cli.no_such_organisation')}\n{listed(error.organisations, t)}"
            )
        case NothingOpens(organisation=None):
            return CliError(Exit.NOT_ALLOWED, error.code, t("cli.no_mandates"))
        case NothingOpens(organisation=KnownOrganisation() as found, why=why):
            name = found.organisation.name.get(t.language)
            if why is None:
                return CliError(Exit.NOT_ALLOWED, error.code, t("cli.no_mandates"))
            names = ", ".join(mandates()[mandate].name.get(t.language) for mandate in why.mandates)
            sentence = t.choice("errors.reason", why.reason, mandate=names)
            text = t("cli.nothing_opens", organisation=name, reason=sentence)
            return CliError(Exit.NOT_ALLOWED, why.reason.value, text)
        case _:
            return CliError(Exit.NOT_ALLOWED, error.code, t("cli.not_signed_in"))


def listed(organisations: tuple[KnownOrganisation, ...], t: Translator) -> str:
    """Return organisations as lines of business ID and name."""
    return "\n".join(f"  {o.organisation.business_id}  {o.organisation.name.get(t.language)}" for o in organisations)


def _api(error: Exception, t: Translator) -> CliError | None:
    """Explain failures of the network; its modules are costly, so they are asked for only when something is wrong."""
    from kelmu_tui.api.errors import ApiError, SignInNeeded, Unreachable
    from kelmu_tui.api.sign_in import Away, CodeExpired, SignInFailed

    if isinstance(error, SignInNeeded):
        return CliError(Exit.NOT_SIGNED_IN, error.code, t("errors.api.unauthenticated"))
    if isinstance(error, Unreachable | Away):
        return CliError(Exit.OFFLINE, "unreachable", t("errors.api.unreachable"))
    if isinstance(error, ApiError):
        text = t.choice("errors.api", error.code, default=t("errors.api.internal"))
        if error.request_id:
            text = f"{text} {t('cli.request', id=error.request_id)}"
        final = Exit.NOT_ALLOWED if error.code in SHUT_OUT else Exit.REFUSED
        return CliError(Exit.OFFLINE if error.retryable else final, error.code, text)
    if isinstance(error, CodeExpired):
        return CliError(Exit.NOT_SIGNED_IN, "code_expired", t("cli.code_expired"))
    if isinstance(error, SignInFailed):
        return CliError(Exit.NOT_SIGNED_IN, "sign_in_refused", t("cli.sign_in_refused"))
    return None
