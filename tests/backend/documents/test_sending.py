"""Sending what was uploaded: the receipt, repetitions, and each reason to refuse."""

from __future__ import annotations

import asyncio
import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from kelmu_backend import policy
from kelmu_backend.customers import journal
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import look_up, person, person_code
from kelmu_backend.database.document_tables import sending, sent_document, upload
from kelmu_backend.documents import looking
from kelmu_tui.api import contract
from kelmu_tui.content.checking import NoReader
from kelmu_tui.domain.documents import receipt_kept
from kelmu_tui.domain.identifiers import make_identity_code
from tests.backend.conftest import B, notice_row, refusal
from tests.backend.customers.support import person_row

from .support import CODE, Sender, care, pdf, scope_of, sending_id

OTHER = make_identity_code(date(1985, 5, 5), "-", 901).value
UPLOAD = (409, "rule_refused", "sending_upload")
CUSTOMER = (409, "rule_refused", "sending_customer")


async def test_documents_go_up_are_sent_and_taken(sender: Sender) -> None:
    world = sender.world
    contents = [pdf(3_000_000), pdf()]
    documents = [await sender.upload(content) for content in contents]
    start = await world.changes()
    answer = await sender.send(sending_id(), sender.body(*documents))
    assert answer.status_code == 200, answer.text
    assert contract.CommandResult.model_validate_json(answer.content).version == 1
    told = await world.changes(start.cursor)
    (change,) = told.changes
    assert (change.scope, change.id, change.op) == (
        policy.sendings_scope(sender.organisation.business_id, "aino"),
        sending_id(),
        "up",
    )
    (row,) = await sender.rows()
    assert change.row == row
    assert (row.state, row.customer_name, row.masked_code) == ("received", "Virta, Oskar", "******-*00P")
    assert (row.asked_by, row.asked_on, row.way, row.case_reference) == (
        "customer",
        date(2026, 11, 22),
        "telephone",
        "123/26",
    )
    assert (row.received_at, row.expires_at) == (world.clock.now(), world.clock.now() + receipt_kept())
    assert re.fullmatch(r"20261123-[A-Z2-7]{4}-[A-Z2-7]{4}", row.receipt)
    assert [(one.id, one.size, one.pages, one.state) for one in row.documents] == [
        (document, len(content), 1, "received") for document, content in zip(documents, contents, strict=True)
    ]
    assert ("sending.send", None, "done") in world.audited()  # only a notice knows the customer

    assert await care(world).take() == 0  # whoever sent it sees it received first
    world.clock.pass_by(seconds=10)
    assert await care(world).take() == 1
    (row,) = await sender.rows()
    assert (row.version, row.state, {one.state.value for one in row.documents}) == (2, "checked", {"taken"})
    assert world.audited()[-1] == ("sending.checked", sending_id(), "done")
    assert world.all(upload) == []
    assert (await sender.client.head(f"/v1/uploads/{documents[0]}", headers=sender.headers())).status_code == 404


async def test_only_the_sender_hears_of_it(sender: Sender) -> None:
    await sender.send(sending_id(), sender.body(await sender.upload(pdf())))
    other = Sender(sender.world, sender.client, "bertta")
    assert await other.rows() == []
    assert (await sender.world.get("/v1/snapshot", "bertta", scope=scope_of(sender))).status_code == 404


async def test_a_repeated_command_has_one_effect_and_one_answer(sender: Sender) -> None:
    document = await sender.upload(pdf())
    body = sender.body(document)
    first = await sender.send(sending_id(), body, key="once")
    again = await sender.send(sending_id(), body, key="once")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len(sender.world.all(sending)) == 1
    # Another command for the same sending is refused, and hears what there is.
    other = await sender.send(sending_id(), body, key="twice")
    assert refusal(other) == (409, "rule_refused", "sending_sent")
    current = contract.Problem.model_validate_json(other.content).current
    assert isinstance(current, contract.SendingRow)
    assert current.id == sending_id()
    bertta = Sender(sender.world, sender.client, "bertta")
    stranger = await bertta.send(sending_id(), body)
    assert refusal(stranger) == (409, "rule_refused", "sending_sent")
    assert stranger.json()["current"] is None


