"""Several training seeds through the whole line."""

import dataclasses
import json
import shutil

import pytest

from deepwright import cli
from deepwright.core.errors import ProofError, UsageError
from deepwright.practice.look import look
from deepwright.practice.run import practise
from deepwright.practice.show import quiet
from deepwright.practice.verify import verify


@pytest.fixture
def recipe(tables, make_recipe):
    return make_recipe(tables / "mixed.csv", "buys", network="mlp", baselines=("constant", "linear"), ship="network")


def test_the_spread_over_seeds_is_reported_and_the_first_seed_ships(recipe):
    alone = practise(recipe, name="alone")
    run = practise(recipe, name="three", seeds=3)
    report = run.report
    assert report.seeds == (0, 1, 2)
    assert run.bundle.digest == alone.bundle.digest
    assert report.numbers == alone.report.numbers
    (spread,) = [s for s in report.spread if (s.member, s.metric) == ("network", "log_loss")]
    assert spread.values[0] == report.number("log_loss", "validation").value
    assert len(set(spread.values)) == 3
    assert spread.low == min(spread.values) <= spread.mean <= spread.high == max(spread.values)
    assert spread.place == sorted(spread.values).index(spread.values[0]) + 1
    assert {s.sd for s in report.spread if s.member == "linear"} == {0.0}
    other = practise(recipe.replace(seed=2), name="other").report
    assert spread.values[2] == other.number("log_loss", "validation").value
    assert report.summary()["seeds"]["log_loss"]["place"] == spread.place
    assert "mean over 3 training seeds" in " ".join(sentence.text for sentence in report.verdict)
    assert "Training seeds" in (run.folder / "report.html").read_text()
    assert verify(run).difference == 0.0


def test_seeds_can_be_added_until_the_look(recipe):
    first = practise(recipe, name="grows")
    digest, numbers = first.bundle.digest, first.report.numbers
    run = practise(recipe, name="grows", seeds=2)
    assert run.report.seeds == (0, 1)
    assert (run.bundle.digest, run.report.numbers) == (digest, numbers)
    look(run)
    assert practise(recipe, name="grows", seeds=2).report.spread == run.report.spread
    with pytest.raises(UsageError, match=r"run 'grows' has taken its look with 2 seeds, .*; 3 are wanted"):
        practise(recipe, name="grows", seeds=3)


def test_a_run_killed_in_its_second_seed_ends_as_if_it_had_not_been(recipe):
    whole = practise(recipe, name="whole", seeds=2).report
    passes = []

    def interrupted(events):
        passes.append(None)
        for place, event in enumerate(events):
            if len(passes) == 2 and place == 4:
                raise KeyboardInterrupt
            yield event

    with pytest.raises(KeyboardInterrupt):
        practise(recipe, name="killed", seeds=2, show=dataclasses.replace(quiet, watch=interrupted))
    run = practise(recipe, name="killed", seeds=2)
    assert run.report.spread == whole.spread
    assert run.report.numbers == whole.numbers


def test_a_spread_that_its_bundles_do_not_give_fails_verification(recipe):
    run = practise(recipe, name="forged", seeds=2)
    members = run.folder / "seeds" / "seed-1" / "members"
    shutil.rmtree(members / "network")
    shutil.copytree(members / "linear", members / "network")
    with pytest.raises(ProofError, match="the spread over 2 training seeds in the report is not what"):
        verify(run)


def test_seeds_from_the_shell(recipe, tables, capsys):
    command = ["run", str(tables / "mixed.csv"), "--target", "buys", "--network", "mlp", "--ship", "network"]
    quick = ["--train.epochs", "2", "--train.threads", "1", "--baselines", "constant"]
    assert cli.call([*command, *quick, "--seeds", "2", "--name", "shell", "--json"]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert any(line.startswith("Over 2 training seeds network has accuracy ") for line in lines)
    assert json.loads(lines[-1])["seeds"]["seeds"] == [0, 1]
    assert cli.call([*command, *quick, "--seeds", "0"]) == 2
    assert "--seeds: found 0; allowed: 1 to 100." in capsys.readouterr().err
