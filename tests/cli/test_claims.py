from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli.conftest import INSTANCES, Run

META = INSTANCES / "meta-2026h1"


def test_the_printed_prices_contradict_each_other(gwplan: Run) -> None:
    """The claims show what the print contradicts tenfold, and that the ratios hold either way."""
    done = gwplan("claims", META, "--deterministic", "--json")
    assert done.returncode == 0, done.stderr
    claims = {claim["claim"]: claim for claim in json.loads(done.stdout)}
    for name in ("revenue_200mw_google", "typical_price_public", "short_deal_public"):
        assert claims[name]["verdict"] == "too low" and 0.09 < claims[name]["ratio"] < 0.115
        assert claims[f"{name}_tenfold"]["verdict"] == "holds"
    for name in ("nebius_room", "two_vendors", "coreweave_gw", "nebius_gw"):
        assert claims[f"{name}_printed"]["verdict"] == "too high"
        assert claims[f"{name}_tenfold"]["verdict"] == "holds"
    assert {claims[f"multiple_{who}"]["verdict"] for who in ("google", "anthropic")} == {"holds"}
    scaled = json.loads(gwplan("claims", META, "--deterministic", "--with", "prices-reconciled", "--json").stdout)
    again = {claim["claim"]: claim for claim in scaled}
    assert again["multiple_google"]["ratio"] == claims["multiple_google"]["ratio"]
    assert again["revenue_200mw_google"]["verdict"] == again["typical_price_public"]["verdict"] == "holds"


def test_claims_are_printed(gwplan: Run, tmp_path: Path) -> None:
    """Each claim stands with reported figure, data, ratio, verdict and grade, within 80 columns; failures in words."""
    folder = tmp_path / "mine"
    shutil.copytree(META, folder)
    lines = (META / "claims.csv").read_text().splitlines()
    (folder / "claims.csv").write_text("\n".join(line for line in lines if "plan." not in line) + "\n")
    done = gwplan("claims", "mine")
    assert done.returncode == 0, done.stderr
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    (row,) = [line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["revenue_200mw_google"]]
    assert row[1:] == [">=", "10", "0.96", "0.096", "too", "low", "scenario", "scenario"]
    words = " ".join(done.stdout.split())
    assert "could earn more than 10 a year. The data give 0.96 $bn per year, 0.096 times the 10 reported." in words


def test_a_claim_that_cannot_be_judged_is_bad_input(gwplan: Run, tmp_path: Path) -> None:
    """``check`` refuses what cannot be read and warns of what finds no row; ``claims`` refuses both, by place."""
    folder = tmp_path / "mine"
    shutil.copytree(META, folder)
    header = (META / "claims.csv").read_text().splitlines()[0]
    row = "typo,x,sum(deliveries[contract=neb_*].gw),1,,GW,,,\n"
    (folder / "claims.csv").write_text(f"{header}\n{row}")
    assert "warning: claims.csv row 2, quantity of claim typo: no row" in gwplan("check", "mine").stderr
    done = gwplan("claims", "mine")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: claims.csv row 2, quantity of claim typo: no row of deliveries with contract")
    (folder / "claims.csv").write_text(f"{header}\n{row.replace('gw', 'gv')}")
    for command in ("check", "claims", "solve"):
        done = gwplan(command, "mine")
        assert done.returncode == 1
        assert "claim typo: 'gv' at character 32; deliveries has no such column" in done.stderr
