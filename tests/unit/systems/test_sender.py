"""What leaves, in which order it is looked at, and what a server's cookies become."""

from __future__ import annotations

from collections.abc import Generator

import httpx
import pytest

from ml_connector.systems.sender import Sender

USUAL = {"Accept": "application/json", "User-Agent": "ml-connector"}


class Server:
    """Answers in turn, the last answer for ever, and keeps what was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers, self.asked = list(answers), list[httpx.Headers]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(httpx.Headers(request.headers))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Renewing(httpx.Auth):
    """Signs with a number, and once more with the next where it was refused."""

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        for number in (1, 2):
            request.headers["Authorization"] = f"Token {number}"
            if (yield request).status_code != 401:
                return


def sent(sender: Sender, auth: httpx.Auth | None = None, **headers: str) -> httpx.Response:
    return sender.send(sender.build("GET", "https://erp.example/x", None, headers, None), auth)


def test_the_usual_headers_are_sent_unless_a_call_names_its_own_in_any_spelling() -> None:
    server = Server(httpx.Response(200))
    sender = Sender(httpx.MockTransport(server), USUAL)
    sent(sender, ACCEPT="application/xml", Prefer="ü")
    assert server.asked[0].get_list("accept") == ["application/xml"]
    assert (server.asked[0]["user-agent"], server.asked[0]["host"]) == ("ml-connector", "erp.example")


def test_a_replay_is_looked_at_as_the_first_try_was() -> None:
    seen: list[str] = []
    server = Server(httpx.Response(401), httpx.Response(200, text="yes"))
    sender = Sender(httpx.MockTransport(server), USUAL, [lambda request: seen.append(request.headers["authorization"])])
    assert sent(sender, Renewing()).text == "yes"
    assert seen == ["Token 1", "Token 2"]
    assert [headers["authorization"] for headers in server.asked] == seen


@pytest.mark.parametrize(("keeps", "expected"), [(True, [None, "A=1"]), (False, [None, None])])
def test_cookies_are_sent_back_only_where_they_are_kept(keeps: bool, expected: list[str | None]) -> None:
    server = Server(httpx.Response(200, headers={"set-cookie": "A=1; path=/"}))
    sender = Sender(httpx.MockTransport(server), USUAL, keeps_cookies=keeps)
    sent(sender), sent(sender)
    assert [headers.get("cookie") for headers in server.asked] == expected


def test_a_redirect_is_an_answer_like_any_other_wherever_it_leads() -> None:
    server = Server(httpx.Response(302, headers={"location": "http://[::1"}))
    assert sent(Sender(httpx.MockTransport(server), USUAL)).status_code == 302
    assert len(server.asked) == 1
