"""When the backend told last what is published: remembered over a restart, and of the lists that it was about."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.known import OPENERS
from kelmu_tui.store.database import Store
from tests.services.customers import WIDE, at_work, give
from tests.services.signed_in import FIRST, NOW, Time
from tests.store.list_rows import published


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    return at_work(profile, store)


def test_it_is_remembered_when_the_publications_were_told(
    profile: Profile, context: Context, store: Store, time: Time
) -> None:
    assert context.lists.told() is None
    every = [offer.list.id for offer in context.lists.offers()]
    context.lists.announce([published(6)], every)
    time.at = NOW + timedelta(hours=1)
    again = activate(profile, store, FIRST, SeededIds(3), OPENERS)
    assert again.lists.told() == NOW
    again.lists.announce([], every)
    assert again.lists.told() == time.at


def test_of_a_list_that_was_closed_then_nothing_is_known(context: Context, store: Store) -> None:
    every = [offer.list.id for offer in context.lists.offers()]
    context.lists.announce([published(6)], every)
    give(store, WIDE, "treatment_abroad_reimbursements")
    assert context.lists.told() is None
    context.lists.announce([published(6)], every)
    assert context.lists.told() == NOW
