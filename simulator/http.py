"""An HTTP server of the simulator: a WSGI application in a thread, on loopback."""

import logging
import threading

from werkzeug.serving import WSGIRequestHandler, make_server

HOST = "127.0.0.1"


class RequestHandler(WSGIRequestHandler):
    # HTTP/1.1: clients keep connections alive, and an answer that is cut short is seen as cut short
    # (chunked), as with the real services; HTTP/1.0 would end it like a complete one.
    protocol_version = "HTTP/1.1"
    # A client that sends "Expect: 100-continue" or small packets must not wait for Nagle's algorithm.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: ARG002 - werkzeug's signature
        logging.getLogger("simulator.http").debug(message, *args)


class HttpServer:
    """Serves `app` on 127.0.0.1 in a thread of its own, one thread a request.

    `handler` answers the requests of a connection; a subclass may have another one.

    `port` 0 picks a free port; `url` ("http://127.0.0.1:1234", no slash at the end) tells which.
    The socket listens as soon as the object exists, so `url` may be handed out before `start`.
    """

    handler = RequestHandler

    def __init__(self, app: object, port: int = 0) -> None:
        self._server = make_server(HOST, port, app, threaded=True, request_handler=self.handler)  # type: ignore[arg-type]
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://{HOST}:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
