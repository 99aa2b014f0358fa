"""``gwplan ui`` as a planner starts and ends it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

import pytest

from tests.cli.conftest import INSTANCES, Run


def test_what_cannot_be_served_is_told(gwplan: Run, tmp_path: Path) -> None:
    """No instance, and a port that is taken, are a line each; nothing is served."""
    none = gwplan("ui", tmp_path / "nothing", "--no-open")
    assert none.returncode == 1 and "no such folder" in none.stderr
    assert gwplan("ui", INSTANCES / "tiny-risk", "--port", "70000").returncode == 2
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        taken = gwplan("ui", INSTANCES / "tiny-risk", "--no-open", "--port", port)
    assert taken.returncode == 1 and f"port {port}: address already in use" in taken.stderr


def test_it_prints_a_link_serves_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    """The link alone lets in; Ctrl-C ends the server with 0 and no traceback, and frees its port."""
    command = [sys.executable, "-m", "gwplan.cli", "ui", str(INSTANCES / "tiny-risk"), "--no-open"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None and running.stderr is not None
            link = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=\S{43}", running.stdout.readline())
            assert link, running.stderr.read()
            with build_opener(HTTPCookieProcessor(CookieJar())).open(link[0], timeout=10) as page:
                assert b"<title>gwplan" in page.read()
            with pytest.raises(HTTPError, match="403"):
                urlopen(f"http://127.0.0.1:{link[1]}/", timeout=10)
        finally:
            os.kill(running.pid, signal.SIGINT)
        rest, errors = running.communicate(timeout=20)
    assert running.returncode == 0 and rest.endswith("Ended.\n") and errors == ""
