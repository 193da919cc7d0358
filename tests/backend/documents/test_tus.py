"""The tus protocol by real HTTP: what is understood, what is refused, and that nothing refused leaves a byte."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest
from sqlalchemy import update

from kelmu_backend.database.document_tables import upload, upload_piece
from kelmu_backend.documents import uploads
from kelmu_tui.api import contract
from kelmu_tui.domain.documents import limits, unfinished_kept
from tests.backend.conftest import B, refusal

from .support import CONTENT, Sender, care, content_of, digest, files, half_written, metadata

LARGE = bytes(range(256)) * 4096 * 2 + b"end"
"""Two mebibytes and a bit: three pieces."""


async def test_it_says_what_it_understands_to_anybody(wired: Sender) -> None:
    answer = await wired.client.request("OPTIONS", "/v1/uploads")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == contract.TUS_VERSION == answer.headers["Tus-Resumable"]
    assert answer.headers["Tus-Extension"].split(",") == list(contract.TUS_EXTENSIONS)
    assert answer.headers["Tus-Max-Size"] == str(limits().file_bytes)
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256"


async def test_a_document_comes_in_parts(wired: Sender) -> None:
    document = wired.new()
    begun = await wired.create(document, len(LARGE))
    assert (begun.status_code, begun.headers["Location"]) == (201, f"/v1/uploads/{document}")
    expires = parsedate_to_datetime(begun.headers["Upload-Expires"])
    assert expires == (wired.world.clock.now() + unfinished_kept()).replace(microsecond=0)
    at = 0
    for size in (1, 2**20, 70_001, len(LARGE)):
        assert await wired.offset(document) == at
        answer = await wired.add(document, at, LARGE[at : at + size], Upload_Checksum=digest(LARGE[at : at + size]))
        assert answer.status_code == 204, answer.text
        at = min(at + size, len(LARGE))
        assert answer.headers["Upload-Offset"] == str(at)
    head = await wired.client.head(f"/v1/uploads/{document}", headers=wired.headers())
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == (str(len(LARGE)),) * 2
    assert content_of(wired, document) == LARGE
    assert wired.world.audited() == [("upload.create", document, "done"), ("upload.add", document, "done")]


async def test_the_first_bytes_come_with_the_creation(wired: Sender) -> None:
    document = wired.new()
    begun = await wired.create(document, len(LARGE), LARGE[:1000])
    assert (begun.status_code, begun.headers["Upload-Offset"]) == (201, "1000")
    # The answer was lost: a repetition with bytes hears where it is, one without goes on.
    assert refusal(await wired.create(document, len(LARGE), LARGE[:1000])) == (409, "upload_offset", None)
    again = await wired.create(document, len(LARGE))
    assert (again.status_code, again.headers["Upload-Offset"]) == (201, "1000")
    assert (await wired.add(document, 1000, LARGE[1000:])).status_code == 204
    assert content_of(wired, document) == LARGE


async def test_bytes_that_do_not_follow_are_refused_with_the_place_that_does(wired: Sender) -> None:
    document = wired.new()
    await wired.create(document, 10)
    await wired.add(document, 0, b"abcd")
    for offset in (0, 3, 5, 10, 11):
        answer = await wired.add(document, offset, b"x")
        assert refusal(answer) == (409, "upload_offset", None)
        assert answer.headers["Upload-Offset"] == "4"
    assert content_of(wired, document) == b"abcd"


@pytest.mark.parametrize("where", [0, 2**20 + 17])
async def test_a_wrong_checksum_leaves_no_byte(wired: Sender, where: int) -> None:
    document = wired.new()
    await wired.create(document, len(LARGE))
    if where:
        await wired.add(document, 0, LARGE[:where])
    rest = LARGE[where:]
    answer = await wired.add(document, where, rest, Upload_Checksum=digest(rest + b"x"))
    assert refusal(answer) == (460, "upload_checksum", None)
    assert await wired.offset(document) == where
    assert content_of(wired, document) == LARGE[:where]
    assert (await wired.add(document, where, rest, Upload_Checksum=digest(rest))).status_code == 204
    assert content_of(wired, document) == LARGE


async def test_too_much_is_refused_before_and_while_it_comes(wired: Sender) -> None:
    document = wired.new()
    most = limits().file_bytes
    assert refusal(await wired.create(document, most + 1)) == (413, "upload_too_large", None)
    assert (await wired.create(document, 100)).status_code == 201
    assert refusal(await wired.add(document, 0, bytes(101))) == (413, "upload_too_large", None)

    async def unannounced() -> object:
        for _ in range(101):
            yield b"x"

    headers = wired.headers(Upload_Offset="0", Content_Type=CONTENT)
    answer = await wired.client.patch(f"/v1/uploads/{document}", headers=headers, content=unannounced())  # type: ignore[arg-type]
    assert refusal(answer) == (413, "upload_too_large", None)
    assert await wired.offset(document) == 0
    assert content_of(wired, document) == b""


async def test_the_largest_document_is_taken(wired: Sender) -> None:
    content = bytes(limits().file_bytes)
    document = await wired.upload(content)
    assert await wired.offset(document) == len(content)


async def test_two_writers_at_once(wired: Sender) -> None:
    document = wired.new()
    await wired.create(document, 8)
    async with half_written(wired, document, b"abcd", b"efgh") as (go_on, first):
        answer = await wired.add(document, 0, b"other")
        assert refusal(answer) == (423, "upload_busy", None)
        assert answer.headers["Retry-After"] == "1"
        assert await wired.offset(document) == 0
        go_on.set()
        assert (await first).status_code == 204
    assert content_of(wired, document) == b"abcdefgh"


async def test_headers_that_cannot_be_used(wired: Sender) -> None:
    document = wired.new()
    await wired.create(document, 4)
    wrong: list[tuple[dict[str, str], int]] = [
        ({"Tus_Resumable": "0.2.2"}, 412),
        ({"Content_Type": "application/pdf"}, 415),
        ({"Upload_Offset": "-1"}, 400),
        ({"Upload_Offset": "x"}, 400),
        ({"Upload_Offset": "9" * 13}, 400),
        ({"Upload_Checksum": "md5 AAAA"}, 400),
        ({"Upload_Checksum": "sha256 !!"}, 400),
        ({"Upload_Checksum": "sha256 AAAA"}, 400),
    ]
    for changes, status in wrong:
        answer = await wired.add(document, 0, b"abcd", **changes)
        assert refusal(answer) == (status, "invalid_request", None), changes
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        assert status != 412 or answer.headers["Tus-Version"] == "1.0.0"
    assert await wired.offset(document) == 0


async def test_a_creation_that_cannot_be_used(wired: Sender) -> None:
    wrong: list[dict[str, str]] = [
        {"Upload_Length": "0"},
        {"Upload_Length": "ten"},
        {"Upload_Metadata": ""},
        {"Upload_Metadata": "document"},
        {"Upload_Metadata": metadata("no id")},
        {"Upload_Metadata": metadata("0" * 32) + ",filename dmlydGEucGRm"},
        {"Upload_Metadata": "filename dmlydGEucGRm"},
        {"Upload_Checksum": "sha1 AAAA"},
    ]
    for changes in wrong:
        answer = await wired.create(wired.new(), 4, None, **changes)
        assert refusal(answer) == (400, "invalid_request", None), changes
    assert wired.world.all(upload) == []


async def test_for_others_it_does_not_exist(wired: Sender) -> None:
    document = await wired.upload(b"abcd")
    for user, device, organisation in (
        ("bertta", "device-of-aino", wired.organisation),
        ("aino", "another", wired.organisation),
        ("bo", "device-of-aino", B),
    ):
        other = Sender(wired.world, wired.client, user, organisation, device)
        for method in ("HEAD", "PATCH", "DELETE"):
            headers = other.headers(Upload_Offset="0", Content_Type=CONTENT)
            answer = await other.client.request(method, f"/v1/uploads/{document}", headers=headers)
            assert answer.status_code == 404, (user, method)
    assert content_of(wired, document) == b"abcd"
    # The id itself is free for another user, and taken for another device of the same one.
    assert (await Sender(wired.world, wired.client, "bertta").create(document, 9)).status_code == 201
    another = Sender(wired.world, wired.client, device="another")
    assert refusal(await another.create(document, 4)) == (409, "upload_taken", None)
    assert refusal(await wired.create(document, 5)) == (409, "upload_taken", None)


async def test_who_has_no_mandate_uploads_nothing(wired: Sender) -> None:
    for user in ("viewer", "lookalike"):
        other = Sender(wired.world, wired.client, user)
        assert refusal(await other.create(other.new(), 4)) == (403, "mandate_missing", None)
    assert wired.world.all(upload) == []
    assert ("upload.create", None, "mandate_missing") in wired.world.audited()


async def test_an_upload_is_ended(wired: Sender) -> None:
    document = await wired.upload(b"abcd")
    answer = await wired.end(document)
    assert answer.status_code == 204
    assert (await wired.client.head(f"/v1/uploads/{document}", headers=wired.headers())).status_code == 404
    assert wired.world.all(upload) == wired.world.all(upload_piece) == []
    assert list(files(wired.world.config.document_folder)) == []
    assert wired.world.audited()[-1] == ("upload.end", document, "done")
    await wired.upload(b"another", document)
    assert content_of(wired, document) == b"another"


async def test_what_is_over_is_gone_and_can_begin_anew(wired: Sender) -> None:
    document = await wired.upload(b"abcd")
    wired.world.pass_by(days=3)
    for looked in (False, True):
        head = await wired.client.head(f"/v1/uploads/{document}", headers=wired.headers())
        assert head.status_code == 410
        assert refusal(await wired.add(document, 4, b"")) == (410, "upload_gone", None)
        assert refusal(await wired.end(document)) == (410, "upload_gone", None)
        assert await care(wired.world).expire() == (not looked)
    assert wired.world.all(upload_piece) == []
    assert list(files(wired.world.config.document_folder)) == []
    assert [row["wrapped"] for row in wired.world.all(upload)] == [None]
    assert ("upload.expire", document, "done") in wired.world.audited()
    await wired.upload(b"anew", document)
    assert content_of(wired, document) == b"anew"
    wired.world.pass_by(days=3)
    assert await care(wired.world).expire() == 1
    wired.world.pass_by(days=31)
    assert await care(wired.world).expire() == 0
    assert wired.world.all(upload) == []


@pytest.mark.parametrize("half", [b"ab", b""])
async def test_an_upload_whose_content_is_lost_begins_anew(wired: Sender, half: bytes) -> None:
    document = wired.new()
    assert (await wired.create(document, 4)).status_code == 201
    if half:
        assert (await wired.add(document, 0, half)).status_code == 204
    with wired.world.database.write() as connection:
        connection.execute(update(upload).values(wrapped=bytes(60)))
    assert refusal(await wired.add(document, len(half), b"cd")) == (410, "upload_gone", None)
    await wired.upload(b"anew", document)
    assert content_of(wired, document) == b"anew"


async def test_each_part_prolongs_an_upload(wired: Sender) -> None:
    document = wired.new()
    await wired.create(document, 3)
    for number in range(3):
        wired.world.pass_by(days=2)
        assert (await wired.add(document, number, b"x")).status_code == 204


async def test_there_is_an_end_to_what_is_uploaded_and_not_sent(wired: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "OPEN_FILES", 1)
    for _ in range(limits().files):
        assert (await wired.create(wired.new(), 1)).status_code == 201
    assert refusal(await wired.create(wired.new(), 1)) == (409, "uploads_full", None)
    await wired.end(f"{1:08x}-0000-4000-8000-000000000000")
    assert (await wired.create(wired.new(), 1)).status_code == 201
    # Others have their own measure.
    assert (await Sender(wired.world, wired.client, "bertta").create(wired.new(), 1)).status_code == 201
    monkeypatch.setattr(uploads, "OPEN_FILES", 6)
    monkeypatch.setattr(uploads, "OPEN_BYTES", 0)
    assert refusal(await wired.create(wired.new(), 1)) == (409, "uploads_full", None)


async def test_nothing_gives_content_back(wired: Sender) -> None:
    document = await wired.upload(b"abcd")
    for method in ("GET", "POST", "PUT"):
        answer = await wired.client.request(method, f"/v1/uploads/{document}", headers=wired.headers())
        assert answer.status_code == 405
        assert b"abcd" not in answer.content
    assert (await wired.client.get("/v1/uploads", headers=wired.headers())).status_code == 405