async def test_of_two_sendings_with_the_same_document_one_is_taken(sender: Sender) -> None:
    document = await sender.upload(pdf())
    answers = await asyncio.gather(*(sender.send(sending_id(number), sender.body(document)) for number in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {refusal(answer)[2] for answer in answers if answer.status_code == 409} == {"sending_upload"}
    assert len(sender.world.all(sending)) == 1
    assert len(sender.world.all(sent_document)) == 1


async def test_what_is_sent_is_no_upload_any_more(sender: Sender) -> None:
    content = pdf()
    document = await sender.upload(content)
    await sender.send(sending_id(), sender.body(document))
    assert await sender.offset(document) == len(content)
    assert refusal(await sender.end(document)) == (409, "rule_refused", "sending_sent")
    assert refusal(await sender.create(document, 1)) == (409, "rule_refused", "sending_sent")
    assert refusal(await sender.add(document, len(content), b"x")) == (413, "upload_too_large", None)
    sender.world.pass_by(days=4)
    assert await care(sender.world).expire() == 0
    assert await care(sender.world).take() == 1


@pytest.mark.parametrize(
    "changes",
    [{"size": 1}, {"sha256": "0" * 64}, {"id": "f" * 32}],
)
async def test_a_document_that_is_not_what_was_announced(sender: Sender, changes: dict[str, Any]) -> None:
    document = await sender.upload(pdf())
    good = sender.document(await sender.upload(pdf()))
    answer = await sender.send(sending_id(), sender.body(good, sender.document(document, **changes)))
    assert refusal(answer) == UPLOAD
    assert answer.json()["errors"] == ["documents.1: not uploaded"]
    assert sender.world.all(sending) == []
    assert (await sender.send(sending_id(), sender.body(good, document))).status_code == 200


async def test_a_document_that_has_not_come_whole(sender: Sender) -> None:
    content = pdf()
    document = sender.new()
    sender.documents[document] = content
    assert refusal(await sender.send(sending_id(), sender.body(document))) == UPLOAD
    await sender.create(document, len(content))
    await sender.add(document, 0, content[:-1])
    assert refusal(await sender.send(sending_id(), sender.body(document))) == UPLOAD
    await sender.add(document, len(content) - 1, content[-1:])
    assert (await sender.send(sending_id(), sender.body(document))).status_code == 200


async def test_a_document_of_another_device_or_user_or_time(sender: Sender) -> None:
    document = await sender.upload(pdf())
    body = sender.body(document)
    assert refusal(await Sender(sender.world, sender.client, device="another").send(sending_id(), body)) == UPLOAD
    assert refusal(await Sender(sender.world, sender.client, "bertta").send(sending_id(), body)) == UPLOAD
    sender.world.pass_by(days=3)
    assert refusal(await sender.send(sending_id(), body)) == UPLOAD


@pytest.mark.parametrize(
    ("content", "media_type", "fault"),
    [
        (b"MZ\x90\x00" + bytes(200), "application/pdf", "type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", "type"),
        (pdf(), "image/jpeg", "type"),
        (b"%PDF-1.4\nnothing of a PDF", "application/pdf", "broken"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "image/png", "broken"),
    ],
)
async def test_content_decides_whatever_the_sender_says(
    sender: Sender, content: bytes, media_type: str, fault: str
) -> None:
    document = await sender.upload(content)
    answer = await sender.send(sending_id(), sender.body(sender.document(document, media_type=media_type)))
    assert refusal(answer) == (409, "rule_refused", "sending_document")
    assert (answer.json()["detail"], answer.json()["errors"]) == (fault, [f"documents.0: {fault}"])
    assert sender.world.all(sending) == []


async def test_what_was_looked_at_is_not_looked_at_again(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    document = await sender.upload(pdf())
    assert refusal(await sender.send(sending_id(), sender.body(document, customer=OTHER))) == CUSTOMER

    def never(*_: object) -> None:
        pytest.fail("looked at twice")

    monkeypatch.setattr(looking, "look", never)
    assert (await sender.send(sending_id(), sender.body(document))).status_code == 200


async def test_a_backend_that_cannot_read_documents_decides_nothing(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await sender.upload(pdf())

    def broken(*_: object) -> None:
        raise NoReader

    with monkeypatch.context() as patch:
        patch.setattr(looking, "look", broken)
        assert refusal(await sender.send(sending_id(), sender.body(document), key="k")) == (503, "service_break", None)
    assert (await sender.send(sending_id(), sender.body(document), key="k")).status_code == 200


@pytest.mark.parametrize("changes", [{"asked_by": "neighbour"}, {"way": "pigeon"}, {"asked_on": "2026-11-24"}])
async def test_who_asked_how_and_when(sender: Sender, changes: dict[str, str]) -> None:
    document = await sender.upload(pdf())
    answer = await sender.send(sending_id(), sender.body(document, **changes))
    assert refusal(answer) == (409, "rule_refused", "sending_asked")


async def test_today_is_the_finnish_day(sender: Sender) -> None:
    document = await sender.upload(pdf())
    sender.world.pass_by(hours=14, minutes=30)  # half past midnight in Finland, still the 23rd in UTC
    answer = await sender.send(sending_id(), sender.body(document, asked_on="2026-11-24"))
    assert answer.status_code == 200, answer.text


async def test_bodies_that_are_none(sender: Sender) -> None:
    document = await sender.upload(pdf())
    for body in (
        b"{",
        b"[]",
        {},
        sender.body(),
        sender.body(*[document] * 11),
        sender.body(document, document),
        sender.body(sender.document(document, kind="love_letter")),
        sender.body(sender.document(document, media_type="text/html")),
        sender.body(document, more=1),
    ):
        status, code, _ = refusal(await sender.send(sending_id(), body))
        assert (status, code) == (422, "invalid_request"), body
    assert sender.world.all(sending) == []


# --- whom it may be about -------------------------------------------------------------------------------------------


async def test_a_customer_whom_nobody_knows_or_the_user_does_not(sender: Sender) -> None:
    document = await sender.upload(pdf())
    codes = [OTHER, "010190-900A", "01019-9000PX"[:11]]
    for code in codes:
        assert refusal(await sender.send(sending_id(), sender.body(document, customer=code))) == CUSTOMER
    _register(sender, OTHER)
    for changes in (
        {"organisation": B.business_id},
        {"published": False},
    ):
        _notice(sender, OTHER, **changes)
        assert refusal(await sender.send(sending_id(), sender.body(document, customer=OTHER))) == CUSTOMER
    _notice(sender, OTHER)
    assert (await sender.send(sending_id(), sender.body(document, customer=OTHER))).status_code == 200
    (row,) = await sender.rows()
    assert row.customer_name == "Sukunimi-p1, Etunimi-p1"


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"outcome": "reason_needed"}, False),
        ({"user": "bertta"}, False),
        ({"organisation": B.business_id}, False),
        ({"at": timedelta(days=8)}, False),
    ],
)
async def test_a_customer_who_was_looked_up(sender: Sender, changes: dict[str, Any], known: bool) -> None:
    document = await sender.upload(pdf())
    _register(sender, OTHER)
    values: dict[str, Any] = {
        "id": "l1",
        "at": timedelta(hours=1),
        "user": "aino",
        "organisation": sender.organisation.business_id,
        "person": "p1",
        "sections": [],
        "flags": [],
        "outcome": journal.DONE,
    }
    values |= changes
    values["at"] = sender.world.clock.now() - values["at"]
    with sender.world.database.write() as connection:
        connection.execute(insert(look_up), values)
    answer = await sender.send(sending_id(), sender.body(document, customer=OTHER))
    assert (answer.status_code == 200) == known, answer.text
    assert known or refusal(answer) == CUSTOMER


