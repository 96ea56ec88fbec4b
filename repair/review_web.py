"""The review in the browser: a small server for this machine alone, and the page in repair/static.

Whoever has the address with its token may decide; the token becomes a cookie and leaves the address. The Host must be
ours (no rebinding of names), a post must come from our own page, and no script but the page's own file ever runs.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import webbrowser
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from threading import Thread, Timer
from typing import Any, Self

from repair.display import as_read, evidence, json_line, plain
from repair.errors import RepairError, UsageError
from repair.ignoring import WHERES
from repair.journal import ACTIONS
from repair.review import KEYS, SCOPES, Review
from repair.write import diff

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.requests import Request
    from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
    from starlette.routing import Route
except ImportError as error:
    raise UsageError(
        f"--web needs the extra review ({error}): pip install 'mt-repair[review]', or use --plain"
    ) from None

BODY = 64 * 1024  # bytes of a post
_KEYS = [
    (key, "filter by confidence and source" if key == "f" else meaning) for key, meaning in KEYS
]  # no line to type
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FILES = {"/": ("index.html", "text/html"), "/review.css": ("review.css", "text/css"),
         "/review.js": ("review.js", "text/javascript")}  # fmt: skip


def serve(review: Review, port: int, browser: bool, say: Callable[..., None]) -> None:
    """Serve the review until the page says "finish" or Ctrl-C. Raises UsageError where the port is taken."""
    with _Serving(review, port) as serving:
        say(
            f"review at {serving.address}\n(only this machine can open it; Finish on the page, or Ctrl-C, ends it)",
            always=True,
        )
        if browser:
            Timer(0.3, webbrowser.open, (serving.address,)).start()
        try:
            serving.run()
        except KeyboardInterrupt as stop:
            if type(stop) is not KeyboardInterrupt:  # terminated
                raise
            # Ctrl-C is a way to finish: what follows a review, learning and writing, is still to come.


@contextmanager
def served(review: Review) -> Iterator[str]:
    """Serves a review meanwhile, for programs that drive the page: its address, token and all."""
    with _Serving(review, 0) as serving:
        thread = Thread(target=serving.run, daemon=True)
        thread.start()
        try:
            yield serving.address
        finally:
            serving.finish()
            thread.join(5)


def listening(port: int) -> socket.socket:
    """A socket for a port of this machine alone, 0 for any. Raises UsageError where the port is taken."""
    # Named TCP, or asyncio would leave Nagle's algorithm on, and each answer would wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise UsageError(f"--port {port} can't be had ({error.strerror}); give another, or none") from None
    return listener


class _Serving:
    """A review's server with its socket, listening on this machine alone."""

    def __init__(self, review: Review, port: int) -> None:
        self.listener = listening(port)
        port, token = self.listener.getsockname()[1], secrets.token_urlsafe(32)
        self.address = f"http://127.0.0.1:{port}/?token={token}"
        app = application(review, token, port, self.finish)
        config = uvicorn.Config(
            app, log_level="critical", lifespan="off", server_header=False, timeout_graceful_shutdown=2
        )
        self.server = uvicorn.Server(config)

    def run(self) -> None:
        self.server.run(sockets=[self.listener])

    def finish(self) -> None:
        self.server.should_exit = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()


