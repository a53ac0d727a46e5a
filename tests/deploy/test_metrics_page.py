"""The latency histogram counts each request once, in the right bucket."""

from deepwright.deploy.metrics_page import BUCKETS_S, Metrics


def test_latencies_fall_into_cumulative_buckets() -> None:
    metrics = Metrics("abc", lambda: 2, 64)
    for seconds in (0.0001, 0.0005, 0.3, 99.0):
        metrics.count_rows(1, 0, seconds)
    lines = metrics.page().decode().splitlines()
    assert 'deepwright_predict_seconds_bucket{le="0.0005"} 2.0' in lines
    assert 'deepwright_predict_seconds_bucket{le="0.25"} 2.0' in lines
    assert 'deepwright_predict_seconds_bucket{le="0.5"} 3.0' in lines
    assert 'deepwright_predict_seconds_bucket{le="10.0"} 3.0' in lines
    assert 'deepwright_predict_seconds_bucket{le="+Inf"} 4.0' in lines
    assert "deepwright_queue 2.0" in lines
    assert list(BUCKETS_S) == sorted(BUCKETS_S)
