"""Chances that hang together: a glut is likelier where demand is weak, and is known a year before the demand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.check.check import check
from gwplan.instance.varied_cells import varied
from gwplan.problems import InstanceError
from tests.cli.conftest import in_process
from tests.oracle.hand_examples import EXAMPLES, HEAD

GLUT_IF_WEAK = 'uncertainty[factor=market, outcome=glut, given="demand=weak"].probability'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an instance over three years with 1 GW, deals of two years, and a way out of the contract."""
    example = EXAMPLES["chances that hang together"]
    text = example.uncertainty.replace('"market"\nrevealed = 2027-01-01', '"market"\nrevealed = 2028-01-01')
    text = text.replace('"demand"\nrevealed = 2027-01-01', '"demand"\nrevealed = 2029-01-01')
    return replace(
        example,
        contracts="cloud,buy,2030-01-01,2.5,",
        deliveries="cloud,2027-01-01,,1,",
        cancellations="cloud,,2028-01-01,2029-06-01,0,0.1,,",
        terminal_value="0",
        uncertainty=text.replace("set = 1\n", "set = 1\nfrom = 2029-01-01\n"),
        files={
            **example.files,
            "instance.toml": f"{HEAD}periods = 3\n[risk]\naversion = 0.3\n",
            "pathways.csv": "pathway,min_term_days\nown,\ndeals,730\n",
        },
    ).write(tmp_path_factory.mktemp("chances") / "instance")


@pytest.fixture(scope="module")
def instance(folder: Path) -> gw.Instance:
    """Return the instance."""
    return gw.load(folder)


@pytest.fixture(scope="module")
def run(folder: Path, instance: gw.Instance) -> Path:
    """Return a kept run."""
    assert in_process(["solve", str(folder), "--out", str(folder.parent / "run")]).exit_code == 0
    return folder.parent / "run"


def test_what_is_known_tells_of_what_it_hangs_on(instance: gw.Instance) -> None:
    """In a glut weak demand has probability 0.8, which is named; what hangs on a known factor keeps its own row."""
    glut = instance.given({"market": "glut"})
    assert [o.probability for o in glut.factors[0].outcomes] == pytest.approx([0.8, 0.2])
    assert glut.applied == ("given market=glut (demand=weak 0.5 -> 0.8, demand=strong 0.5 -> 0.2)",)
    weak = instance.given({"demand": "weak"})
    assert [o.chance({"demand": "weak"}) for o in weak.factors[1].outcomes] == [0.8, 0.2]
    both = weak.given({"market": "none"})
    assert [len(factor.outcomes) for factor in both.factors] == [1, 1]
    assert not [problem for problem in check(both) if problem.severity == "error"]


def test_worth_splits_by_what_is_known(instance: gw.Instance) -> None:
    """A market known from the start is worth the mean of the worths with each outcome given."""
    market = replace(instance.factors[1], revealed=instance.start)
    early = replace(instance.edited("risk.aversion = 0"), factors=(instance.factors[0], market))
    given = [gw.solve(early.given({"market": outcome})).objective_bn for outcome in ("glut", "none")]
    assert gw.solve(early).objective_bn == pytest.approx(sum(given) / 2)
    assert given[0] < given[1]


def test_what_hangs_on_two_factors_through_one(instance: gw.Instance) -> None:
    """Whoever learns of an effect learns of its causes together, row by row of what is given, by Bayes' rule."""
    market, glut = instance.factors[1], {"market": "glut"}
    row = market.outcomes[0].probability_given[0]
    prices = replace(
        market,
        name="prices",
        outcomes=tuple(
            replace(o, edits=(), probability=p, probability_given=(replace(row, given=glut, probability=q),))
            for o, p, q in zip(market.outcomes, (0.1, 0.9), (0.6, 0.4), strict=True)
        ),
    )  # fmt: skip
    known = replace(instance, factors=(*instance.factors, prices)).given({"prices": "glut"})
    # weak and glut 0.4, weak and none 0.1, strong and glut 0.1, strong and none 0.4, times 0.6 or 0.1
    low = {("weak", "glut"): 0.24, ("weak", "none"): 0.01, ("strong", "glut"): 0.06, ("strong", "none"): 0.04}
    demand, market = known.factors[:2]
    for d in demand.outcomes:
        for m in market.outcomes:
            joint = d.probability * m.chance({"demand": d.name})
            assert joint == pytest.approx(low[d.name, m.name] / sum(low.values()))


