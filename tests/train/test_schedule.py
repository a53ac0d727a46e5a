import pytest

from deepwright.train.schedule import Constant, Cosine


def test_constant_stays_at_one():
    assert {Constant().factor(step, 100) for step in range(100)} == {1.0}


def test_cosine_falls_from_one_by_half_a_wave():
    factors = [Cosine().factor(step, 100) for step in range(100)]
    assert factors[0] == 1.0 and factors[50] == pytest.approx(0.5) and factors[25] == pytest.approx(0.8535533905932737)
    assert factors == sorted(factors, reverse=True) and factors[-1] > 0


def test_the_warm_up_rises_in_equal_steps_to_one():
    factors = [Cosine(warmup=0.1).factor(step, 100) for step in range(12)]
    assert factors[:10] == pytest.approx([0.1 * i for i in range(1, 11)])
    assert factors[10] == 1.0 > factors[11]


def test_the_floor_is_where_it_ends():
    assert Cosine(floor=0.1).factor(99, 100) == pytest.approx(0.1, abs=1e-3)
    assert Cosine(floor=0.1).factor(500, 100) == pytest.approx(0.1)


def test_a_run_of_one_step_works():
    assert Cosine(warmup=0.9).factor(0, 1) == 1.0
