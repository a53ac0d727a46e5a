"""The bounded queue: slots, batches, the end."""

import asyncio
import threading

import pytest

from deepwright.deploy.answer import Reply
from deepwright.deploy.refusal import RequestError
from deepwright.deploy.work import BATCH_BYTES, Work


class Held:
    """A compute that waits until it is let go, and keeps the batches it was given."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.is_computing = threading.Event()
        self.go = threading.Event()

    def __call__(self, bodies: list[bytes]) -> list[Reply]:
        self.is_computing.set()
        assert self.go.wait(10.0), "never let go"
        self.batches.append(bodies)
        return [Reply(200, body) for body in bodies]


async def taken_up(held: Held) -> None:
    await asyncio.to_thread(held.is_computing.wait, 10.0)


def test_a_full_queue_sheds_with_retry_after_and_recovers() -> None:
    async def scenario() -> None:
        held = Held()
        work = Work(held, 3)
        futures = [work.submit(b"%d" % number) for number in range(3)]
        with pytest.raises(RequestError) as caught:
            work.submit(b"4")
        assert caught.value.status == 503
        assert caught.value.headers == ((b"retry-after", b"1"),)
        assert str(caught.value) == "queue: all 3 places are taken. Try again in 1 s."
        held.go.set()
        assert [(await future).body for future in futures] == [b"0", b"1", b"2"]
        assert (await work.submit(b"5")).body == b"5"
        assert work.taken == 0
        work.close()

    asyncio.run(scenario())


def test_what_waits_while_a_batch_is_computed_becomes_the_next_batch() -> None:
    async def scenario() -> None:
        held = Held()
        work = Work(held, 64)
        first = work.submit(b"first")
        await taken_up(held)
        rest = [work.submit(b"%d" % number) for number in range(5)]
        held.go.set()
        assert (await first).body == b"first"
        assert [(await future).body for future in rest] == [b"0", b"1", b"2", b"3", b"4"]
        assert held.batches == [[b"first"], [b"0", b"1", b"2", b"3", b"4"]]
        work.close()

    asyncio.run(scenario())


def test_large_bodies_are_not_joined_beyond_the_limit() -> None:
    async def scenario() -> None:
        held = Held()
        work = Work(held, 64)
        first = work.submit(b"first")
        await taken_up(held)
        rest = [work.submit(b"x" * BATCH_BYTES) for _ in range(2)]
        held.go.set()
        await asyncio.gather(first, *rest)
        assert [len(batch) for batch in held.batches] == [1, 1, 1]
        work.close()

    asyncio.run(scenario())


def test_closing_answers_what_is_queued_and_ends_the_thread() -> None:
    async def scenario() -> None:
        held = Held()
        held.go.set()
        work = Work(held, 64)
        futures = [work.submit(b"x") for _ in range(10)]
        await asyncio.to_thread(work.close)
        assert [(await future).status for future in futures] == [200] * 10
        assert not work._thread.is_alive()

    asyncio.run(scenario())


def test_a_client_that_has_gone_spoils_nothing() -> None:
    async def scenario() -> None:
        held = Held()
        work = Work(held, 2)
        gone, stays = work.submit(b"gone"), work.submit(b"stays")
        gone.cancel()
        held.go.set()
        assert (await stays).body == b"stays"
        assert work.taken == 0
        work.close()

    asyncio.run(scenario())