def test_an_edit_names_the_row_that_it_changes(instance: gw.Instance) -> None:
    """An edit that does not say which row is refused with the rows; one that does leaves the others as they are."""
    with pytest.raises(InstanceError) as told:
        instance.edited("uncertainty[factor=market, outcome=glut].probability = 0.3")
    assert 'add given="" or given="demand=weak" or given="demand=strong", or given=* for all of them' in str(told.value)
    edited = instance.edited(f"{GLUT_IF_WEAK} = 0.9")
    chances = [[o.chance({"demand": d}) for o in edited.factors[1].outcomes] for d in ("weak", "strong")]
    assert chances == [pytest.approx([0.9, 0.1]), [0.2, 0.8]]
    assert varied(GLUT_IF_WEAK).now(instance) == 0.8


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('{ demand = "weak" }\nprobability = 0.8', '{ demand = "weak" }\nprobability = 0.7',
         "factor market: given demand=weak probabilities glut 0.7 + none 0.2 = 0.9; for each combination of earlier"),
        ('given = { demand = "weak" }', 'given = { market = "glut" }',
         "factor market, outcome glut: given market=glut; probabilities hang on factors that stand earlier"),
        ('given = { demand = "weak" }', 'given = { demand = "week" }',
         "given demand=week; 'demand' has no such outcome; did you mean 'weak'?"),
        ('given = { demand = "weak" }', "given = {}", "probability_given 1, given: a table of keys; names an earlier"),
        ('{ demand = "weak" }\nprobability = 0.8', '{ demand = "weak" }\nprobability = 0',
         "probability_given 1, probability: 0; must be more than 0 and at most 1; where outcomes exclude each other"),
        ('given = { demand = "strong" }', 'given = { demand = "weak" }', "given demand=weak stands twice"),
    ],
)  # fmt: skip
def test_rows_that_say_nothing_sound_are_refused(folder: Path, tmp_path: Path, old: str, new: str, told: str) -> None:
    """Probabilities that do not sum to 1 where something came out, or hang on what is no earlier outcome, are told."""
    text = (folder / "uncertainty.toml").read_text("utf-8")
    assert old in text
    (tmp_path / "i").mkdir()
    for file in folder.iterdir():
        (tmp_path / "i" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "i" / "uncertainty.toml").write_text(text.replace(old, new, 1), "utf-8")
    done = in_process(["check", str(tmp_path / "i")])
    assert done.exit_code == 1 and told in done.stderr.replace("\n", " ")


def test_folder_and_workbook_keep_them(instance: gw.Instance, tmp_path: Path) -> None:
    """A folder and a workbook that are written read back as the same factors, and a workbook's slip is told by cell."""
    for target in ("copy", "copy.xlsx"):
        gw.save(instance, tmp_path / target)
        assert gw.load(tmp_path / target).factors == instance.factors


def test_commands_follow_them(folder: Path, run: Path, tmp_path: Path) -> None:
    """Roll, evaluate, tornado, exposure, explain, compare and the printed plan use the chances of the tree."""
    rolled = ["roll", str(folder), "--run", str(run), "--to", "2028-01-01", "--given", "market=glut"]
    assert in_process([*rolled, "--out", str(tmp_path / "next")]).exit_code == 0
    assert [o.probability for o in gw.load(tmp_path / "next").factors[0].outcomes] == pytest.approx([0.8, 0.2])

    worth = json.loads((run / "summary.json").read_text("utf-8"))["objective_bn"]
    plan = ["evaluate", str(folder), "--plan", str(run / "allocation.csv"), "--json"]
    assert json.loads(in_process(plan).stdout)["objective_bn"] == pytest.approx(worth)

    swing = in_process(["tornado", str(folder), "--only", "--range", f"{GLUT_IF_WEAK} = 0.5..0.95"])
    assert swing.exit_code == 0 and 'given="demand=weak"' in swing.stdout

    exposed = json.loads(in_process(["exposure", str(run), "--json"]).stdout)
    assert [row["probability"] for row in exposed["obligations"]["branches"]] == pytest.approx([0.4, 0.1, 0.1, 0.4])

    impossible = "insert locks[pathway=own, from=2027-01-01, min_gw=2]"
    assert "lower the lock on own" in in_process(["explain", str(folder), "--set", impossible]).stdout

    told = in_process(["solve", str(folder), "--given", "market=glut", "--full"]).stdout
    assert "market=glut (demand=weak 0.5 -> 0.8" in " ".join(told.split()) and "weak 80%" in told
