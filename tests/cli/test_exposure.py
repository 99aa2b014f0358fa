from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import INSTANCES, Run

SMALL = INSTANCES / "tiny-terminal"


def test_an_instance_and_its_run_owe_the_same(gwplan: Run, tmp_path: Path) -> None:
    """The exposure of a kept run is that of its instance, within 80 columns, and takes no changes."""
    assert gwplan("solve", SMALL, "--out", "run").returncode == 0
    one, two = (gwplan("exposure", source, "--part", "obligations", "--json") for source in (SMALL, "run"))
    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    from_instance, from_run = json.loads(one.stdout), json.loads(two.stdout)
    assert abs(from_instance["objective_bn"] - from_run["objective_bn"]) < 1e-9
    for name in ("as_signed_bn", "after_cancellation_bn"):
        assert abs(from_instance["obligations"]["total"][name] - from_run["obligations"]["total"][name]) < 1e-6
    printed = gwplan("exposure", "run", "--part", "obligations")
    assert all(len(line) <= 80 for line in printed.stdout.splitlines())
    assert "OWED TO EACH VENDOR" in printed.stdout and "WORTH AT RISK" not in printed.stdout
    changed = gwplan("exposure", "run", "--deterministic")
    assert changed.returncode == 2 and "taken as it was planned" in changed.stderr


def test_every_part_is_printed(gwplan: Run) -> None:
    """Without --part all parts are shown, also without vendors or what-ifs; a wrong swing is refused."""
    done = gwplan("exposure", SMALL, "--swing", "10%", "--each")
    assert done.returncode == 0, done.stderr
    for part in ("OWED TO EACH VENDOR", "WHAT EACH WHAT-IF", "WORTH AT RISK", "each swung 10% down and up"):
        assert part in done.stdout
    for wrong in ("much", "0", "150%", "nan"):
        refused = gwplan("exposure", SMALL, "--swing", wrong)
        assert refused.returncode == 2 and wrong in refused.stderr


def test_with_aversion_worth_is_said_to_be_the_objective(gwplan: Run) -> None:
    """Protects one word for one figure: changes of the objective are no changes of expected worth."""
    said = "the objective: the worst futures"
    asked = "exposure", INSTANCES / "tiny-risk", "--part", "vendors"
    assert said in gwplan(*asked).stdout and said not in gwplan(*asked, "--set", "risk.aversion = 0").stdout
