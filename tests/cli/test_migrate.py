from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.conftest import INSTANCES, Run


def test_migrate_has_nothing_to_do_or_says_what_it_cannot(gwplan: Run, tmp_path: Path) -> None:
    """A current instance stays as it is; versions from before and after this gwplan are refused in one line each."""
    shutil.copytree(INSTANCES / "tiny-deals", tmp_path / "mine")
    current = gwplan("migrate", "mine")
    assert current.returncode == 0 and "already: nothing is written" in current.stdout
    text = (tmp_path / "mine" / "instance.toml").read_text()
    for version, reason in ((0, "the first version that there was is 1"), (9, "use a newer gwplan")):
        (tmp_path / "mine" / "instance.toml").write_text(text.replace("schema = 1", f"schema = {version}"))
        refused = gwplan("migrate", "mine", "--out", "new")
        assert refused.returncode == 1 and refused.stderr.count("\n") == 1 and reason in refused.stderr
        assert not (tmp_path / "new").exists()
