"""`kelmu documents …`: documents to Kela at a customer's request, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kelmu_tui.cli import document_upload
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.inbox import shown_id
from kelmu_tui.cli.output import Column
from kelmu_tui.domain import documents
from kelmu_tui.domain.capabilities import DOCUMENTS_SEND
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.organisations import Names
from kelmu_tui.services.context import Context
from kelmu_tui.services.short_ids import among
from kelmu_tui.store.sendings import DocumentLine, SendingLine

if TYPE_CHECKING:
    from kelmu_tui.services.sendings import CheckedFile, File, FileRefused

NEEDS: Final = frozenset({DOCUMENTS_SEND})
PREVIEW_COLUMNS: Final = 60


# --- what can be sent -----------------------------------------------------------------------------------------------


def list_kinds(env: Env) -> int:
    """List the kinds of documents, who can ask and how, and the limits."""
    limits = documents.limits()
    parts = (("kind", documents.kinds()), ("asked_by", documents.askers()), ("way", documents.ways()))
    if env.out.as_json:
        named = {part: [{"id": one.id, "name": _in(env, one.name)} for one in of.values()] for part, of in parts}
        env.out.data("documents.kinds", {**named, "limits": limits._asdict()})
        return Exit.OK
    t = env.t
    columns = [Column(t("cli.column_part")), Column(t("cli.column_id")), Column(t("cli.column_name"))]
    rows = [[f"--{part.replace('_', '-')}", one.id, _in(env, one.name)] for part, of in parts for one in of.values()]
    env.out.table(columns, rows)
    env.out.note(t("cli.documents_limits", files=limits.files, size=t.formats.size(limits.file_bytes)))
    return Exit.OK


def _in(env: Env, name: Names) -> str:
    return name.get(env.t.language)


def check(env: Env) -> int:
    """Say of each file whether it can be sent, and what would be taken out of it; nothing is sent."""
    from kelmu_tui.services.sendings import FileRefused

    with env.context(NEEDS) as context:
        context.sendings.hold()
        columns = PREVIEW_COLUMNS if env.args.preview else 0
        found: list[tuple[str, CheckedFile | FileRefused]] = []
        for word in env.args.files:
            try:
                found.append((word, context.sendings.check(_path(word), columns, ascii_only=env.out.ascii)))
            except FileRefused as refused:
                found.append((word, refused))
    if env.out.as_json:
        env.out.data("documents.check", {"files": [_checked(word, one) for word, one in found]})
    else:
        for word, one in found:
            _print_checked(env, word, one)
    return Exit.REFUSED if any(_refusal(one) is not None for _, one in found) else Exit.OK


def _refusal(one: CheckedFile | FileRefused) -> FileRefused | None:
    from kelmu_tui.services.sendings import FileRefused

    if isinstance(one, FileRefused):
        return one
    if one.fault is None:
        return None
    return FileRefused(one.path, one.fault, detail=one.inspection.detail)


def _checked(word: str, one: CheckedFile | FileRefused) -> dict[str, Any]:
    refusal = _refusal(one)
    told: dict[str, Any] = {"file": word, "ok": refusal is None}
    if refusal is not None:
        told |= {"fault": refusal.fault or refusal.unreadable, "detail": refusal.detail or None}
    inspection = getattr(one, "inspection", None)
    if inspection is not None:
        told |= {
            name: getattr(inspection, name) for name in ("media_type", "size", "pages", "width", "height", "sha256")
        }
        told |= {"removed": list(getattr(one, "removed", ())), "preview": list(getattr(one, "preview", ()))}
    return told


def _print_checked(env: Env, word: str, one: CheckedFile | FileRefused) -> None:
    from kelmu_tui.services.sending_words import trace_names, why_file
    from kelmu_tui.services.sendings import FileRefused

    t = env.t
    refusal = _refusal(one)
    if refusal is not None or isinstance(one, FileRefused):
        env.out.line(f"{word}: {why_file(refusal or one, t)}")  # type: ignore[arg-type]
        return
    found = one.inspection
    what = [str(found.media_type).partition("/")[2].upper(), t.formats.size(found.size)]
    if found.pages is not None:
        what.append(t("cli.documents_pages", count=found.pages))
    if found.width is not None:
        what.append(f"{found.width}×{found.height}")
    env.out.line(f"{word}: {', '.join(what)}")
    if one.removed:
        env.out.line(f"  {t('cli.documents_removed', what=trace_names(one.removed, t))}")
    for line in one.preview:
        env.out.line(f"  {line}")


# --- sending --------------------------------------------------------------------------------------------------------


def send(env: Env) -> int:
    """Seal the files, queue them, and bring them up; the customer's code comes from a prompt or standard input."""
    from kelmu_tui.services.sealing import Request, SendRefused
    from kelmu_tui.services.sendings import FileRefused

    with env.context(NEEDS) as context:
        sendings = context.sendings
        sendings.hold()
        asked_on = _asked_on(env)
        case = context.customers.clean_case(env.option("case") or "")
        files = _files(env)
        code = context.customers.clean_code(env.secret_text(env.t("cli.ask_code")).strip())
        name = sendings.name_of(code)
        request = Request(code, name, env.args.asked_by, asked_on, env.args.way, case, files)
        try:
            made = sendings.seal(request)
        except SendRefused as refused:
            raise _refused(env, refused) from None
        except FileRefused as refused:
            raise _file_refused(env, refused) from None
        removed = [one.copy.removed for one in made.documents]
        sending = sendings.commit(made)
        _tell_removed(env, files, removed)
        return _go_on(env, context, [sending], "documents.send")


