"""Pages of small instances, asked as a browser would ask, or as nobody should."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

from starlette.testclient import TestClient

from gwplan.ui.desk import CaseDesk, desk_of
from gwplan.ui.server import application
from tests.export.test_charts import INSTANCES

TOKEN: Final = "a-token-of-the-tests"
PORT: Final = 8000
HERE: Final = f"http://127.0.0.1:{PORT}"


def copied(name: str, folder: Path) -> Path:
    """Return a copy of an instance that may be written into."""
    shutil.copytree(INSTANCES / name, folder / name)
    return folder / name


def client(desk: CaseDesk | Path, *, let_in: bool = True) -> TestClient:
    """Return a browser before a page: with its cookie, or without."""
    desk = desk_of(str(desk)) if isinstance(desk, Path) else desk
    made = TestClient(
        application(desk, TOKEN, PORT), base_url=HERE, headers={"origin": HERE}, raise_server_exceptions=False
    )
    if let_in:
        assert made.get("/", params={"token": TOKEN}).status_code == 200
    return made


def lines(page: TestClient, state: Any = None, move: int = 1, tab: str = "tab", **look: Any) -> list[dict[str, Any]]:
    """Return what comes back of a case, line by line."""
    answer = page.post("/api/case", json={"tab": tab, "move": move, "state": state or {}, "look": look})
    if answer.status_code != 200:
        return [{"status": answer.status_code, **answer.json()}]
    return [json.loads(line) for line in answer.text.splitlines()]
