"""Metrics: what the server counts, and the Prometheus page that shows it.

The counts are plain numbers of the event loop's thread; Prometheus objects are made only when the page is read.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Requests by path and status, latency of predictions, rows, rows out of range, the queue.

    queue: gives the slots taken now. slots: how many there are.
    """

    def __init__(self, digest: str, queue: Callable[[], int], slots: int) -> None:
        self._digest = digest
        self._queue = queue
        self._slots = slots
        self.requests: Counter[tuple[str, int]] = Counter()
        self.rows = 0
        self.out_of_range = 0
        self._latency = [0] * (len(BUCKETS_S) + 1)
        self._latency_sum_s = 0.0
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def count_rows(self, rows: int, out_of_range: int, seconds: float) -> None:
        """One answered prediction request."""
        self.rows += rows
        self.out_of_range += out_of_range
        self._latency[bisect_left(BUCKETS_S, seconds)] += 1
        self._latency_sum_s += seconds

    def page(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """What prometheus_client asks of a collector."""
        requests = CounterMetricFamily(
            "deepwright_requests", "Requests answered, by path and status.", labels=("path", "status")
        )
        for (path, status), count in sorted(self.requests.items()):
            requests.add_metric((path, str(status)), count)
        yield requests
        total, buckets = 0, []
        for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), self._latency, strict=True):
            total += count
            buckets.append((bound, float(total)))
        yield HistogramMetricFamily(
            "deepwright_predict_seconds",
            "Seconds from the head of an answered prediction request to its answer.",
            buckets=buckets,
            sum_value=self._latency_sum_s,
        )
        yield CounterMetricFamily("deepwright_rows", "Rows answered.", value=self.rows)
        yield CounterMetricFamily(
            "deepwright_out_of_range_rows",
            "Rows answered that lie outside what the training part showed.",
            value=self.out_of_range,
        )
        yield GaugeMetricFamily("deepwright_queue", "Requests waiting or being computed.", value=self._queue())
        yield GaugeMetricFamily("deepwright_queue_slots", "Requests that may wait.", value=self._slots)
        model = GaugeMetricFamily("deepwright_model", "1, with the digest of the model served.", labels=("digest",))
        model.add_metric((self._digest,), 1)
        yield model
