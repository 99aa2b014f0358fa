"""Who may ask the page's server, and what becomes of everybody else."""

from __future__ import annotations

import asyncio
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from gwplan.ui import server
from gwplan.ui.desk import desk_of
from gwplan.ui.server import FORBIDDEN, LARGEST_BODY, application
from tests.ui.pages import HERE, PORT, TOKEN, client, copied, lines

API = ("/api/start", "/api/case", "/api/save", "/api/export/run", "/api/bye")
PLACES = ("/", "/page.js", "/page.css", "/vega.js", *API)
BAD = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an instance's folder that may be written into."""
    return copied("tiny-risk", tmp_path)


@pytest.fixture
def page(folder: Path) -> TestClient:
    """Return a page that was let in."""
    return client(folder)


def everywhere(page: TestClient, **options: Any) -> set[int]:
    """Return how every place answers."""
    return {page.request("POST" if place.startswith("/api/") and place != "/api/start" else "GET", place, **options)
            .status_code for place in PLACES}  # fmt: skip


def test_the_link_lets_in_once_and_leaves_no_token_in_the_address(folder: Path) -> None:
    """The token becomes a cookie that scripts cannot read and other sites cannot send; the address loses it."""
    page = client(folder, let_in=False)
    first = page.get("/", params={"token": TOKEN}, follow_redirects=False)
    assert first.status_code == 303 and first.headers["location"] == "/"
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower() and f"gwplan_{PORT}=" in cookie
    assert "<title>gwplan" in page.get("/").text


@pytest.mark.parametrize("cookie", ["", "another-token", TOKEN[:-1], TOKEN + "x", "ü"])
def test_without_the_token_nothing_answers(folder: Path, cookie: str) -> None:
    """No token, another's and nearly the right one are refused everywhere, by words that help who lost the link."""
    page = client(folder, let_in=False)
    options: dict[str, Any] = {"headers": {"cookie": f"gwplan_{PORT}={cookie}".encode()}} if cookie else {}
    assert everywhere(page, **options) == {403}
    assert page.get("/", **options).text == FORBIDDEN
    assert page.get("/", params={"token": cookie or "x"}, **options).status_code == 403
    assert page.get("/", headers={"cookie": f"gwplan_{PORT + 1}={TOKEN}"}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", f"127.0.0.1:{PORT + 1}", "127.0.0.1", "",
                                  f"127.0.0.1.evil.example:{PORT}", f"0.0.0.0:{PORT}"])  # fmt: skip
def test_another_name_of_this_machine_is_refused(page: TestClient, host: str) -> None:
    """A page elsewhere that has its own name point here (DNS rebinding) gets nothing, with the cookie or without."""
    assert everywhere(page, headers={"host": host}) == {403}
    assert page.get("/", params={"token": TOKEN}, headers={"host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"https://127.0.0.1:{PORT}", "http://127.0.0.1",
                                    f"http://localhost:{PORT}"])  # fmt: skip
def test_another_origin_is_refused(page: TestClient, origin: str) -> None:
    """A page elsewhere cannot post here, whatever cookies the browser sends along."""
    assert everywhere(page, headers={"origin": origin}) == {403}


