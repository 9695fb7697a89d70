"""HTTP to an endpoint: the key, patience with servers that are busy, and what their refusals mean.

HTTP is the standard library's. Redirections are refused, for they would carry the key to another place.
"""

import contextlib
import email.utils
import http.client
import json
import os
import random
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

from emer.endpoint.failures import EndpointError, Unanswered

KEY_VARIABLE = "EMER_API_KEY"
CHAT = "/chat/completions"
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP states after which the same request may succeed later."""
LONGEST_PAUSE = 120.0
"""Seconds between two tries, whatever the server asks for."""
LARGEST_ANSWER = 16_000_000
"""Bytes."""
SHOWN = 200
"""Characters of a server's words that an error shows."""


@dataclass(frozen=True, slots=True)
class Line:
    """An address with a key, and how much patience there is."""

    url: str
    key: str = field(repr=False)
    """Empty: none is sent."""
    timeout: float
    retries: int
    pause: float

    def post(self, body: object, stop: threading.Event) -> bytes:
        """The raw answer to a chat request, after as many tries as are allowed; none is begun after `stop`.

        Raises urllib's HTTPError for a state that another try cannot mend, Unanswered where tries ran out, and
        EndpointError where nobody is there.
        """
        data = json.dumps(body).encode()
        for further in range(self.retries, -1, -1):
            try:
                return self.send(CHAT, data)
            except urllib.error.HTTPError as error:
                if error.code not in AGAIN or not further:
                    raise
                asked_for = seconds_asked_for(error.headers.get("Retry-After"))
                error.close()
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                if not further or isinstance(reason, socket.gaierror | ssl.SSLError):
                    self._unreachable(reason, error)
                asked_for = 0.0
            own = self.pause * 2 ** (self.retries - further) * random.uniform(1, 2)
            if stop.wait(min(LONGEST_PAUSE, max(asked_for, own))):
                raise Unanswered("the run was stopped")
        raise AssertionError("the last try returns or raises")

    def send(self, path: str, data: bytes | None = None) -> bytes:
        """One request and its raw answer. Raises what urllib raises, and Unanswered for an answer without end."""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "emer"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        with _opener(urlsplit(self.url).hostname or "").open(request, timeout=self.timeout) as answer:
            body = _whole(answer, time.monotonic() + self.timeout)
            missing = answer.length or 0
        if missing and len(body) <= LARGEST_ANSWER:  # a bounded read takes an early end for the end
            raise http.client.IncompleteRead(body, missing)
        if len(body) > LARGEST_ANSWER:
            raise Unanswered(f"an answer of {self.url} is larger than {LARGEST_ANSWER // 1_000_000} MB")
        return body

    def said(self, error: urllib.error.HTTPError) -> str:
        """What the server says of an error, in one short line without the key."""
        text = ""
        with contextlib.suppress(OSError, http.client.HTTPException):
            text = error.read(10_000).decode("utf-8", "replace")
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            told = json.loads(text)
            text = str(told["error"]["message"] if isinstance(told.get("error"), dict) else told["message"])
        return short(text.replace(self.key, "…") if self.key else text)

    def _unreachable(self, reason: object, error: Exception) -> NoReturn:
        """Raises what a broken connection means: for this request (too slow, cut off), or for all."""
        if isinstance(reason, TimeoutError | http.client.HTTPException | ConnectionResetError | BrokenPipeError):
            raise Unanswered(
                f"{self.url} gave no whole answer in {self.retries + 1} tries of {self.timeout:g} s "
                f"({type(reason).__name__}); allow more time or fewer requests at once"
            ) from error
        raise EndpointError(f"{self.url} cannot be reached ({reason}); is it running, is the address right?") from error


def _whole(answer: http.client.HTTPResponse, until: float) -> bytes:
    """The answer, or a little more than the largest one. Raises TimeoutError when it is not there in time: a socket's
    own patience begins anew with every byte."""
    parts, size = [], 0
    while size <= LARGEST_ANSWER and (part := answer.read1(65_536)):
        parts.append(part)
        size += len(part)
        if time.monotonic() > until:
            raise TimeoutError("the answer comes too slowly")
    return b"".join(parts)


def address(url: str) -> str:
    """A base address without what belongs behind it. Raises EndpointError where it cannot be one.

    >>> address("http://localhost:8000/v1/chat/completions")
    'http://localhost:8000/v1'
    """
    base = url.strip().rstrip("/").removesuffix(CHAT)
    try:
        parts = urlsplit(base)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        usable = False
    if not usable or any(letter.isspace() or not letter.isprintable() for letter in base):
        raise EndpointError(f"{short(url)!r} is no address of an endpoint; give one like http://localhost:8000/v1")
    if parts.username or parts.password or parts.query:
        raise EndpointError(f"the address of {parts.hostname} holds a name or a query; put the key in {KEY_VARIABLE}")
    return base


def key_or_variable(key: str | None) -> str:
    """The key that was given, else that of the environment, else none. Raises EndpointError where HTTP forbids it."""
    found = (key or os.environ.get(KEY_VARIABLE) or "").strip()
    if not (found.isascii() and found.isprintable()):
        raise EndpointError(f"the key holds characters that cannot be sent; set {KEY_VARIABLE} to the bare key")
    return found


def seconds_asked_for(header: str | None) -> float:
    """Seconds that `Retry-After` asks for, as a number or a date (RFC 9110, 10.2.3); 0 where it cannot be read.

    >>> seconds_asked_for("2.5"), seconds_asked_for("soon"), seconds_asked_for("Sun, 06 Nov 1994 08:49:37 GMT")
    (2.5, 0.0, 0.0)
    """
    if header is None:
        return 0.0
    try:
        return max(0.0, float(header))
    except ValueError:
        moment = email.utils.parsedate_tz(header)
        return max(0.0, email.utils.mktime_tz(moment) - time.time()) if moment else 0.0


def short(text: str) -> str:
    """One line of at most `SHOWN` characters."""
    line = " ".join(text[: 10 * SHOWN].split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None: the state of redirection is raised as an error."""


def _opener(host: str) -> urllib.request.OpenerDirector:
    """What opens a connection: through the proxy of the environment, but for a server on this machine."""
    here = host in ("localhost", "::1") or host.startswith("127.")
    direct = [urllib.request.ProxyHandler({})] if here else []
    return urllib.request.build_opener(_NoRedirection, *direct)
