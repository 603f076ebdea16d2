"""`python -P handler_server.py path.py:handler`: serves a function as AgentCore's runtime serves an agent.

It speaks the runtime's HTTP contract: POST /invocations and GET /ping. The function gets the payload, a dict
(`functions/adapters/agents/runtime.py` says what is in it), and returns text or JSON, or yields pieces of its
answer. The first line on stdout is the server's address. Standard library only: the function may run in an
environment of its own.

https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-http-protocol-contract.html
"""

import asyncio
import contextlib
import importlib.util
import inspect
import json
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Function = Callable[[Any], Any]
# The contract's, and what a page in somebody's browser cannot send to another origin without asking first.
SESSION_HEADER = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, function: Function) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.function = function


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._send(200, {"status": "Healthy"})
        else:
            self._send(404, {"error": "Not Found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/invocations":
            return self._send(404, {"error": "Not Found"})
        if SESSION_HEADER not in self.headers:
            return self._send(400, {"error": f"there is no header {SESSION_HEADER}"})
        try:
            payload = json.loads(body)
        except ValueError:
            return self._send(400, {"error": "the payload is no JSON"})
        try:
            answer = self.server.function(payload)
            if inspect.isawaitable(answer):
                answer = asyncio.run(_result(answer))
            if isinstance(answer, AsyncIterator):
                answer = _pieces(answer)
            if isinstance(answer, Iterator):
                return self._stream(answer)
            return self._send(200, answer)
        except Exception as error:  # noqa: BLE001 - the caller's own function
            traceback.print_exc()
            return self._send(500, {"error": type(error).__name__})

    def _stream(self, pieces: Iterator[Any]) -> None:
        """Server-sent events, one for each piece. What breaks in between is an event too, as in AWS's SDK."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # nobody reads on
            for piece in _with_its_error(pieces):
                event = b"data: " + json.dumps(piece, default=str).encode() + b"\n\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.write(b"0\r\n\r\n")

    def _send(self, status: int, answer: Any) -> None:
        body = json.dumps(answer, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the demo's inspector shows the requests."""


def _with_its_error(pieces: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from pieces
    except Exception as error:  # noqa: BLE001 - the caller's own function
        traceback.print_exc()
        yield {"error": str(error), "error_type": type(error).__name__}


async def _result(answer: Any) -> Any:
    return await answer


def _pieces(answer: AsyncIterator[Any]) -> Iterator[Any]:
    with asyncio.Runner() as runner:
        while True:
            try:
                yield runner.run(anext(answer))  # type: ignore[arg-type]
            except StopAsyncIteration:
                return


def load(handler: str) -> Function:
    """The function of "path.py:handler". Its folder is where its imports are looked for."""
    file, _, name = handler.rpartition(":")
    path = Path(file).resolve()
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        sys.exit(f"{file} has no function {name}")
    return function  # type: ignore[no-any-return]


def main() -> None:
    server = Server(load(sys.argv[1]))
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdout = sys.stderr  # what the function prints is for people
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()  # until whoever started this closes it, or ends


if __name__ == "__main__":
    main()
