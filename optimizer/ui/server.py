"""The server of the what-if page: one machine, one planner, nobody else. It answers on 127.0.0.1 alone."""

from __future__ import annotations

import asyncio
import gzip
import hmac
import json
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cache, partial
from importlib.resources import files
from typing import Any, Final

from gwplan.errors import InfeasibleError, PlanError
from gwplan.extras import imported
from gwplan.kept.record import plain
from gwplan.language.edits import WhatIf
from gwplan.problems import InstanceError, Problem
from gwplan.show.text.brief import dollars
from gwplan.ui.cases import looked_at, of_answer, shown
from gwplan.ui.desk import CaseDesk, SupersededError
from gwplan.ui.levers import in_words, movable, moved

starlette = imported("starlette", "Starlette", extra="ui", doing="what-if pages")
uvicorn = imported("uvicorn", "uvicorn", extra="ui", doing="what-if pages")

from starlette.applications import Starlette  # noqa: E402
from starlette.requests import ClientDisconnect, Request  # noqa: E402
from starlette.responses import PlainTextResponse, Response, StreamingResponse  # noqa: E402
from starlette.routing import Route  # noqa: E402
from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: E402

HOST: Final = "127.0.0.1"
LARGEST_BODY: Final = 64 * 1024
"""Bytes that a request may carry."""

PATIENCE: Final = 10.0
"""Seconds within which a request must have come in."""

MOST_AT_ONCE: Final = 16
"""Requests of the page that are worked on, or wait, at once."""

