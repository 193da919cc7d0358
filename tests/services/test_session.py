"""Sessions on the real store: places, leases, organisations."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from kelmu_tui.domain.capabilities import NOTICES_INBOX, Reason
from kelmu_tui.domain.lists import lists
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services import session as sessions
from kelmu_tui.services.context import activate, open_context, open_store
from kelmu_tui.services.known import CLAIMS, DOCUMENTS, INBOX, LOOK_UPS, OPENERS
from kelmu_tui.services.session import (
    ChooseOrganisation,
    NoSuchOrganisation,
    NothingOpens,
    NotSignedIn,
    Session,
    put_secrets,
)
from kelmu_tui.store import lease
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import ClockBehind, LeaseEnded
from kelmu_tui.store.wraps import WRAPS_FILE
from tests.services.signed_in import FIRST, NOW, SECOND, TODAY, Time, organisation, session_text

# --- places ---------------------------------------------------------------------------------------------------------


def test_a_folder_tells_neither_user_nor_address(profile: Profile) -> None:
    other = Profile("default", profile.root.parent / "default", profile.settings)
    name = sessions.folder_name(other, "https://kelmu.example.fi", "outi.rautio")
    assert len(name) == 16
    assert name != sessions.folder_name(other, "https://other.example.fi", "outi.rautio")
    # The demo listens on another port each time and stays the same demo.
    assert sessions.folder_name(profile, "http://127.0.0.1:1", "x") == sessions.folder_name(
        profile, "http://[::1]:2", "x"
    )


def test_the_one_signed_in_last_is_found(profile: Profile, store: Store) -> None:
    assert sessions.current_folder(profile) == store.folder
    assert sessions.find_folder(profile, "u1") == store.folder
    assert sessions.find_folder(profile, store.folder.name) == store.folder
    with pytest.raises(NotSignedIn):
        sessions.find_folder(profile, "nobody")
    for content in ("", "../../etc", "zz", "0123456789abcdef"):
        (profile.root / "current").write_text(content)
        with pytest.raises(NotSignedIn):
            sessions.current_folder(profile)


def test_the_device_has_one_number_for_good(profile: Profile) -> None:
    first = sessions.device(profile, SeededIds(1))
    assert sessions.device(profile, SeededIds(2)) == first
    (profile.root / "device").write_text("garbage")
    assert sessions.device(profile, SeededIds(2)) != first


# --- lease and organisations ----------------------------------------------------------------------------------------


def test_a_context_opens_offline(profile: Profile, store: Store, time: Time) -> None:
    store.close()
    with open_context(profile, ask=lambda _: "", clock=time, ids=SeededIds(2)) as context:
        assert context.active.organisation.business_id == FIRST
        assert NOTICES_INBOX in context.active.capabilities
        assert (context.active.user_id, context.active.device, context.active.lease) == ("u1", "d" * 32, "l1")
        assert sum(context.inbox.counts().values()) == 0


def test_nothing_is_shown_after_the_lease_even_with_the_clock_turned_back(
    profile: Profile, store: Store, time: Time
) -> None:
    until = NOW + timedelta(hours=12)
    put_secrets(store, {lease.SECRET: until.isoformat()})
    opened = activate(profile, store, None, SeededIds(4))
    time.at = until
    assert opened.inbox.counts()
    time.at += timedelta(seconds=1)
    with pytest.raises(LeaseEnded) as told:
        opened.inbox.counts()
    assert told.value.until == until
    with store.write() as db:
        store.clock.keep(db)
    store.close()
    time.at = NOW - timedelta(days=365)
    with pytest.raises(LeaseEnded):
        open_context(profile, ask=lambda _: "", clock=time, ids=SeededIds(2))


def test_a_clock_that_lies_behind_shows_nothing_until_the_backend_is_heard(
    profile: Profile, store: Store, time: Time
) -> None:
    put_secrets(store, {lease.SECRET: (NOW + timedelta(hours=12)).isoformat()})
    time.at = NOW + timedelta(hours=2)
    with store.write() as db:
        store.clock.keep(db)
    store.close()
    time.at = NOW + timedelta(hours=1)
    with pytest.raises(ClockBehind):
        open_context(profile, ask=lambda _: "", clock=time, ids=SeededIds(2))
    again = open_store(profile, ask=lambda _: "", clock=time)
    again.clock.hear(NOW + timedelta(hours=3))
    with closing(activate(profile, again, None, SeededIds(4))) as context:
        assert context.inbox.counts()


def test_a_day_after_the_lease_the_replicas_are_destroyed(profile: Profile, store: Store, time: Time) -> None:
    put_secrets(store, {lease.SECRET: (NOW + timedelta(hours=12)).isoformat()})
    store.attach(FIRST)
    store.close()
    time.at = NOW + timedelta(hours=36)
    open_store(profile, ask=lambda _: "", clock=time).close()
    assert sessions.replicas(store.folder) == [FIRST]
    time.at += timedelta(seconds=1)
    open_store(profile, ask=lambda _: "", clock=time).close()
    assert sessions.replicas(store.folder) == []
    assert FIRST not in (store.folder / WRAPS_FILE).read_text()


def test_the_feed_prolongs_the_lease(store: Store, time: Time) -> None:
    session = Session(store)
    session.activate(None, TODAY)
    until = NOW + timedelta(hours=30)
    with store.write() as db:
        db.execute("INSERT INTO replica.state VALUES ('lease', 'l2'), ('lease_until', ?)", (until.isoformat(),))
    assert session.lease() == ("l2", until)


def test_one_supervises_in_the_organisations_that_the_backend_names(store: Store, time: Time) -> None:
    older = organisation(SECOND, "Varsinais")
    del older["supervisor"]
    put_secrets(store, {"session": session_text(organisation(FIRST, "Pirkanmaa", supervisor=True), older)})
    session = Session(store)
    assert session.activate(FIRST, TODAY).supervisor
    assert not session.activate(SECOND, TODAY).supervisor


def test_one_of_several_organisations_is_chosen_once(store: Store, time: Time) -> None:
    put_secrets(store, {"session": session_text(organisation(FIRST, "Pirkanmaa"), organisation(SECOND, "Varsinais"))})
    session = Session(store)
    with pytest.raises(ChooseOrganisation) as asked:
        session.activate(None, TODAY)
    assert len(asked.value.organisations) == 2
    for wrong in ("", "X", "9900001-1"):
        with pytest.raises(NoSuchOrganisation):
            session.activate(wrong, TODAY)
    assert session.activate("varsinais sv", TODAY).organisation.business_id == SECOND
    assert session.activate(None, TODAY).organisation.business_id == SECOND
    assert store.organisation == SECOND
    assert session.activate(FIRST, TODAY).organisation.business_id == FIRST
    assert store.organisation == FIRST


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"agreement_from": None}, Reason.NO_AGREEMENT),
        ({"agreement_to": "2026-11-22"}, Reason.NO_AGREEMENT),
        ({"grants": []}, Reason.NO_MANDATE),
        ({"type": "reception_centre"}, Reason.ORGANISATION_TYPE),
    ],
)
def test_what_opens_nothing_is_explained(store: Store, time: Time, changes: dict[str, Any], reason: Reason) -> None:
    put_secrets(store, {"session": session_text(organisation(FIRST, "Pirkanmaa", **changes))})
    with pytest.raises(NothingOpens) as told:
        Session(store).activate(None, TODAY)
    assert told.value.why is not None
    assert told.value.why.reason is reason


def test_a_mandate_that_ended_since_the_answer_closes(store: Store, time: Time) -> None:
    made = organisation(FIRST, "Pirkanmaa", capabilities=[NOTICES_INBOX])
    made["grants"][0]["valid_to"] = "2026-11-23"
    put_secrets(store, {"session": session_text(made)})
    session = Session(store)
    assert session.activate(None, TODAY).capabilities == {NOTICES_INBOX}
    with pytest.raises(NothingOpens):
        session.activate(None, TODAY + timedelta(days=1))


def test_no_organisation_at_all(store: Store, time: Time) -> None:
    put_secrets(store, {"session": json.dumps({**json.loads(session_text()), "organisations": []})})
    with pytest.raises(NothingOpens) as told:
        Session(store).activate(None, TODAY)
    assert told.value.organisation is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"user": 5}', '{"user": {}, "lease": {}}'])
def test_an_unreadable_session_is_none(store: Store, time: Time, text: str) -> None:
    put_secrets(store, {"session": text})
    with pytest.raises(NotSignedIn):
        Session(store).known()


def test_what_is_needed_decides_which_organisations_are_usable(store: Store) -> None:
    only = organisation(SECOND, "Pohjola")
    only["grants"][0]["mandate"] = "benefit_viewing_and_claims"
    put_secrets(store, {"session": session_text(organisation(FIRST, "Pirkanmaa"), only)})
    known = Session(store).known()
    usable = [[o.organisation.business_id for o in known.usable(TODAY, needs)] for needs in (INBOX, LOOK_UPS, OPENERS)]
    assert usable == [[FIRST], [SECOND], [FIRST, SECOND]]
    assert Session(store).activate(None, TODAY, LOOK_UPS).organisation.business_id == SECOND
    with pytest.raises(NothingOpens) as told:
        Session(store).activate(FIRST, TODAY, LOOK_UPS)
    assert told.value.why is not None
    assert "benefit_viewing_and_claims" in told.value.why.mandates


def test_every_list_opens_the_app() -> None:
    assert INBOX | LOOK_UPS | CLAIMS | DOCUMENTS | frozenset(lists()) == OPENERS
