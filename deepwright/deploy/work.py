"""Work: a bounded queue with one worker thread that answers whatever is waiting as one batch.

Nothing waits for a batch to fill: under light load a request is computed alone at once, under heavy load requests that
arrived during the last batch form the next.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue

from deepwright.deploy.answer import Reply
from deepwright.deploy.refusal import RequestError

BATCH_BYTES = 128 << 10
"""Bodies are joined until they have this many bytes, so that one batch stays short."""
RETRY_AFTER_S = 1

Job = tuple[bytes, "asyncio.Future[Reply]"]


class Work:
    """compute: bodies to as many replies; it runs in the worker thread and never raises.

    slots: requests waiting or being computed at most.
    """

    def __init__(self, compute: Callable[[list[bytes]], list[Reply]], slots: int) -> None:
        self.slots = slots
        self.taken = 0
        self._compute = compute
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="deepwright-answer", daemon=True)
        self._thread.start()

    def submit(self, body: bytes) -> "asyncio.Future[Reply]":
        """The reply to come. Raises RequestError 503 when every slot is taken."""
        if self.taken >= self.slots:
            raise RequestError(
                "request.busy",
                status=503,
                where="queue",
                found=str(self.taken),
                allowed=self.slots,
                headers=((b"retry-after", str(RETRY_AFTER_S).encode()),),
                retry_after_s=RETRY_AFTER_S,
            )
        self.taken += 1
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._jobs.put((body, future))
        return future

    def close(self) -> None:
        """End the worker after what is queued."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (jobs := self._next_jobs()) is not None:
            replies = self._compute([body for body, _ in jobs])
            loop = jobs[0][1].get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._deliver, jobs, replies)

    def _next_jobs(self) -> list[Job] | None:
        job = self._jobs.get()
        if job is None:
            return None
        jobs, size = [job], len(job[0])
        while size < BATCH_BYTES and not self._jobs.empty():
            job = self._jobs.get()
            if job is None:
                self._jobs.put(None)  # answer these first, then end
                break
            jobs.append(job)
            size += len(job[0])
        return jobs

    def _deliver(self, jobs: list[Job], replies: list[Reply]) -> None:
        self.taken -= len(jobs)
        for (_, future), reply in zip(jobs, replies, strict=True):
            if not future.done():  # the client may have gone
                future.set_result(reply)