def _asked_on(env: Env) -> date:
    from kelmu_tui.cli.days import read_day

    today = local_date(env.clock.now())
    text = env.option("asked_on")
    return today if text is None else read_day(env, text, today, "asked_on", env.t("sending_view.label.asked_on"))


def _files(env: Env) -> list[File]:
    """Return the files with their kinds and names: one kind for all, or one for each.

    Raises:
        CliError: kinds or names are not as many as there are files.
    """
    from kelmu_tui.services.sending_words import kind_name
    from kelmu_tui.services.sendings import File

    words, given, names = env.args.files, env.args.kind, env.option("name") or []
    if len(given) not in (1, len(words)) or (names and len(names) != len(words)):
        raise CliError(Exit.USAGE, "documents_each", env.t("cli.documents_each"))
    for kind in given:
        if kind not in documents.kinds():
            raise CliError(Exit.USAGE, "kind", env.t("documents.reason.kind"))
    kinds = given if len(given) == len(words) else given * len(words)
    # A file's own name may say more than its sender means to: it is never taken by itself.
    called = names or [kind_name(kind, env.t) for kind in kinds]
    return [File(_path(word), kind, name) for word, kind, name in zip(words, kinds, called, strict=True)]


def _path(word: str) -> Path:
    return Path(word).expanduser()


def _refused(env: Env, refused: Any) -> CliError:
    from kelmu_tui.services.sending_words import why_sending

    return CliError(Exit.USAGE, refused.reason, why_sending(refused, env.t))


def _file_refused(env: Env, refused: FileRefused) -> CliError:
    from kelmu_tui.services.sending_words import why_file

    code = refused.unreadable or str(refused.fault)
    return CliError(Exit.REFUSED, code, f"{refused.path.name}: {why_file(refused, env.t)}")


def _tell_removed(env: Env, files: Sequence[File], removed: Sequence[tuple[str, ...]]) -> None:
    from kelmu_tui.services.sending_words import trace_names

    for file, traces in zip(files, removed, strict=True):
        if traces:
            what = trace_names(traces, env.t)
            env.out.note(f"{file.path.name}: {env.t('cli.documents_removed', what=what)}")


def _go_on(env: Env, context: Context, wanted: list[str], kind: str) -> int:
    """Bring up what waits, unless that is not wanted, and say what became of these sendings."""
    problem = None if env.args.no_wait else document_upload.bring_up(env, context, wanted)
    found = {one.id: one for one in context.sendings.lines() if one.id in wanted}
    lines = [found[id_] for id_ in wanted if id_ in found]
    if env.out.as_json:
        env.out.data(kind, {"sendings": [_data(line) for line in lines]})
    for line in lines:
        _tell(env, line)
    if problem is not None:
        env.out.note(problem.message)
        if problem.exit == Exit.NOT_ALLOWED:
            return problem.exit
    if any(line.state in ("refused", "stopped") for line in lines):
        return Exit.REFUSED
    waits = [line for line in lines if line.received_at is None and line.state != "received"]
    if waits:
        env.out.note(env.t("cli.documents_waiting"))
        return Exit.OK if env.args.no_wait else Exit.NOT_SENT
    return Exit.OK


def _tell(env: Env, line: SendingLine) -> None:
    from kelmu_tui.services.sending_words import why_stuck

    t = env.t
    state = t.choice("documents.state", line.state, line.state)
    told = f"{shown_id(env, line.id)}: {state}"
    if line.receipt is not None:
        told = f"{told}, {t('cli.documents_receipt', receipt=line.receipt)}"
    env.out.note(told)
    if why := why_stuck(line, t):
        env.out.note(why)


# --- what became of it ----------------------------------------------------------------------------------------------


