"""The client against a real HTTP server in a thread: patience, order, keys, kept answers, and every refusal."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest
from chat_server import Body, ChatServer, Sent, last, refused, said, serving

from emer.endpoint import Endpoint, EndpointError, Unanswered
from emer.endpoint.sending import seconds_asked_for
from emer.types import Message


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMER_API_KEY", raising=False)


@pytest.fixture
def echo() -> Iterator[ChatServer]:
    with serving(lambda body: said(f"you said {last(body)}")) as server:
        yield server


def endpoint(server: ChatServer, **settings: object) -> Endpoint:
    """Quick to lose patience; keeps its answers in the test's own cache."""
    return replace(Endpoint(server.url, "small", pause=0.001, timeout=5.0), **settings)  # type: ignore[arg-type]


def user(text: str) -> tuple[Message, ...]:
    return (Message("user", text),)


# ---------------------------------------------------------------- asking


def test_a_model_is_asked_with_its_settings_and_answers(echo: ChatServer) -> None:
    messages = (Message("system", "be brief"), Message("user", "hello"))
    assert endpoint(echo, seed=7, max_tokens=50).ask(messages) == "you said hello"
    (body,) = echo.asked
    assert (body["model"], body["seed"], body["temperature"], body["max_tokens"]) == ("small", 7, 0.0, 50)
    assert body["messages"] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]


def test_many_are_asked_at_once_but_not_more_than_allowed_and_answered_in_order() -> None:
    def slow_first(body: Body) -> Sent:
        time.sleep(0.05 if last(body) == "0" else 0.005)
        return said(last(body))

    with serving(slow_first) as server:
        told: list[tuple[int, int]] = []
        replies = list(
            endpoint(server, concurrency=3).ask_all([user(str(i)) for i in range(30)], lambda *at: told.append(at))
        )
    assert [reply.text for reply in replies] == [str(i) for i in range(30)]
    assert 2 <= server.most_at_once <= 3
    assert told == [(i, 30) for i in range(1, 31)]


def test_one_request_without_an_answer_stops_no_other() -> None:
    def answer(body: Body) -> Sent:
        return refused(400, "this text is not allowed") if last(body) == "3" else said("yes")

    with serving(answer) as server:
        replies = list(endpoint(server).ask_all([user(str(i)) for i in range(6)]))
    assert [reply.text for reply in replies] == ["yes", "yes", "yes", None, "yes", "yes"]
    assert replies[3].error is not None
    assert "400: this text is not allowed" in replies[3].error


def test_a_run_of_nothing_but_failures_is_given_up() -> None:
    with serving(lambda body: refused(400, "no")) as server, pytest.raises(EndpointError, match="20 requests in a row"):
        list(endpoint(server).ask_all([user(str(i)) for i in range(500)]))
    assert len(server.asked) < 60
    page = Sent(200, b"<html>welcome</html>")
    with serving(lambda body: page) as server, pytest.raises(EndpointError, match=r"in JSON .*give the address up to"):
        list(endpoint(server).ask_all([user(str(i)) for i in range(500)]))


def test_equal_requests_are_asked_once(echo: ChatServer) -> None:
    replies = list(endpoint(echo, kept_in=None).ask_all([user("a"), user("b"), user("a"), user("a")]))
    assert [reply.text for reply in replies] == ["you said a", "you said b", "you said a", "you said a"]
    assert len(echo.asked) == 2


def test_a_reader_that_stops_early_leaves_no_thread_behind(echo: ChatServer) -> None:
    replies = endpoint(echo, concurrency=2).ask_all([user(str(i)) for i in range(200)])
    assert next(replies).text == "you said 0"
    replies.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("endpoint")]
    assert len(echo.asked) < 40