def application(review: Review, token: str, port: int, finish: Callable[[], None]) -> Starlette:
    """The application, for a server on ``port`` of this machine."""
    cookie = f"repair-{port}"
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    class Guard(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
            why = refused(request)
            response = why if isinstance(why, Response) else _no(why, request.url.path) if why else await go_on(request)
            response.headers.update(HEADERS)
            return response

    def refused(request: Request) -> Response | str | None:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if host not in hosts:
            return "this page is for this machine alone; open the address that the command printed"
        if origin not in (None, f"http://{host}") or (request.method == "POST" and origin is None):
            return "another page may not decide here"
        ours = request.headers.get("sec-fetch-site", "none") in ("same-origin", "none")
        if not ours and not (request.url.path == "/" and "token" in request.query_params):
            return "another page may not look in here"
        if request.method == "POST" and request.headers.get("content-type") != "application/json":
            return "only JSON is taken"
        given = request.query_params.get("token") if request.url.path == "/" else None
        held = given or request.cookies.get(cookie, "")
        if not hmac.compare_digest(held.encode("utf-8", "replace"), token.encode()):
            return "the token is wrong or missing; open the address that the command printed"
        if given:
            response = RedirectResponse("/", 303)
            response.set_cookie(cookie, token, httponly=True, samesite="strict")
            return response
        return None

    async def file(request: Request) -> Response:
        name, kind = FILES[request.url.path]
        return Response((files("repair") / "static" / name).read_bytes(), media_type=kind)

    async def batch(request: Request) -> Response:
        articles = [{"name": plain(entry.name), **_progress(review, e)} for e, entry in enumerate(review.entries)]
        lost = [plain(str(lost)) for lost in review.history.lost]
        asked = {"ignoring": review.silence.where, "wheres": WHERES, "project": plain(review.silence.place)}
        return _json({"articles": articles, "keys": _KEYS, "lost": lost, **asked})

    async def article(request: Request) -> Response:
        e = request.path_params["entry"]
        return _json(_article(review, e)) if e < len(review.entries) else _no("no such article", status=404)

    async def decide(request: Request) -> Response:
        body = await _body(request)
        place, action, scope = body.get("place"), body.get("action"), body.get("scope", "place")
        text, nth = body.get("text", ""), body.get("nth", 0)
        if type(place) is not int or not 0 <= place < len(review) or action not in ACTIONS or scope not in SCOPES:
            raise UsageError("no such place or decision")
        if not isinstance(text, str) or type(nth) is not int:
            raise UsageError("no such wording")
        if (where := body.get("where")) is not None:
            if where not in WHERES:
                raise UsageError("no such lexicon")
            review.silence.settle(where)
        return _changed(review, review.decide(place, action, text, nth, scope))

    async def undo(request: Request) -> Response:
        await _body(request)
        return _changed(review, review.undo() if request.url.path == "/api/undo" else review.redo())

    async def export(request: Request) -> Response:
        e, kind = request.path_params["entry"], request.path_params["kind"]
        if e >= len(review.entries) or kind not in EXPORTS:
            return _no("no such export", status=404)
        data, ending = EXPORTS[kind](review, e), {"text": "txt", "diff": "diff", "jsonl": "jsonl"}[kind]
        headers = {"Content-Disposition": f'attachment; filename="article-{e + 1}.{ending}"'}
        return Response(data.encode("utf-8", "backslashreplace"), media_type="text/plain", headers=headers)

    async def end(request: Request) -> Response:
        await _body(request)
        finish()
        return _json({"finished": True})

    async def failed(request: Request, error: Exception) -> Response:
        return _json({"error": plain(str(error))}, 400)

    routes = [Route(path, file) for path in FILES]
    routes += [Route("/api/batch", batch), Route("/api/article/{entry:int}", article)]
    routes += [Route("/api/decide", decide, methods=["POST"]), Route("/api/undo", undo, methods=["POST"])]
    routes += [Route("/api/redo", undo, methods=["POST"]), Route("/api/finish", end, methods=["POST"])]
    routes += [Route("/api/export/{kind}/{entry:int}", export)]
    app = Starlette(routes=routes, exception_handlers={RepairError: failed})
    app.add_middleware(Guard)
    return app


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was posted. Raises UsageError where it is none."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY:
            raise UsageError("that is too much")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise UsageError("not a JSON object")
    return body


def _json(row: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(row, default=str), status, media_type="application/json")  # ASCII: surrogates stay whole


def _no(message: str, path: str = "", status: int = 403) -> Response:
    """A refusal: for the page, or in words where a person opened the address."""
    if path == "/":
        return PlainTextResponse(f"{message[0].upper()}{message[1:]}.\n", status)
    return JSONResponse({"error": message}, status)


def _progress(review: Review, e: int) -> dict[str, Any]:
    counts = review.counts(e)
    return {"total": counts.total(), "open": counts["open"]}


def _decision(review: Review, i: int, written: Callable[[str], str] = as_read) -> dict[str, str] | None:
    held = review.decision(i)
    return {"action": held.action, "text": written(held.text)} if held else None


def _changed(review: Review, changed: list[int]) -> Response:
    entries = sorted({review.places[i].entry for i in changed})
    return _json({
        "changed": [[i, review.places[i].entry, _decision(review, i)] for i in changed],
        "articles": {e: _progress(review, e) for e in entries},
    })  # fmt: skip


def _article(review: Review, e: int) -> dict[str, Any]:
    """An article as pieces of text and numbers of places between them: the browser counts characters otherwise."""
    entry, at = review.entries[e], 0
    pieces: list[str | int] = []
    places = {}
    for i, place in enumerate(review.places):
        if place.entry == e:
            f = place.finding
            pieces += [as_read(entry.article.text[at : f.start]), i]
            at = f.end
            places[i] = {
                "observed": as_read(f.observed),
                "confidence": round(f.confidence, 3),
                "suggestions": [[as_read(s.text), round(s.probability, 3), s.source] for s in f.suggestions[:9]],
                "evidence": list(evidence(f.evidence)),
                "decision": _decision(review, i),
            }
    verdict = entry.report.verdict.to_dict()
    return {"pieces": [*pieces, as_read(entry.article.text[at:])], "places": places, "verdict": verdict}


def _jsonl(review: Review, e: int) -> str:
    """The report's findings with what was decided about each."""
    lines = []
    for i, place in enumerate(review.places):
        if place.entry == e:
            row = place.finding.to_dict() | {"article": review.entries[e].name, "decision": _decision(review, i, str)}
            lines.append(json_line(row) + "\n")
    return "".join(lines)


def _diff(review: Review, e: int) -> str:
    return "".join(diff(plain(review.entries[e].name), review.entries[e].article.text, review.edits(e)))


EXPORTS: dict[str, Callable[[Review, int], str]] = {
    "text": lambda review, e: review.repair(e).text,
    "jsonl": _jsonl,
    "diff": _diff,
}