async def test_an_earlier_code_names_the_same_person(sender: Sender) -> None:
    document = await sender.upload(pdf())
    _register(sender, OTHER, CODE)  # the notice came under the code of then
    assert (await sender.send(sending_id(), sender.body(document, customer=OTHER))).status_code == 200
    (row,) = sender.world.all(sending)
    assert (row["person"], row["identity_code"]) == ("p1", OTHER)
    assert ("sending.send", "p1", "done") in sender.world.audited()


async def test_supervisors_find_who_sent_documents_about_whom(sender: Sender) -> None:
    _register(sender, CODE)
    document = await sender.upload(pdf())
    assert (await sender.send(sending_id(), sender.body(document))).status_code == 200
    with sender.world.database.write() as connection:
        values = {"user": "bertta", "organisation": sender.organisation.business_id}
        connection.execute(insert(tables.supervisor), values)
    answer = await sender.world.get("/v1/audit/look-ups", "bertta", purpose="monitoring")
    (found,) = contract.AuditedLookUps.model_validate_json(answer.content).look_ups
    assert (found.user, found.customer, found.outcome) == ("aino", "p1", "documents_sent")
    assert (found.case_reference, found.purpose) == ("123/26", None)


def _register(sender: Sender, code: str, *earlier: str) -> None:
    with sender.world.database.write() as connection:
        connection.execute(insert(person), person_row("p1", code))
        for one, valid_to in [(code, None), *((old, date(2020, 1, 1)) for old in earlier)]:
            connection.execute(insert(person_code), {"code": one, "person": "p1", "valid_to": valid_to})


