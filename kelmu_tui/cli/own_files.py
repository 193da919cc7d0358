"""The organisation's own files: the county's answers, read, shown as kept, or forgotten; residents for one review."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.own_files import Wanted
from kelmu_tui.services.context import Context
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.session import Session

if TYPE_CHECKING:
    from kelmu_tui.services.own_files import Columns
    from kelmu_tui.services.own_table import OwnFileProblem, Table
    from kelmu_tui.services.own_values import Answers
    from kelmu_tui.store.own_answers import Outcome

NEEDS: Final = OPENERS
SHOWN: Final = 20
"""Rows that are not taken, as people see them; JSON has all that are listed."""


def answers(env: Env) -> int:
    """Read answers from a file, or say what is kept, or forget it."""
    file = env.option("own_file")
    if env.option("forget"):
        return _forget(env, file)
    with env.context(NEEDS) as context:
        return _kept(env, context) if file is None else _read(env, context, Path(file))


def _forget(env: Env, file: str | None) -> int:
    if file is not None:
        raise CliError(Exit.USAGE, "forget_alone", env.t("own_file.forget_alone"))
    with env.context(NEEDS) as context:
        gone = context.own_data.forget()
    if env.out.as_json:
        env.out.data("invoices.answers", {"forgotten": gone})
    env.out.note(env.t("own_file.forgotten", count=gone))
    return Exit.OK


def _kept(env: Env, context: Context) -> int:
    from kelmu_tui.services.own_words import kept_text

    kept = context.own_data.kept()
    if env.out.as_json:
        env.out.data("invoices.answers", {"kept": None if kept is None else kept._asdict()})
    else:
        env.out.line(kept_text(env.t, kept))
    return Exit.OK


# --- reading --------------------------------------------------------------------------------------------------------


def _read(env: Env, context: Context, path: Path) -> int:
    from kelmu_tui.services.own_files import print_of, read_table
    from kelmu_tui.services.own_table import OwnFileProblem
    from kelmu_tui.services.own_values import read_answers

    chosen = _chosen(env)
    context.own_data.need()
    try:
        table = _one_sheet(env, read_table(path))
        remembered = {} if chosen else context.own_data.mappings(Wanted.ANSWERS)
        columns = _columns(table, Wanted.ANSWERS, chosen, remembered)
        found = read_answers(table, columns)
        headings = table.sheets[columns.sheet].top[columns.row - 1]
    except OwnFileProblem as problem:
        raise _refused(env, problem) from None
    as_before = print_of(headings) in remembered
    take = not env.option("dry_run") and bool(found.good) and (not found.wrong or bool(env.option("take_good")))
    outcome = _keep(env, context, found, take=take)
    if take and chosen:
        context.own_data.remember(print_of(headings), Wanted.ANSWERS, columns.places)
    if env.out.as_json:
        env.out.data("invoices.answers", _data(table, columns, found, outcome, take=take, as_before=as_before))
    _tell(env, table, columns, found, outcome, take=take, as_before=as_before)
    return Exit.OK if found.good and not found.wrong else Exit.OK if take else Exit.REFUSED


def _keep(env: Env, context: Context, found: Answers, *, take: bool) -> Outcome:
    from kelmu_tui.services.own_table import OwnFileProblem
    from kelmu_tui.store.own_answers import TooManyAnswers

    try:
        outcome = context.own_data.compare(found.good)
        return context.own_data.keep_answers(found.good) if take else outcome
    except TooManyAnswers:
        raise _refused(env, OwnFileProblem("too_many")) from None


def _chosen(env: Env) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in env.option("own_column") or ():
        field, sign, name = word.partition("=")
        if field not in Wanted.ANSWERS.fields or not sign or not name.strip():
            raise CliError(Exit.USAGE, "column_unknown", env.t("own_file.column_option"))
        found[field] = name
    return found


def _one_sheet(env: Env, table: Table) -> Table:
    wanted = env.option("sheet")
    if wanted is None:
        return table
    found = tuple(sheet for sheet in table.sheets if sheet.number + 1 == wanted)
    if not found:
        listed = [f"  {sheet.number + 1}  {sheet.name}" for sheet in table.sheets]
        raise CliError(Exit.USAGE, "sheet_unknown", "\n".join([env.t("own_file.sheet_unknown"), *listed]))
    return table._replace(sheets=found)


def _columns(
    table: Table, wanted: Wanted, chosen: Mapping[str, str], remembered: Mapping[str, tuple[int, ...]]
) -> Columns:
    from kelmu_tui.services.own_files import Columns, guess, named_columns
    from kelmu_tui.services.own_table import OwnFileProblem

    if not chosen:
        found = guess(table, wanted, remembered.get)
        if found is not None:
            return found
    for place, sheet in enumerate(table.sheets):
        named = named_columns(sheet, wanted, chosen) if chosen else None
        if named is not None:
            return Columns(place, *named)
    raise OwnFileProblem("no_columns")


def _refused(env: Env, problem: OwnFileProblem) -> CliError:
    from kelmu_tui.services.own_words import problem_text

    code = Exit.NOT_FOUND if problem.code == "missing" else Exit.REFUSED
    return CliError(code, f"own_file_{problem.code}", problem_text(env.t, problem))


# --- residents ------------------------------------------------------------------------------------------------------


def residents(env: Env, context: Context) -> frozenset[str] | None:
    """Return the identity codes in the file that the line names, None without one; they are kept nowhere.

    Raises:
        CliError: the file cannot be read, or nobody is in it.
    """
    file = env.option("residents")
    if file is None:
        return None
    from kelmu_tui.services.own_files import print_of, read_table
    from kelmu_tui.services.own_table import OwnFileProblem
    from kelmu_tui.services.own_values import read_residents

    named, wanted = env.option("residents_column"), Wanted.RESIDENTS
    chosen = {} if named is None else dict.fromkeys(wanted.fields, named)
    try:
        table = read_table(Path(file))
        columns = _columns(table, wanted, chosen, {} if chosen else context.own_data.mappings(wanted))
        found = read_residents(
            table, columns, today=local_date(context.clock.now()), artificial=Session(context.store).known().demo
        )
        if not found.codes:
            raise CliError(Exit.REFUSED, "own_file_no_rows", env.t("own_file.nothing_good"))
    except OwnFileProblem as problem:
        raise _refused(env, problem) from None
    if chosen:
        headings = table.sheets[columns.sheet].top[columns.row - 1]
        context.own_data.remember(print_of(headings), wanted, columns.places)
    env.out.note(env.t("own_file.people", count=len(found.codes)))
    if found.wrong:
        env.out.note(env.t("own_file.wrong_rows", count=found.wrong))
    return found.codes


# --- telling --------------------------------------------------------------------------------------------------------


def _data(
    table: Table, columns: Columns, found: Answers, outcome: Outcome, *, take: bool, as_before: bool
) -> dict[str, Any]:
    places = dict(zip(Wanted.ANSWERS.fields, (place + 1 for place in columns.places), strict=True))
    return {
        "sheet": table.sheets[columns.sheet].number + 1,
        "headings_row": columns.row,
        "columns": places,
        "remembered": as_before,
        "good": len(found.good),
        "repeated": found.doubled,
        "wrong": found.wrong,
        "problems": [problem._asdict() for problem in found.problems],
        "taken": take,
        **outcome._asdict(),
    }


def _tell(
    env: Env, table: Table, columns: Columns, found: Answers, outcome: Outcome, *, take: bool, as_before: bool
) -> None:
    from kelmu_tui.services.own_words import hidden, letters, outcome_text, rows_text

    t, headings = env.t, table.sheets[columns.sheet].top[columns.row - 1]
    for field, place in zip(Wanted.ANSWERS.fields, columns.places, strict=True):
        name = t.choice("own_file.field", field)
        env.out.note(t("own_file.column_is", field=name, column=letters(place + 1), heading=hidden(headings[place])))
    if as_before:
        env.out.note(t("own_file.as_before"))
    if found.wrong:
        env.out.note(t("own_file.wrong_rows", count=found.wrong))
        for line in rows_text(t, found.problems, found.wrong, SHOWN):
            env.out.note(f"  {line}")
    said = {"count": len(found.good), "outcome": outcome_text(t, outcome)}
    if take:
        env.out.note(t("own_file.taken", **said))
    elif not found.good:
        env.out.note(t("own_file.nothing_good"))
    elif env.option("dry_run"):
        env.out.note(t("own_file.would_take", **said))
    else:
        env.out.note(t("own_file.not_taken"))
