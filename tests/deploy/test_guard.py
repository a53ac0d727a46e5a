"""Hosts and origins, name by name."""

import pytest

from deepwright.deploy.guard import Guard
from deepwright.deploy.refusal import RequestError


def head(*headers: tuple[bytes, bytes], hosts: tuple[str, ...] = ()) -> None:
    Guard(hosts, 100).head({"headers": headers})


@pytest.mark.parametrize(
    "host", [b"127.0.0.1", b"127.0.0.1:80", b"localhost:1", b"LocalHost", b"[::1]", b"[::1]:80", b"model.example:80"]
)
def test_our_own_names_are_served(host: bytes) -> None:
    head((b"host", host), hosts=("model.example",))
    head((b"host", host), (b"origin", b"http://" + host), hosts=("model.example",))


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"evil.example",
        b"localhost.evil.example",
        b"127.0.0.1@evil.example",
        b"[::1].evil",
        b"::1",
        b"0.0.0.0",
        b"localhost:80:80",
        b"localhost evil",
        b"local\xffhost",
    ],
)
def test_every_other_name_is_answered_421(host: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        head((b"host", host))
    assert caught.value.status == 421


@pytest.mark.parametrize(
    "origin", [b"null", b"", b"http://evil.example", b"http://localhost.evil", b"file://localhost"]
)
def test_every_other_origin_is_answered_403(origin: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        head((b"host", b"localhost"), (b"origin", origin))
    assert caught.value.status == 403


def test_the_limit_of_bodies_is_inclusive() -> None:
    guard = Guard((), 100)
    kind = (b"content-type", b"application/json")
    guard.check_body(dict([kind, (b"content-length", b"100")]))
    with pytest.raises(RequestError, match=r"^body: 101 bytes, and at most 100 are taken\. Send the rows in several"):
        guard.check_body(dict([kind, (b"content-length", b"101")]))


@pytest.mark.parametrize(
    ("kind", "takes_images", "found"),
    [
        (b"image/png", True, True),
        (b"IMAGE/JPEG", True, True),
        (b"application/json", True, False),
        (b"image/png", False, None),
        (b"image/png; q=1", True, None),
        (b"text/html", True, None),
    ],
)
def test_an_image_by_itself_is_a_body_for_models_of_images_alone(kind: bytes, takes_images: bool, found: bool | None):
    guard = Guard((), 100, takes_images=takes_images)
    if found is not None:
        assert guard.check_body({b"content-type": kind}) is found
        return
    with pytest.raises(RequestError) as caught:
        guard.check_body({b"content-type": kind})
    assert caught.value.status == 415