def list_sendings(env: Env) -> int:
    """List the sendings: those on their way first, then receipts while they can be read."""
    with env.context(NEEDS) as context:
        lines = context.sendings.lines()
        context.sendings.log_list(len(lines))
        if env.out.as_json:
            env.out.data("documents.list", {"sendings": [_data(line) for line in lines]})
            return Exit.OK
        t = env.t
        columns = [
            Column(t("cli.column_id")),
            Column(t("cli.column_at")),
            Column(t("cli.column_customer"), shrinks=True),
            Column(t("cli.identity")),
            Column(t("cli.documents_column")),
            Column(t("cli.column_state")),
            Column(t("cli.documents_column_receipt"), shrinks=True),
        ]
        rows = [
            [
                shown_id(env, line.id),
                t.formats.short_instant(line.received_at or line.created_at),
                line.customer_name or "–",
                line.masked_code,
                t.formats.number(len(line.documents)),
                _state(env, line),
                line.receipt or "–",
            ]
            for line in lines
        ]
        env.out.table(columns, rows)
    return Exit.OK


def _state(env: Env, line: SendingLine) -> str:
    state = env.t.choice("documents.state", line.state, line.state)
    if line.receipt is None and line.size and line.sent < line.size and line.sent:
        return f"{state} {env.t.formats.percent(line.sent * 100 // line.size)}"
    return state


def show(env: Env) -> int:
    """Show a sending with its documents."""
    from kelmu_tui.services.sending_words import asked_text, why_stuck

    with env.context(NEEDS) as context:
        (sending,) = _meant(context, [env.args.sending])
        line = context.sendings.open(sending)
        if line is None:
            raise _unknown(env)
        if env.out.as_json:
            env.out.data("documents.show", _data(line))
            return Exit.OK
        t = env.t
        pairs = [
            (t("cli.column_customer"), f"{line.customer_name or '–'}  {line.masked_code}"),
            (t("cli.column_state"), f"{_state(env, line)}  {why_stuck(line, t)}".strip()),
            (t("cli.documents_column_receipt"), line.receipt or "–"),
            (t("cli.column_at"), t.formats.instant(line.received_at or line.created_at)),
            (t("cli.documents_asked"), asked_text(line.asked_by, line.way, line.asked_on, t)),
            (t("cli.column_case"), line.case_reference or "–"),
        ]
        size = max(len(label) for label, _ in pairs)
        for label, text in pairs:
            env.out.line(f"{label:<{size}}  {text}")
        for one in line.documents:
            env.out.line(f"  {_document(env, one)}")
    return Exit.OK


def _document(env: Env, one: DocumentLine) -> str:
    from kelmu_tui.services.sending_words import document_text, kind_name, trace_names

    told = f"{kind_name(one.kind, env.t)}: {document_text(one, env.t)}"
    return f"{told}, {env.t('cli.documents_removed', what=trace_names(one.removed, env.t))}" if one.removed else told


def cancel(env: Env) -> int:
    """Take sendings back before their receipt; their copies are destroyed at once."""
    from kelmu_tui.services.sendings import NotPossible

    with env.context(NEEDS) as context:
        wanted = _meant(context, env.args.sendings)
        results: list[dict[str, Any]] = []
        for sending in wanted:
            try:
                context.sendings.cancel(sending)
            except NotPossible as failure:
                results.append({"id": sending, "result": "refused", "reason": failure.reason})
            else:
                results.append({"id": sending, "result": "cancelled", "reason": None})
        if any(row["reason"] is None for row in results):
            document_upload.tell_cancelled(env, context)
    if env.out.as_json:
        env.out.data("documents.cancel", {"results": results})
    for row in results:
        if row["reason"] is not None:
            env.out.note(f"{row['id']}: {env.t.choice('cli.not_possible', row['reason'])}")
    count = sum(row["reason"] is None for row in results)
    if count:
        env.out.note(env.t("cli.documents_cancelled", count=count))
    return Exit.OK if count == len(results) else Exit.REFUSED


def retry(env: Env) -> int:
    """Let sendings go on now, those that are meant or all that wait, and give refused ones again."""
    from kelmu_tui.services.sendings import NotPossible

    with env.context(NEEDS) as context:
        known = context.sendings.lines()
        meant = env.args.sendings
        wanted = list(_meant(context, meant)) if meant else [one.id for one in known if one.receipt is None]
        for sending in wanted:
            try:
                context.sendings.retry(sending)
            except NotPossible as failure:
                if meant:
                    text = env.t.choice("cli.not_possible", failure.reason)
                    raise CliError(Exit.REFUSED, failure.reason, f"{sending}: {text}") from None
        return _go_on(env, context, wanted, "documents.retry")


def _meant(context: Context, words: Sequence[str]) -> tuple[str, ...]:
    """Return the sendings that words mean, by the beginning of their id.

    Raises:
        Unknown, Ambiguous: a word means none, or several.
    """
    return among([one.id for one in context.sendings.lines()], words)


def _unknown(env: Env) -> CliError:
    return CliError(Exit.NOT_FOUND, "sending_unknown", env.t("cli.sending_unknown"))


def _data(line: SendingLine) -> dict[str, Any]:
    return line._asdict() | {"documents": [one._asdict() for one in line.documents]}
