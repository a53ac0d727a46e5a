"""Guard: what of a request can be judged before its body: host, origin, method, content type, length."""

import re
from collections.abc import Iterable
from typing import Any

from deepwright.deploy.refusal import RequestError

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
JSON_TYPES = frozenset({b"application/json", b"application/json;charset=utf-8"})
Head = dict[bytes, bytes]

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]{1,5})?")
_IMAGE = re.compile(rb"image/[a-z0-9.+-]+")
_ONCE = frozenset({b"host", b"origin", b"content-type", b"content-length", b"content-encoding"})


class Guard:
    """The allow-list of host names and the limit of bodies, held against the head of every request.

    A page from elsewhere that is open in the user's browser can reach a local server: under a name of its own (the
    host check), or from its own origin (the origin check). Both hold for every method.
    """

    def __init__(self, hosts: Iterable[str], body_limit_bytes: int, *, takes_images: bool = False) -> None:
        self.takes_images = takes_images
        self.hosts = frozenset(host.lower().strip("[]") for host in (*LOCAL_HOSTS, *hosts))
        self.body_limit_bytes = body_limit_bytes

    def head(self, scope: Any) -> Head:
        """The headers by name, after host and origin were checked. Raises RequestError 400, 403 or 421."""
        head: Head = {}
        for name, value in scope["headers"]:
            if name in _ONCE and name in head:
                raise RequestError(
                    "request.twice",
                    status=400,
                    where=_header(name),
                    found=value.decode("latin-1"),
                    is_body_unread=True,
                )
            head[name] = value
        self._check_host(head)
        return head

    def check_no_body(self, head: Head) -> None:
        """Raises RequestError 400 where a GET brings a body: it would wait on the connection unread."""
        length = head.get(b"content-length", b"0")
        if length != b"0" or b"transfer-encoding" in head:
            raise RequestError(
                "request.no_body_here", status=400, where="body", found=length.decode("latin-1"), is_body_unread=True
            )

    def _check_host(self, head: Head) -> None:
        host = head.get(b"host", b"")
        if host_name(host) not in self.hosts:
            raise RequestError(
                "request.foreign_host",
                status=421,
                where="header Host",
                found=host.decode("latin-1"),
                allowed=", ".join(sorted(self.hosts)),
                is_body_unread=True,
            )
        origin = head.get(b"origin")
        if origin is not None and origin.lower() not in (b"http://" + host.lower(), b"https://" + host.lower()):
            raise RequestError(
                "request.foreign_origin",
                status=403,
                where="header Origin",
                found=origin.decode("latin-1"),
                allowed=f"http://{host.decode('latin-1')}",
                is_body_unread=True,
            )

    def check_body(self, head: Head) -> bool:
        """Whether the body is an image by itself. Raises RequestError 413 or 415."""
        kind = head.get(b"content-type", b"")
        is_image = self.takes_images and _IMAGE.fullmatch(kind.lower()) is not None
        is_json = kind in JSON_TYPES or kind.lower().replace(b" ", b"").replace(b'"', b"") in JSON_TYPES
        if not is_json and not is_image:
            raise RequestError(
                "request.content_type",
                status=415,
                where="header Content-Type",
                found=kind.decode("latin-1"),
                allowed="application/json, image/*" if self.takes_images else "application/json",
                is_body_unread=True,
            )
        encoding = head.get(b"content-encoding")
        if encoding is not None:
            raise RequestError(
                "request.content_encoding",
                status=415,
                where="header Content-Encoding",
                found=encoding.decode("latin-1"),
                is_body_unread=True,
            )
        length = head.get(b"content-length", b"0")
        if len(length) > 18 or int(length) > self.body_limit_bytes:
            raise self.too_large(length.decode("latin-1"))
        return is_image

    def too_large(self, found: str) -> RequestError:
        return RequestError(
            "request.too_large",
            status=413,
            where="body",
            found=found,
            allowed=self.body_limit_bytes,
            is_body_unread=True,
        )


def host_name(host: bytes) -> str:
    """The name in a Host header, without port and brackets; "" where it is not of that form.

    >>> host_name(b"[::1]:8765"), host_name(b"LOCALHOST:80"), host_name(b"a.example")
    ('::1', 'localhost', 'a.example')
    """
    match = _HOST.fullmatch(host.decode("latin-1").lower())
    return (match["v6"] or match["name"]) if match else ""


def _header(name: bytes) -> str:
    return "header " + name.decode("latin-1").title()