def test_a_post_without_an_origin_and_a_foreign_fetch_are_refused(page: TestClient) -> None:
    """What browsers say of who asks is believed; who posts without saying it is none."""
    del page.headers["origin"]
    assert page.post("/api/bye", json={"tab": "x"}).status_code == 403
    page.headers["origin"] = HERE
    assert page.post("/api/bye", json={"tab": "x"}).status_code == 204
    assert page.get("/api/start", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert page.get("/page.js", headers={"sec-fetch-site": "same-site"}).status_code == 403


def test_headers_forbid_all_but_the_pages_own_files(page: TestClient) -> None:
    """No answer may be framed, sniffed or kept, and no text may become a script."""
    for answer in (page.get("/"), page.get("/api/start"), page.get("/nothing")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy and answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    html = page.get("/").text
    assert "onclick" not in html and "<style" not in html and "style=" not in html and "http" not in html


def test_bodies_are_limited_and_must_be_json(page: TestClient) -> None:
    """Ten megabytes are refused before they are read, whether their size is told or not; so is all that is no JSON."""
    huge = b"x" * 10_000_000
    kind = {"content-type": "application/json"}
    assert page.post("/api/case", content=huge, headers=kind).status_code == 413
    assert page.post("/api/case", content=iter([b"[" * LARGEST_BODY, b"["]), headers=kind).status_code == 413
    for body in (b"", b"[]", b"{", b"\xff", b"[" * 60_000, b"nan"):
        assert page.post("/api/case", content=body, headers=kind).status_code == 400, body[:9]
    assert page.post("/api/case", data={"tab": "x"}).status_code == 400
    assert page.post("/api/case", json={"tab": "x", "move": 1}, headers={"content-length": "-1"}).status_code == 413


STRANGE = [
    {"levers": []}, {"levers": {"x": "1"}}, {"levers": {"x": 1}}, {"levers": {"Aversion to risk": True}}, {"more": {}},
    {"levers": {"Aversion to risk": 5}}, {"whatifs": ["../../etc/passwd"]}, {"whatifs": "x"}, {"whatifs": [1]},
    {"given": {"market": 1}}, {"given": {"market": BAD}}, {"chances": {"market": ["good"]}}, {"locks": [BAD]},
    {"chances": {"market": [BAD, 0.5]}}, {"chances": {"x": ["good", 0.5]}}, {"offers": {"x": "sign"}}, {"edits": [BAD]},
    {"edits": ["x" * 401]}, {"edits": ["risk.aversion = 0.1"] * 41}, {"locks": ["nobody = 1"]}, [], 3, "x",
]  # fmt: skip


@pytest.mark.parametrize("state", STRANGE)
def test_strange_states_are_told_in_a_line_each(page: TestClient, state: Any) -> None:
    """A state that no page sends, or that names what there is not, is a problem in words, never a server's error."""
    answer = page.post("/api/case", json={"tab": "x", "move": 1, "state": state, "look": {}})
    assert answer.status_code == 400 and answer.json()["problems"]
    looks: list[Any] = [[], {"scenario": 1}, {"scenario": {"market": 1}}, {"scenario": {"market": "worse"}}]
    for look in looks:
        answer = page.post("/api/case", json={"tab": "x", "move": 1, "state": {}, "look": look})
        assert answer.status_code == 400, look


@pytest.mark.parametrize("name", ["../x", "..", ".", "/tmp/x", "a/b", "a\\b", "x\0", "", " x", "x.", "x" * 61, "CON\n",
                                  BAD, "~", "x/../../y", "%2e%2e%2fx"])  # fmt: skip
def test_no_name_leads_out_of_the_instance(page: TestClient, folder: Path, name: str) -> None:
    """A name is a file's name inside whatifs/ and nothing else; nothing is written otherwise."""
    before = sorted(folder.parent.rglob("*"))
    assert page.post("/api/save", json={"name": name, "state": {}}).status_code == 400
    assert sorted(folder.parent.rglob("*")) == before


def test_nothing_is_overwritten_and_links_are_not_followed(page: TestClient, folder: Path) -> None:
    """A second save of a name, in whatever case, and a folder that leads elsewhere are refused."""
    state = {"levers": {"Aversion to risk": 0.3}}
    assert page.post("/api/save", json={"name": "Averse", "state": state}).status_code == 201
    kept = (folder / "whatifs" / "Averse.toml").read_bytes()
    for name in ("Averse", "averse"):
        assert page.post("/api/save", json={"name": name, "state": {}}).status_code == 400
    assert (folder / "whatifs" / "Averse.toml").read_bytes() == kept
    elsewhere = folder.parent / "elsewhere"
    (folder / "whatifs").rename(elsewhere)
    (folder / "whatifs").symlink_to(elsewhere)
    assert page.post("/api/save", json={"name": "other", "state": state}).status_code == 400
    assert sorted(path.name for path in elsewhere.iterdir()) == ["Averse.toml"]


@pytest.mark.parametrize("path", ["/../pyproject.toml", "/%2e%2e/instance.toml", "/page.html", "/instance.toml",
                                  "/api/export/..%2f..%2fetc", "/api/export/exe", "/static/x"])  # fmt: skip
def test_no_path_leads_to_a_file(page: TestClient, path: str) -> None:
    """There are four files and six questions, and nothing else."""
    assert page.get(path).status_code in (404, 405)
    assert page.post(path, json={"state": {}}).status_code in (404, 405)
    assert page.put("/", content=b"x").status_code == 405


def test_scripts_in_names_stay_words(tmp_path: Path) -> None:
    """Names that look like markup come back as JSON text, which the page writes as text."""
    folder = copied("tiny-risk", tmp_path)
    for file in folder.glob("*.csv"):
        file.write_text(file.read_text().replace("deals", f'"{BAD}"'))
    for file in folder.glob("*.toml"):
        file.write_text(file.read_text().replace('"deals"', f"'{BAD}'").replace('"market"', "'<b>market'"))
    page = client(folder)
    start = page.get("/api/start")
    assert start.headers["content-type"].startswith("application/json") and BAD in start.json()["movable"]["pathways"]
    answer, checked = lines(page)
    assert any(row[0] == BAD for row in answer["answer"]["now"]["rows"]) and checked == {"checked": True}


def test_a_thousand_requests_at_once_are_answered(folder: Path) -> None:
    """With the token or without each gets an answer at once, and memory does not grow with them."""
    desk = desk_of(str(folder))
    app = application(desk, TOKEN, PORT)
    cookie = {"cookie": f"gwplan_{PORT}={TOKEN}"}

    async def flood() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=HERE, headers={"origin": HERE}) as asking:
            case = [{"tab": "t", "move": move, "state": {"levers": {"Aversion to risk": 0.1}}} for move in range(500)]
            calls = [asking.post("/api/case", json=body, headers=cookie) for body in case]
            calls += [asking.post("/api/case", json=body) for body in case]
            return [answer.status_code for answer in await asyncio.gather(*calls)]

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    codes = asyncio.run(flood())
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert codes[500:] == [403] * 500
    assert set(codes[:500]) <= {200, 409, 429} and codes.count(429) > 400 and 200 in codes
    assert grown < 200_000  # kB
    assert len(desk._answers) == 1 and len(desk._latest) == 1


@pytest.fixture
def served(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, str]]:
    """Yield the port and the token of a real server that waits less long."""
    monkeypatch.setattr(server, "PATIENCE", 0.5)
    told: list[str] = []
    loop = asyncio.new_event_loop()
    task = loop.create_task(server.serve(desk_of(str(folder)), 0, told.append))
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.gather(task, return_exceptions=True)))
    thread.start()
    while not told:
        time.sleep(0.01)
    port, _, token = told[0].removeprefix("http://127.0.0.1:").partition("/?token=")
    yield int(port), token
    loop.call_soon_threadsafe(task.cancel)
    thread.join(10)
    assert not thread.is_alive()
    loop.close()


