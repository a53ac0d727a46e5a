"""The default network of a table through the straight line."""

import json

from deepwright.practice.run import practise
from deepwright.practice.verify import verify


def test_the_default_network_is_judged_by_log_loss_and_its_bundle_verifies(tables, make_recipe):
    recipe = make_recipe(tables / "mixed.csv", "buys").replace(baselines=(), ship="network", temperature=False)
    run = practise(recipe, name="default")
    notes = run.report.environment["network"]
    events = [json.loads(line) for line in (run.folder / "events.jsonl").read_text().splitlines()]
    losses = [event["validation"]["log_loss"] for event in events if event["event"] == "epoch"]
    assert notes["watch"] == "log_loss" and len(losses) == 4
    assert notes["best_epoch"] == 1 + losses.index(min(losses))
    assert abs(run.report.number("log_loss", "validation", "network").value - min(losses)) < 1e-5
    verify(run)


def test_what_training_watches_can_be_chosen(tables, make_recipe):
    recipe = make_recipe(tables / "mixed.csv", "buys")
    run = practise(recipe.replace(baselines=(), train=recipe.train.replace(watch="auc")), name="watched")
    assert run.report.environment["network"]["watch"] == "auc"