def _notice(sender: Sender, code: str, **changes: Any) -> None:
    number = len(sender.world.all(tables.notice)) + 1
    sender.world.add(notice_row(number, customer=notice_row(1)["customer"] | {"identity_code": code}, **changes))


# --- mandates -------------------------------------------------------------------------------------------------------


async def test_a_mandate_that_ends_before_the_command(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    document = await sender.upload(pdf())
    with sender.world.database.write() as connection:
        policy.replace_grants(connection, "aino", [])

    def never(*_: object) -> None:
        pytest.fail("looked at without a right to send")

    monkeypatch.setattr(looking, "look", never)
    answer = await sender.send(sending_id(), sender.body(document))
    assert refusal(answer) == (403, "organisation_not_allowed", None)
    assert (await sender.client.head(f"/v1/uploads/{document}", headers=sender.headers())).status_code == 403
    assert sender.world.all(sending) == []
    assert ("sending.send", sending_id(), "organisation_not_allowed") in sender.world.audited()


async def test_an_answer_that_was_lost_comes_again_after_the_mandate_has_ended(sender: Sender) -> None:
    body = sender.body(await sender.upload(pdf()))
    first = await sender.send(sending_id(), body, key="k")
    with sender.world.database.write() as connection:
        policy.replace_grants(connection, "aino", [])
    again = await sender.send(sending_id(), body, key="k")
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())


async def test_an_agreement_that_ends_closes_what_was_sent(sender: Sender) -> None:
    await sender.send(sending_id(), sender.body(await sender.upload(pdf())))
    start = await sender.world.changes()
    with sender.world.database.write() as connection:
        connection.execute(update(tables.agreement).values(valid_to=sender.world.clock.now().date()))
    sender.world.pass_by(days=1)
    told = await sender.world.changes(start.cursor)
    assert scope_of(sender) in told.revoked
    # What was received at the customer's request is Kela's all the same.
    assert await care(sender.world).take() == 1