def test_a_server_on_this_machine_is_asked_without_the_proxy(echo: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert endpoint(echo, retries=0).ask(user("a")) == "you said a"


def test_no_questions_have_no_answers(echo: ChatServer) -> None:
    assert list(endpoint(echo).ask_all([])) == []


# ---------------------------------------------------------------- answers that are kept


def test_a_second_run_asks_nothing(echo: ChatServer, own_cache: Path) -> None:
    asking = endpoint(echo)
    first = list(asking.ask_all([user("a"), user("b")]))
    second = list(asking.ask_all([user("a"), user("b")]))
    assert [reply.text for reply in second] == [reply.text for reply in first]
    assert [reply.kept for reply in second] == [True, True]
    assert len(echo.asked) == 2
    kept = list((own_cache / "answers").rglob("*.json"))
    assert len(kept) == 2


def test_answers_are_kept_by_model_and_seed_and_not_by_address(echo: ChatServer) -> None:
    endpoint(echo).ask(user("a"))
    with serving(lambda body: said("from elsewhere")) as other:
        assert endpoint(other).ask(user("a")) == "you said a"
        assert endpoint(other, seed=1).ask(user("a")) == "from elsewhere"
        assert endpoint(other, model="large").ask(user("a")) == "from elsewhere"
        assert endpoint(other, temperature=0.5).ask(user("a")) == "from elsewhere"


def test_a_damaged_kept_answer_is_asked_for_again(echo: ChatServer, own_cache: Path) -> None:
    endpoint(echo).ask(user("a"))
    (kept,) = (own_cache / "answers").rglob("*.json")
    for damage in (b"", b"{", b'{"text": 3}', b"[]", b"\xff"):
        kept.write_bytes(damage)
        assert endpoint(echo).ask(user("a")) == "you said a"
    assert len(echo.asked) == 6


def test_a_cache_that_cannot_be_written_costs_no_answer(
    echo: ChatServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert endpoint(echo, kept_in=tmp_path / "file").ask(user("a")) == "you said a"
    assert "answers cannot be kept" in caplog.text


# ---------------------------------------------------------------- patience


def test_busy_servers_are_asked_again(tmp_path: Path) -> None:
    states = iter([429, 503, 500])

    def busy(body: Body) -> Sent:
        state = next(states, None)
        return refused(state, "busy") if state else said("at last")

    with serving(busy) as server:
        assert endpoint(server).ask(user("a")) == "at last"
    assert len(server.asked) == 4


@pytest.mark.parametrize("as_date", [False, True])
def test_the_pause_that_a_server_asks_for_is_kept(as_date: bool) -> None:
    moments: list[float] = []

    def busy(body: Body) -> Sent:
        moments.append(time.time())
        # HTTP dates have whole seconds: two of them are at least one.
        pause = formatdate(time.time() + 2, usegmt=True) if as_date else "0.5"
        return refused(429, "slow down", Retry_After=pause) if len(moments) == 1 else said("yes")

    with serving(busy) as server:
        assert endpoint(server).ask(user("a")) == "yes"
    assert moments[1] - moments[0] >= 0.5


@pytest.mark.parametrize(("header", "seconds"), [(None, 0), ("3", 3), ("-1", 0), ("nan", 0), ("soon", 0), ("", 0)])
def test_retry_after_is_read_or_left(header: str | None, seconds: float) -> None:
    assert seconds_asked_for(header) == seconds


def test_patience_ends(tmp_path: Path) -> None:
    with serving(lambda body: refused(503, "loading the model")) as server:
        with pytest.raises(Unanswered, match="answered 503 after 3 tries: loading the model"):
            endpoint(server, retries=2).ask(user("a"))
        assert len(server.asked) == 3


def test_a_silent_server_is_a_time_out() -> None:
    release = threading.Event()

    def silent(body: Body) -> Sent:
        release.wait(10)
        return said("too late")

    with serving(silent) as server:
        with pytest.raises(Unanswered, match=r"no whole answer in 2 tries of 0\.1 s"):
            endpoint(server, retries=1, timeout=0.1).ask(user("a"))
        release.set()


def test_a_connection_that_breaks_off_is_tried_again() -> None:
    sent = iter([Sent(200, b'{"choices"', {"Content_Length": "500"}), said("whole")])
    with serving(lambda body: next(sent)) as server:
        assert endpoint(server, timeout=0.5).ask(user("a")) == "whole"


# ---------------------------------------------------------------- refusals, in words


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_nobody_there_is_told() -> None:
    asking = Endpoint(f"http://127.0.0.1:{closed_port()}/v1", "small", retries=1, pause=0.001)
    with pytest.raises(EndpointError, match=r"cannot be reached .*refused.*is it running"):
        asking.ask(user("a"))
    with pytest.raises(EndpointError, match="cannot be reached"):
        list(asking.ask_all([user("a"), user("b")]))


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8000/v1", "ftp://x/v1", "http://", "http://a b/v1", "http://x:port/v1", "http://[::1/v1", "v1\0"],
)
def test_what_is_no_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(EndpointError, match="is no address of an endpoint"):
        Endpoint(url, "small")


@pytest.mark.parametrize("url", ["http://me:secret@host/v1", "http://host/v1?api-key=secret"])
def test_secrets_in_an_address_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(EndpointError, match="EMER_API_KEY") as told:
        Endpoint(url, "small")
    assert "secret" not in str(told.value)


def test_an_address_may_end_in_the_route(echo: ChatServer) -> None:
    assert Endpoint(echo.url + "/chat/completions/", "small").ask(user("a")) == "you said a"


def test_an_address_without_v1_is_told() -> None:
    with serving(lambda body: said("x")) as server, pytest.raises(EndpointError, match="check the address"):
        endpoint(server, url=server.url.removesuffix("/v1")).ask(user("a"))


def test_an_unknown_model_names_those_that_are_there() -> None:
    with serving(lambda body: refused(404, "model not found"), models=("big", "little")) as server:
        with pytest.raises(EndpointError, match="serves no model 'small'; it has big, little"):
            endpoint(server).ask(user("a"))
        with pytest.raises(EndpointError, match="it has big, little"):
            list(endpoint(server).ask_all([user(str(i)) for i in range(100)]))
    assert len(server.asked) < 30


def test_a_redirection_is_not_followed(echo: ChatServer) -> None:
    elsewhere = Sent(307, b"", {"Location": f"{echo.url}/chat/completions"})
    with serving(lambda body: elsewhere) as server, pytest.raises(EndpointError, match="sends on to another address"):
        endpoint(server, key="secret").ask(user("a"))
    assert not echo.asked


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (Sent(200, b"<html>welcome</html>"), "did not answer in JSON"),
        (Sent(200, b"\xff\xfe"), "did not answer in JSON"),
        (Sent(200, b""), "did not answer in JSON"),
        (Sent(200, b"[]"), "no chat answer"),
        (Sent(200, b'{"choices": []}'), "no chat answer"),
        (Sent(200, b'{"choices": [{"message": null}]}'), "no chat answer"),
        (Sent(200, b'{"choices": [{"message": {"content": null}}]}'), "no text"),
        (Sent(200, b'{"choices": [{"message": {"content": "  "}}]}'), "no text"),
        (said("half an", "length"), "was cut after 1024 tokens"),
        (Sent(418, b"a teapot"), "answered 418: a teapot"),
        (Sent(413, b""), "answered 413"),
    ],
)
def test_answers_that_are_none_are_told_apart(sent: Sent, words: str) -> None:
    with serving(lambda body: sent) as server, pytest.raises(Unanswered, match=words):
        endpoint(server).ask(user("a"))
    assert len(server.asked) == 1