def answered(listening: socket.socket) -> bytes:
    """Return what is sent until the other side hangs up."""
    data = b""
    while part := listening.recv(4096):
        data += part
    return data


def test_slow_clients_are_hung_up_on(served: tuple[int, str]) -> None:
    """Who begins to ask and does not end, in the head or in the body, is not waited for, and keeps nobody waiting."""
    port, token = served
    connections = []
    asked = (
        f"POST /api/case HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        f"Cookie: gwplan_{port}={token}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
    ).encode()
    for begun in (b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", asked):
        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        connection.sendall(begun)
        connections.append(connection)
    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 403
    *heads, body = [answered(each) for each in connections]
    assert heads == [b""] * 3 and body.startswith(b"HTTP/1.1 408")
    for each in connections:
        each.close()


def test_only_this_machine_can_ask(served: tuple[int, str]) -> None:
    """The server listens on the loopback address alone, and reads no endless head."""
    port, _ = served
    address = socket.gethostbyname(socket.gethostname())
    if not address.startswith("127."):
        with pytest.raises(OSError):
            socket.create_connection((address, port), timeout=1)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection, suppress(OSError):
        for at in range(1000):
            connection.sendall(b"GET / HTTP/1.1\r\n" if at == 0 else b"X: " + b"y" * 9_990 + b"\r\n")
        pytest.fail("ten megabytes of head was read")
