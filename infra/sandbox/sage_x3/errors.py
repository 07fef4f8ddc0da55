"""How the simulated server says no; each surface words it in its own way."""

from __future__ import annotations


class Refusal(Exception):
    """A call is refused under a status. `plain`: as text, which is how tokens are refused."""

    def __init__(self, status: int, text: str, *, plain: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.plain = plain


class Business(Exception):
    """X3 itself refuses, in words of its own."""


class Absent(Business):
    """There is no such record: 721, under a 200."""

    text = "721 : Record does not exist"


class Wrong(Business):
    """A rule of the business forbids it; the text tells which."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Gateway(Exception):
    """The regional gateway refuses; its body is `{"message": …}`, or a bare text."""

    def __init__(self, status: int, text: str, *, bare: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.bare = bare


class Schema(Exception):
    """A GraphQL document does not fit the schema: 400."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Soap(Exception):
    """The web service answers with status 0 under a 200; `http` another status, such as 500, for a fault."""

    def __init__(self, text: str, http: int = 200) -> None:
        super().__init__(text)
        self.text = text
        self.http = http
