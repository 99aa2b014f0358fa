"""Everything that is wrong with an instance beyond its single cells, and what in it decides nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from gwplan.catalogue.tables import LEVERS, TABLES
from gwplan.check import commitments, rules, units, warnings
from gwplan.check.facts import RULES, Facts, Finding, Place, Rule
from gwplan.instance.cells import place as in_folder
from gwplan.instance.cells import shown
from gwplan.instance.instance import Instance, apply_edits
from gwplan.language.edits import Factor, Lever, Outcome, WhatIf, spell
from gwplan.problems import InstanceError, Problem
from gwplan.tree.layouts import Layouts

RULE_FILES: Final = (rules, commitments, warnings, units)
"""The files that enter their rules into the list when they are imported."""

Found = dict[Finding, Rule]
_Cells = set[tuple[int, str, str, int]]


def check(
    instance: Instance,
    changed: Collection[str] | None = None,
    *,
    broken: Collection[str] = (),
    warnings: bool = True,
    place: Place | None = None,
    layouts: Layouts | None = None,
) -> list[Problem]:
    """Return every problem between the cells and tables of an instance, its outcomes and its what-ifs."""
    sheets = instance.sheets
    located = place or (sheets.place if sheets else in_folder)
    checking = _Checking(instance, frozenset(broken), warnings, located, layouts or Layouts.of(instance))
    problems = checking.problems(None if changed is None else frozenset(changed))
    if sheets and sheets.formulas and warnings:
        problems.append(_calculated(sheets.formulas))
    return [sheets.placed(problem) for problem in problems] if sheets else problems


def _calculated(formulas: Collection[str]) -> Problem:
    """Return the warning that names the cells of a workbook whose values were calculated elsewhere."""
    count = f"{len(formulas)} formula{'s' if len(formulas) > 1 else ''}"
    rule, remedy = "the values that they had when the workbook was saved are taken", "save it after each change"
    return Problem(", ".join(formulas), count, rule, remedy, "warning")


def raise_errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the warnings among the problems."""
    every = tuple(problems)
    errors = [problem for problem in every if problem.severity == "error"]
    if errors:
        raise InstanceError(errors)
    return every


class _Checking:
    """One check of one instance."""

    def __init__(
        self, instance: Instance, broken: frozenset[str], warnings: bool, place: Place, layouts: Layouts
    ) -> None:
        self.instance = instance
        self.layouts = layouts
        self.place = place
        self.warnings = warnings
        self.rules = [r for r in RULES if not r.reads & broken and (warnings or r.severity == "error")]
        self.broken_tables = {column.partition(".")[0] for column in broken}

    def problems(self, changed: frozenset[str] | None) -> list[Problem]:
        findings = self._found(self.instance, changed)
        errors = [
            finding.as_problem("error", self.place) for finding, rule in findings.items() if rule.severity == "error"
        ]
        known = _cells(findings)
        for factor in self.instance.factors:
            for outcome in factor.outcomes:
                errors += self._outcome(self.instance, factor, outcome, known, findings)
        if changed is None:
            for name, whatif in self.instance.whatifs.items():
                errors += [_within(f"whatifs/{name}.toml", problem) for problem in self._whatif(whatif, known)]
            for number, lever in enumerate(self.instance.levers, start=1):
                prefix = f"{LEVERS.file} lever {number} {shown(lever.label)}"
                errors += [_within(prefix, problem) for problem in self._lever(lever, known)]
        warned = [
            finding.as_problem("warning", self.place)
            for finding, rule in findings.items()
            if rule.severity == "warning"
        ]
        return [*dict.fromkeys(errors), *warned]

    def _found(self, instance: Instance, changed: frozenset[str] | None) -> Found:
        read = (*instance.tables.values(), instance.factors, instance.whatifs)
        facts = self.layouts.once(("facts", instance.present), read, lambda: Facts(instance))
        rules = [rule for rule in self.rules if changed is None or rule.tables & changed]
        return {finding: rule for rule in rules for finding in self._findings(rule, facts)}

    def _findings(self, rule: Rule, facts: Facts) -> tuple[Finding, ...]:
        instance = facts.instance
        beside = {"uncertainty": instance.factors, "whatifs": instance.whatifs}
        what = (rule, "eligibility" in instance.present)
        if rule.tables & beside.keys():
            read = [beside[name] if name in beside else instance.tables[name] for name in sorted(rule.tables)]
            return self.layouts.once(what, read, lambda: tuple(rule.find(facts)))
        return self.layouts.of_columns(what, instance, rule.cells, lambda: tuple(rule.find(facts)))

    def _outcome(
        self, instance: Instance, factor: Factor, outcome: Outcome, known: _Cells, findings: Found | None
    ) -> list[Problem]:
        """Return the errors of one outcome alone; take out of `findings` the warnings that it shows to be wrong."""
        if not outcome.edits or self.broken_tables & {edit.table for edit in outcome.edits}:
            return []
        prefix = f"uncertainty.toml factor {factor.name}, outcome {outcome.name}"
        try:
            edited = self._edited(instance, outcome)
        except InstanceError as error:
            after = _after_earlier(instance, factor, outcome)
            if after is None:
                return [_within(prefix, problem) for problem in error.problems]
            instance, edited = after
        changed = _changed(instance, edited)
        here = self._found(edited, changed)
        if findings is not None and self.warnings:
            _keep_common(findings, here, changed)
        return [_within(prefix, problem) for problem in self._new_errors(here, known)]

    def _edited(self, instance: Instance, outcome: Outcome) -> Instance:
        """Return an instance in an outcome; an error carries everything that is wrong with its edits."""
        try:
            return self.layouts.applied(instance, outcome)
        except InstanceError:  # that of the first edits that do not fit
            return apply_edits(instance, outcome.edits, note=False, inside_outcome=True)

    def _new_errors(self, here: Found, known: _Cells) -> list[Problem]:
        """Return the errors on cells that did not break the same rule before the edits."""
        return [
            _after_edits(finding.as_problem("error", self.place))
            for finding, rule in here.items()
            if rule.severity == "error" and not _cells({finding: rule}) <= known
        ]

    def _whatif(self, whatif: WhatIf, known: _Cells) -> list[Problem]:
        """Return what keeps a what-if from being applied to the instance, and the errors that it makes."""
        problems: list[Problem] = []
        edited = self.instance
        try:
            edited = edited.given(whatif.given) if whatif.given else edited
        except InstanceError as error:
            problems += error.problems
        if self.broken_tables & {edit.table for edit in whatif.edits}:
            return problems
        try:
            edited = apply_edits(edited, whatif.edits, note=False) if whatif.edits else edited
        except InstanceError as error:
            return [*problems, *error.problems]
        changed = _changed(self.instance, edited)
        here = self._found(edited, changed)
        problems += self._new_errors(here, known)
        if self.warnings and not problems and changed:
            for factor in edited.factors:
                for outcome in factor.outcomes:
                    problems += self._outcome(edited, factor, outcome, known, None)
        return problems

    def _lever(self, lever: Lever, known: _Cells) -> list[Problem]:
        """Return what keeps a lever from being moved by a step or to an end, and what it changes where it is."""
        places = (lever.least, lever.least + lever.step, lever.most)
        problems = [problem for end in places for problem in self._whatif(_moved(lever, end), known)]
        if problems or self.broken_tables & {edit.table for edit in lever.edits}:
            return list(dict.fromkeys(problems))
        still = apply_edits(self.instance, lever.edits, note=False)
        same = all(still.tables[edit.table].equals(self.instance.tables[edit.table]) for edit in lever.edits
                   if edit.table in TABLES)  # fmt: skip
        if same and _probabilities(still) == _probabilities(self.instance):
            return []
        rule = "a lever begins where the instance is, so that its edit changes nothing there"
        remedy = "give the value that is written, or where rows hold unlike values use *= 1 or += 0"
        return [Problem(spell(lever.edits[0]), "changes cells as it stands", rule, remedy)]


