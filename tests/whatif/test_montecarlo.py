"""Draws and Monte Carlo against what is known of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from gwplan import load
from gwplan.plan.tables import QUANTILES
from gwplan.problems import InstanceError
from gwplan.session import Session
from gwplan.studies.sweep import montecarlo
from gwplan.studies.sweep.draws import Draw, correlation, draw, draws_of, matrix, sample
from gwplan.studies.sweep.engines import InProcess, Processes
from gwplan.studies.sweep.sweep import Results, run

INSTANCES = Path(__file__).resolve().parents[2] / "instances"

KNOWN = {
    "normal(10, 2)": stats.norm(10, 2),
    "lognormal(10, 4)": stats.lognorm(np.sqrt(np.log1p(0.16)), scale=10 / np.sqrt(1.16)),
    "triangular(1, 2, 5)": stats.triang(0.25, 1, 4),
    "triangular(1, 1, 5)": stats.triang(0.0, 1, 4),
    "uniform(-1, 3)": stats.uniform(-1, 4),
}


@pytest.mark.parametrize("text", KNOWN)
def test_distributions_have_the_quantiles_of_scipy(text: str) -> None:
    """Each distribution is that of scipy with the parameters as documented."""
    share = np.linspace(0.001, 0.999, 999)
    np.testing.assert_allclose(draw(f"risk.aversion ~ {text}").values(share), KNOWN[text].ppf(share), rtol=1e-9)


def test_discrete_values_come_as_often_as_they_should() -> None:
    """A Latin hypercube of a hundred draws has each value exactly as often as its probability says."""
    drawn = sample([draw("risk.aversion ~ discrete(0: 0.2, 0.3: 0.5, 0.5: 0.3)")], 100, 1)
    assert dict(zip(*np.unique(drawn, return_counts=True), strict=True)) == {0.0: 20, 0.3: 50, 0.5: 30}


def three() -> list[Draw]:
    """Return three drawn cells."""
    texts = ("risk.aversion ~ uniform(0, 1)", "economics.discount_rate ~ lognormal(0.1, 0.05)")
    return [*map(draw, texts), draw("value[pathway=a, tier=1].width_gw *~ normal(1, 0.1) @ 2027-01-01")]


def test_rank_correlations_are_reached_and_leave_the_distributions() -> None:
    """Ranks correlate as asked for, cells not named stay uncorrelated, and each column is still one draw a stratum."""
    pair = "risk.aversion, value[pathway=a, tier=1].width_gw @ 2027-01-01 = -0.7"
    ranks = matrix(three(), [correlation(pair)])
    drawn = sample(three(), 400, 3, ranks)
    found = stats.spearmanr(drawn).statistic
    np.testing.assert_allclose(found, ranks, atol=0.03)
    strata = np.sort((drawn[:, 0] * 400).astype(int))
    assert strata.tolist() == list(range(400))


def test_impossible_correlations_are_named() -> None:
    """A matrix that is not positive definite is an error that names the cells, as is a cell that is not drawn."""
    a, b, c = (each.varied.cells_text for each in three())
    pairs = [correlation(f"{a}, {b} = 0.9"), correlation(f"{b}, {c} = 0.9"), correlation(f"{a}, {c} = -0.5")]
    with pytest.raises(InstanceError, match="positive definite") as error:
        matrix(three(), pairs)
    assert all(name in str(error.value) for name in (a, b, c))
    with pytest.raises(InstanceError, match="did you mean"):
        matrix(three(), [correlation("risk.tail, risk.aversion = 0.1")])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("risk.aversion ~ normal(1, 0)", "sd is above 0"),
        ("risk.aversion ~ lognormal(-1, 1)", "mean and sd are above 0"),
        ("risk.aversion ~ lognormal(1e-300, 1)", "sd is at most 1,000,000 times the mean"),
        ("risk.aversion ~ triangular(1, 0, 2)", "low <= mode <= high"),
        ("risk.aversion ~ uniform(2, 1)", "low < high"),
        ("risk.aversion ~ uniform(2)", "write uniform\\(low, high\\)"),
        ("risk.aversion ~ discrete(1: 0.5, 2: 0.6)", "add up to 1.1"),
        ("risk.aversion ~ discrete(1: 0.5, 1: 0.5)", "each value stands once"),
        ("risk.aversion ~ gauss(1, 2)", "no such distribution"),
        ("risk.aversion ~ normal(1, x)", "expected a number"),
        ("risk.aversion normal(1, 2)", "expected one of ~"),
        ("pathways.notice_days ~ normal(90, 10)", "whole numbers"),
        ("contracts.vendor ~ normal(1, 1)", "takes no numbers"),
        ("risk.averzion ~ normal(1, 1)", "did you mean 'aversion'"),
    ],
)
def test_wrong_draws_are_one_line(text: str, words: str) -> None:
    """What makes no distribution is refused with the rule."""
    with pytest.raises(InstanceError, match=words) as error:
        draw(text)
    assert len(error.value.problems) == 1


def test_file_of_draws_tells_every_problem_with_its_row(tmp_path: Path) -> None:
    """A file's rows are read like the command line's, factors and dates too; each problem says its row."""
    file = tmp_path / "draws.csv"
    file.write_text(
        "cell,distribution,parameters\n"
        '"value[pathway=a, tier=1].width_gw *= @ 2027-01-01",normal,"1, 0.1"\nrisk.aversion,uniform,"0, 0.5"\n'
    )
    assert draws_of(str(file)) == [three()[2], draw("risk.aversion ~ uniform(0, 0.5)")]
    file.write_text('cell,distribution,parameters\nrisk.aversion,uniform,"1, 0.5"\nrisk.tail,normal,1\n')
    with pytest.raises(InstanceError) as error:
        draws_of(str(file))
    assert [str(problem).split(",")[0][:15] for problem in error.value.problems] == [
        "draws.csv row 2",
        "draws.csv row 3",
    ]


def drawn(text: str, samples: int, engine: InProcess | Processes, instance: str = "tiny-deals") -> Results:
    """Return a Monte Carlo of a tiny instance."""
    return run(montecarlo.study(load(INSTANCES / instance), [draw(text)], samples, 7), engine)


def test_agrees_with_the_closed_form_of_a_case_that_has_one() -> None:
    """Where f times the supply is worth f times as much, the quantiles of worth are those of f."""
    base = Session(load(INSTANCES / "tiny-tree")).base.objective_bn
    results = drawn("deliveries.gw *~ lognormal(1, 0.3)", 100, InProcess(), "tiny-tree")
    known = stats.lognorm(np.sqrt(np.log1p(0.09)), scale=1 / np.sqrt(1.09))
    found = montecarlo.tables(results)["quantiles"]
    worth = found[found["figure"] == "objective_bn"]
    np.testing.assert_allclose(worth["value"], base * known.ppf(list(QUANTILES)), rtol=0.02)
    assert worth["mean"].iloc[0] == pytest.approx(base, rel=5e-3)
    assert worth["sd"].iloc[0] == pytest.approx(0.3 * base, rel=0.06)
    assert ((worth["low"] <= worth["value"]) & (worth["value"] <= worth["high"])).all()


def test_draws_and_rows_do_not_depend_on_the_number_of_workers() -> None:
    """The same seed gives the same draws and rows to the last bit, in one process or in two."""
    text = "value[pathway=deals].value_bn_per_gw_year ~ normal(8, 3)"
    one, two = drawn(text, 12, InProcess()), drawn(text, 12, Processes(2))
    assert one.table.to_csv() == two.table.to_csv()
    assert one.table["value[pathway=deals].value_bn_per_gw_year"].nunique() == 12


def test_shares_have_the_interval_of_wilson() -> None:
    """The share of draws has the interval of Wilson's formula, worked out here."""
    z, p, n = stats.norm.ppf(0.975), 0.75, 40
    middle, half = (p + z**2 / (2 * n)), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    wanted = (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    assert montecarlo.share_interval(30, 40) == pytest.approx(wanted, rel=1e-9)


def test_intervals_of_quantiles_hold_what_they_promise() -> None:
    """Of independent samples about 95 of 100 intervals hold the true median, and none is given too far out."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        low, high = montecarlo.quantile_interval(np.sort(rng.normal(size=50)), 0.5)
        inside += low <= 0 <= high
    assert 0.92 <= inside / 400 <= 0.99
    assert np.isnan(montecarlo.quantile_interval(np.sort(rng.normal(size=20)), 0.05)[0])


def test_draws_without_a_plan_are_counted_with_their_reason() -> None:
    """A draw that the format refuses stays a case: its figures are blank, its reason is told and counted."""
    results = drawn("value[pathway=deals].value_bn_per_gw_year ~ discrete(-1: 0.25, 8: 0.75)", 8, InProcess())
    made = montecarlo.tables(results)
    assert made["statuses"][["status", "draws"]].to_numpy().tolist() == [["optimal", 6], ["bad_input", 2]]
    assert "must be at least 0" in made["statuses"]["reason"].iloc[1]
    assert len(results.table) == 8 and set(made["pathways"]["draws"]) == {6}