MOST_CONNECTIONS: Final = 256

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load and run: its own three files, and nothing that is made from text."""

HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}

FORBIDDEN: Final = "Open the link that gwplan ui printed.\n"

KINDS: Final = ("whatif", "run", "report", "workbook")
"""What a case may be exported as."""


class _TooLargeError(ValueError):
    """A request that carries more than the page ever sends."""


class Gate:
    """Lets in who has the token, comes from this page and asks this machine by its own name; refuses all others.

    A page elsewhere that has its own name point here (DNS rebinding) is refused by the name, one that posts here by its
    origin, and whoever has no cookie by that.
    """

    def __init__(self, app: Any, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {f"{name}:{port}" for name in (HOST, "localhost")}
        self.cookie = f"gwplan_{port}"
        self.inside = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or refuse it before anything of it is read."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope, receive)
        refused = self._refused(request)
        if refused is not None:
            await self._with_headers(refused, scope, receive, send)
            return
        if self.inside >= MOST_AT_ONCE:
            await self._with_headers(PlainTextResponse("Too much at once.\n", 429), scope, receive, send)
            return
        self.inside += 1
        try:
            await self._with_headers(self.app, scope, receive, send)
        finally:
            self.inside -= 1

    def _refused(self, request: Request) -> Response | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return PlainTextResponse("This server is asked by its own name alone.\n", 403)
        origins = request.headers.getlist("origin")
        own = {f"http://{hosts[0].lower()}"}
        if any(origin.lower() not in own for origin in origins) or (request.method == "POST" and not origins):
            return PlainTextResponse("Another page may not ask here.\n", 403)
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and request.url.path != "/":
            return PlainTextResponse("Another page may not ask here.\n", 403)
        if request.method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("There is nothing to do so.\n", 405)
        if request.url.path == "/" and request.method == "GET" and self._is_token(request.query_params.get("token")):
            first = Response(status_code=303, headers={"location": "/"})
            first.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
            return first
        return None if self._is_token(request.cookies.get(self.cookie)) else PlainTextResponse(FORBIDDEN, 403)

    def _is_token(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self.token.encode())

    @staticmethod
    async def _with_headers(app: Any, scope: Any, receive: Any, send: Any) -> None:
        async def headed(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                more = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in own]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await app(scope, receive, headed)


class PatientProtocol(H11Protocol):
    """HTTP that hangs up on who takes too long to ask, and on more connections than one page opens."""

    def connection_made(self, transport: Any) -> None:
        """Begin a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.write(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            transport.close()
        self.loop.call_later(PATIENCE, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None and self.transport is not None and not self.transport.is_closing():
            self.transport.close()


def application(desk: CaseDesk, token: str, port: int) -> Gate:
    """Return the application that serves the page of a desk to who has the token."""

    def route(path: str, answer: Callable[[CaseDesk, Request], Awaitable[Response]], method: str) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                return await answer(desk, request)
            except _TooLargeError:
                return PlainTextResponse(f"At most {LARGEST_BODY} bytes.\n", 413, headers={"connection": "close"})
            except InstanceError as error:
                return _json({"problems": [str(problem) for problem in error.problems]}, 400)
            except SupersededError:
                return _json({"superseded": True}, 409)
            except InfeasibleError as error:
                return _json({"problems": [str(error)]}, 422)
            except TimeoutError:
                return PlainTextResponse("Too slow.\n", 408)
            except ClientDisconnect:
                return Response(status_code=400)
            except (PlanError, OSError) as error:
                return _json({"problems": str(error).splitlines()[:5]}, 422)

        return Route(path, endpoint, methods=[method])

    routes = [route(f"/{name}", partial(_file, name=name), "GET") for name in ("page.js", "page.css", "vega.js")]
    routes += [
        route("/", partial(_file, name="page.html"), "GET"),
        route("/api/start", _start, "GET"),
        route("/api/case", _case, "POST"),
        route("/api/save", _save, "POST"),
        route("/api/export/{kind}", _export, "POST"),
        route("/api/bye", _bye, "POST"),
    ]
    return Gate(Starlette(routes=routes), token, port)


_TYPES: Final = {"html": "text/html", "js": "text/javascript", "css": "text/css"}


async def _file(desk: CaseDesk, request: Request, name: str) -> Response:
    """Return one of the four files of the page, zipped where the browser takes it."""
    data = await asyncio.to_thread(_zipped, name)
    headers = {"content-encoding": "gzip", "vary": "accept-encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        data, headers = gzip.decompress(data), {}
    return Response(data, media_type=f"{_TYPES[name.rpartition('.')[2]]}; charset=utf-8", headers=headers)


@cache
def _zipped(name: str) -> bytes:
    if name == "vega.js":
        convert = imported("vl_convert", "vl-convert", extra="report", doing="charts of the what-if page")
        return gzip.compress(str(convert.javascript_bundle()).encode(), 9, mtime=0)
    return gzip.compress(files("gwplan.ui").joinpath(name).read_bytes(), 9, mtime=0)


def _json(record: Any, status: int = 200) -> Response:
    return Response(_text(record), status, media_type="application/json")


def _text(record: Any) -> str:
    return json.dumps(plain(record), ensure_ascii=False, allow_nan=False)


async def _said(request: Request) -> dict[str, Any]:
    """Return what a request says: an object of JSON that is not too large and comes in time."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    length = request.headers.get("content-length", "0")
    if kind != "application/json":
        raise InstanceError(Problem("request", f"'{kind[:40]}'", "what is asked is JSON", "use the page"))
    data = b""
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        raise _TooLargeError
    async with asyncio.timeout(PATIENCE):
        async for chunk in request.stream():
            data += chunk
            if len(data) > LARGEST_BODY:
                raise _TooLargeError
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise InstanceError(Problem("request", "not an object of JSON", "what is asked is JSON", "use the page"))
    return said


async def _start(desk: CaseDesk, request: Request) -> Response:
    """Return what may be moved, and the kept plan where there is one."""
    look = looked_at({"dark": "dark" in request.query_params, "narrow": "narrow" in request.query_params})
    kept = desk.run
    return _json(
        {
            "name": desk.instance.name,
            "about": desk.instance.description,
            "ready": desk.ready,
            "saves": desk.folder is not None,
            "own_levers": bool(desk.instance.levers),
            "movable": movable(desk.instance),
            "kept": await asyncio.to_thread(shown, kept, None, look) if kept else None,
        }
    )


def _asked(desk: CaseDesk, said: Mapping[str, Any], name: str = "case") -> WhatIf:
    """Return the what-if that a request asks for."""
    state = said.get("state", {})
    words = "; ".join(in_words(desk.instance, state))
    return moved(desk.instance, state, name, f"Made with gwplan ui: {words}" if words else "")


async def _case(desk: CaseDesk, request: Request) -> Response:
    """Return a case line by line: its warm answer at once, and whether it is checked, or why there is no plan."""
    said = await _said(request)
    whatif, look = _asked(desk, said), looked_at(said.get("look", {}))
    tab, move = str(said.get("tab", ""))[:40], said.get("move", 0)
    if not isinstance(move, int) or not tab:
        raise InstanceError(Problem("request", "no tab and move", "each move has a number", "reload the page"))
    work = partial(desk.work, tab=tab, move=move)

    def answered() -> dict[str, Any]:
        desk.begin()
        made = desk.answer(whatif)
        return {**shown(of_answer(made), desk.base, look), "reached": str(made.reached), "seconds": made.seconds}

    try:
        first: dict[str, Any] = {"answer": await work(answered)}
    except InfeasibleError as error:
        first = {"noplan": str(error)}
    return StreamingResponse(
        _lines(desk, whatif, said.get("state", {}), first, work), media_type="application/x-ndjson"
    )


async def _lines(
    desk: CaseDesk,
    whatif: WhatIf,
    state: Any,
    first: dict[str, Any],
    work: Callable[[Callable[[], Any]], Awaitable[Any]],
) -> AsyncIterator[str]:
    """Yield the first line of an answer, then what takes longer: the check, the costs of locks, or the ways out."""
    yield _text(first) + "\n"
    try:
        if "noplan" in first:
            yield _text({"why": await work(partial(desk.why, whatif))}) + "\n"
            return
        await work(lambda: desk.answer(whatif).audited)
        yield _text({"checked": True}) + "\n"
        if state.get("locks"):
            costs = await work(partial(desk.lock_costs, whatif, state))
            yield _text({"locks": [cost if cost is None else dollars(cost) for cost in costs], "bn": costs}) + "\n"
    except SupersededError:
        yield _text({"superseded": True}) + "\n"
    except (PlanError, InstanceError) as error:
        yield _text({"failed": str(error).splitlines()[:5]}) + "\n"


async def _save(desk: CaseDesk, request: Request) -> Response:
    """Save a case as a what-if of the instance."""
    said = await _said(request)
    name = said.get("name")
    if not isinstance(name, str):
        raise InstanceError(Problem("what-if", "no name", "it is saved by its name", "give one"))
    whatif = _asked(desk, said, name)
    path = await desk.work(partial(desk.save, name, whatif))
    return _json({"saved": path.name, "command": f"gwplan whatif {desk.folder} {name}"}, 201)


async def _export(desk: CaseDesk, request: Request) -> Response:
    """Return a case as a file to download."""
    kind = request.path_params["kind"]
    if kind not in KINDS:
        return PlainTextResponse("There is no such export.\n", 404)
    whatif = _asked(desk, await _said(request))
    ending, data = await desk.work(partial(desk.exported, kind, whatif))
    return Response(data, media_type="application/octet-stream", headers={"x-ending": ending})


async def _bye(desk: CaseDesk, request: Request) -> Response:
    """Forget a tab that was closed."""
    desk.leave(str((await _said(request)).get("tab", ""))[:40])
    return Response(status_code=204)


async def serve(desk: CaseDesk, port: int, tell: Callable[[str], None]) -> None:
    """Serve a page until Ctrl-C; `tell` is given the link when the server is there."""
    token = secrets.token_urlsafe(32)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InstanceError(
                Problem(f"port {port}", reason, "one server has a port", "give another --port")
            ) from error
        listening.listen(128)  # who follows the link at once waits, and is not refused
        port = listening.getsockname()[1]
        config = uvicorn.Config(
            application(desk, token, port), http=PatientProtocol, ws="none", lifespan="off", log_level="error",
            access_log=False, server_header=False, timeout_keep_alive=int(PATIENCE), timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=16 * 1024, proxy_headers=False, backlog=128,
        )  # fmt: skip
        beginning = asyncio.ensure_future(desk.work(desk.begin))
        tell(f"http://{HOST}:{port}/?token={token}")
        running = uvicorn.Server(config)
        try:
            await running.serve(sockets=[listening])
        except asyncio.CancelledError:  # ended by whoever started it, without a signal: hang up as for one
            await running.shutdown(sockets=[listening])
            raise
        finally:
            beginning.cancel()