def _moved(lever: Lever, value: float) -> WhatIf:
    return WhatIf("", edits=lever.at(value))


def _probabilities(instance: Instance) -> list[float]:
    """Return the probability of every outcome, as far as rounding leaves it."""
    return [round(outcome.probability, 12) for factor in instance.factors for outcome in factor.outcomes]


def _after_earlier(instance: Instance, factor: Factor, outcome: Outcome) -> tuple[Instance, Instance] | None:
    """Return the instance after the first outcomes of the factors before one, without and with an outcome's edits.

    An outcome may edit what every outcome of an earlier factor inserts. None: it does not fit there either.
    """
    try:
        for earlier in instance.factors[: instance.factors.index(factor)]:
            instance = apply_edits(instance, earlier.outcomes[0].edits, note=False, inside_outcome=True)
        return instance, apply_edits(instance, outcome.edits, note=False, inside_outcome=True)
    except InstanceError:
        return None


def _cells(findings: Found) -> _Cells:
    return {(id(rule), f.table, f.column, row) for f, rule in findings.items() for row in f.rows or (0,)}


def _changed(before: Instance, after: Instance) -> frozenset[str]:
    changed = {name for name in TABLES if after.tables[name] is not before.tables[name]}
    if "eligibility" in before.present ^ after.present:
        changed.add("eligibility")
    return frozenset(changed | ({"uncertainty"} if after.factors is not before.factors else set()))


def _keep_common(findings: Found, here: Found, changed: frozenset[str]) -> None:
    """Keep of the warnings only the rows that an outcome's tables warn of too: elsewhere the row decides something."""
    rows: dict[tuple[int, str], set[int]] = {}
    for finding, rule in here.items():
        rows.setdefault((id(rule), finding.column), set()).update(finding.rows or (0,))
    for finding, rule in list(findings.items()):
        if rule.severity == "warning" and rule.tables & changed:
            common = rows.get((id(rule), finding.column), set())
            kept = tuple(row for row in finding.rows or (0,) if row in common)
            if kept != (finding.rows or (0,)):
                del findings[finding]
                if kept:
                    findings[replace(finding, rows=kept)] = rule


def _after_edits(problem: Problem) -> Problem:
    """Return a problem of tables as the edits of a what-if or an outcome leave them, which need not be as written."""
    remedy = f"{problem.remedy}; mend it there, or in the table as written".removeprefix("; ")
    return replace(problem, where=f"after its edits, {problem.where}", remedy=remedy)


def _within(prefix: str, problem: Problem) -> Problem:
    return problem if problem.where.startswith(prefix) else replace(problem, where=f"{prefix}: {problem.where}")
