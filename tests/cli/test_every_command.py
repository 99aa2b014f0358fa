"""A hundred factors, each of one outcome but one, through every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import in_process
from tests.every_command import FINE, commands
from tests.instance.folders import PLAIN, written

CANCELLABLE = {
    "contracts": "contract,vendor,pool,end,cost_bn_per_gw_year\nown,v1,cloud,2030-01-01,4\n",
    "cancellations": "contract,opens,closes,fee_bn_per_gw\nown,2026-01-01,2027-01-01,0.1\n",
    "claims": "claim,statement,quantity,reported,unit\nc,one,sum(deliveries.gw),1,GW\n",
}


def test_a_hundred_factors_pass_through_every_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects every command from what many factors do to arrays, tables and names: none ends in a traceback."""
    monkeypatch.chdir(tmp_path)
    outcome = '[[factor.outcome]]\nname = "{0}"\nprobability = {1}\n'
    factors = [
        f'[[factor]]\nname = "f{i}"\nrevealed = 2027-01-01\n'
        + (outcome.format("only", 1.0) if i else outcome.format("low", 0.5) + outcome.format("high", 0.5))
        for i in range(100)
    ]
    (tmp_path / "x").mkdir()
    written(tmp_path / "x", {**PLAIN, "uncertainty.toml": "".join(factors)}, **CANCELLABLE)
    for arguments in commands("x", tmp_path):
        done = in_process(arguments)
        assert done.exit_code in FINE, (arguments, done.output)
