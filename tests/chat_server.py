"""A chat endpoint for tests: a real HTTP server in a thread that answers as it is told and keeps what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """What the server sends back."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class ChatServer:
    """`answer` makes a reply of a request's JSON; `models` are listed at /models."""

    answer: Callable[[Body], Sent]
    models: tuple[str, ...] = ("small",)
    url: str = ""
    asked: list[Body] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    most_at_once: int = 0
    under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def said(text: str, reason: str = "stop") -> Sent:
    """A chat answer with this text."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
    return Sent(200, json.dumps({"object": "chat.completion", "choices": [choice]}).encode())


def refused(status: int, message: str, **headers: str) -> Sent:
    """An error with a message, as OpenAI-compatible servers send it."""
    return Sent(status, json.dumps({"error": {"message": message}}).encode(), headers)


def last(body: Body) -> str:
    """What the user said last."""
    return str(body["messages"][-1]["content"])


@contextmanager
def serving(answer: Callable[[Body], Sent], models: tuple[str, ...] = ("small",)) -> Iterator[ChatServer]:
    """A server at `url` (up to and with /v1) until the block ends."""
    state = ChatServer(answer, models)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            listed = {"data": [{"id": name} for name in state.models]}
            self._send(Sent(200, json.dumps(listed).encode()) if self.path == "/v1/models" else refused(404, "no page"))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != "/v1/chat/completions":
                self._send(refused(404, "no page"))
                return
            with state.lock:
                state.asked.append(body)
                state.headers.append(dict(self.headers))
                state.under_way += 1
                state.most_at_once = max(state.most_at_once, state.under_way)
            sent = state.answer(body)
            with state.lock:
                state.under_way -= 1
            self._send(sent)

        def _send(self, sent: Sent) -> None:
            try:
                self.send_response(sent.status)
                for name, value in {"Content-Type": "application/json", **sent.headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", sent.headers.get("Content_Length", str(len(sent.body))))
                self.end_headers()
                self.wfile.write(sent.body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client lost patience: some tests are about that

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