def test_settings_that_cannot_be_are_refused(echo: ChatServer) -> None:
    for wrong in ({"concurrency": 0}, {"retries": -1}, {"timeout": 0.0}, {"max_tokens": 0}):
        with pytest.raises(EndpointError, match="an endpoint needs"):
            endpoint(echo, **wrong)


def test_media_are_refused_rather_than_left_out(echo: ChatServer) -> None:
    with pytest.raises(EndpointError, match="text alone"):
        endpoint(echo).ask([Message("user", "look", ("video",))])


# ---------------------------------------------------------------- the key


def test_the_key_is_sent_and_stands_nowhere(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMER_API_KEY", "sk-secret\n")
    with serving(lambda body: said("x")) as server:
        asking = endpoint(server)
        asking.ask(user("a"))
        endpoint(server, key="sk-other").ask(user("b"))
    assert [headers["Authorization"] for headers in server.headers] == ["Bearer sk-secret", "Bearer sk-other"]
    assert "sk-" not in repr(endpoint(server, key="sk-other")) + str(asking.record())
    assert all("sk-" not in path.read_text() for path in own_cache.rglob("*.json"))


@pytest.mark.parametrize("status", [401, 403, 400])
def test_a_refused_key_is_not_repeated(status: int) -> None:
    wrong = refused(status, "the key sk-secret is wrong")
    with serving(lambda body: wrong) as server, pytest.raises(EndpointError) as told:
        endpoint(server, key="sk-secret").ask(user("a"))
    assert "sk-secret" not in str(told.value)
    assert ("EMER_API_KEY" in str(told.value)) == (status != 400)


def test_a_key_that_cannot_be_sent_is_told_without_it(echo: ChatServer) -> None:
    with pytest.raises(EndpointError, match="characters that cannot be sent") as told:
        endpoint(echo, key="schlüssel").ask(user("a"))
    assert "schl" not in str(told.value)


def test_without_a_key_none_is_sent(echo: ChatServer) -> None:
    endpoint(echo).ask(user("a"))
    assert "Authorization" not in echo.headers[0]


def test_an_answer_that_drips_is_given_up_when_its_time_is_over(tmp_path: Path) -> None:
    """A byte each twentieth of a second, for ever: no single wait is long, the whole would never end."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        talk, _ = listening.accept()
        with talk, suppress(OSError):  # the client hangs up
            talk.recv(65_536)
            talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while not over.wait(0.05):
                talk.sendall(b" ")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    try:
        patient = Endpoint(url, "small", pause=0.001, retries=0, timeout=0.3, kept_in=tmp_path)
        with pytest.raises(Unanswered, match=r"gave no whole answer in 1 tries of 0.3 s \(TimeoutError\)"):
            patient.ask(user("a"))
    finally:
        over.set()
        thread.join()
        listening.close()
