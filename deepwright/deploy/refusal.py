"""RequestError: a request that the server does not answer, as a status and one plain sentence."""

import msgspec

from deepwright.core.errors import DataError

Header = tuple[bytes, bytes]


class RequestError(DataError):
    """Where in the request, what was found, what is allowed; the sentence says it all and what to do.

    is_body_unread: the body was not taken from the connection, which must then be closed.
    """

    def __init__(
        self,
        key: str,
        /,
        *,
        status: int,
        where: str,
        found: object = "",
        allowed: object = "",
        headers: tuple[Header, ...] = (),
        is_body_unread: bool = False,
        **values: object,
    ) -> None:
        super().__init__(key, where=where, found=shown(found), allowed=allowed, **values)
        self.status = status
        self.where = where
        self.found = shown(found)
        self.allowed = str(allowed)
        self.headers = headers
        self.is_body_unread = is_body_unread

    @property
    def body(self) -> bytes:
        """{"error": {"where", "found", "allowed", "text"}} as JSON."""
        error = {"where": self.where, "found": self.found, "allowed": self.allowed, "text": str(self)}
        return msgspec.json.encode({"error": error})


def shown(value: object) -> str:
    """A value as an answer may repeat it: at most 80 printable characters."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text[:81])
    return text if len(text) <= 80 else text[:77] + "..."
