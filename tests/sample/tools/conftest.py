import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.sample.tools.recordings import OpenMeteo


@pytest.fixture
def open_meteo(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenMeteo]:
    """A server that plays recorded answers, where the tools take Open-Meteo to be."""
    behaviour = OpenMeteo()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour.queries.append(dict(parse_qsl(urlsplit(self.path).query)))
            if behaviour.hold:
                behaviour.hold.wait(30)
            if behaviour.hangs_up:
                return
            if behaviour.slow_headers:
                with suppress(ConnectionError):
                    self._write(
                        b"HTTP/1.0 200 OK\r\nX-Padding: " + b"x" * 1000 + b"\r\n\r\n", behaviour.pause
                    )
                return
            self.send_response(behaviour.status)
            self.send_header("Content-Length", str(len(behaviour.body)))
            self.end_headers()
            with suppress(ConnectionError):  # the tool does not wait for the end
                self._write(behaviour.body, behaviour.pause)

        def _write(self, body: bytes, pause: float) -> None:
            if not pause:
                self.wfile.write(body)
                return
            for byte in body:
                if behaviour.over.wait(pause):
                    return
                self.wfile.write(bytes([byte]))
                behaviour.written += 1

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("GEOCODING_URL", f"{url}/v1/search")
    monkeypatch.setenv("FORECAST_URL", f"{url}/v1/forecast")
    yield behaviour
    behaviour.over.set()
    server.shutdown()
    thread.join()
    server.server_close()
