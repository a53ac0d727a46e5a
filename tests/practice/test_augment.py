"""What a report says of augmentation."""

from deepwright.practice.augment import Augmented, augment_findings

OFF = {"change": {"kind": "flip"}, "name": "flip", "outcome": "off", "plain": 0.97, "changed": 0.3, "lost": 0.69,
       "low": 0.64, "high": 0.74, "rows": 900, "worst": "7", "worst_lost": 1.0}  # fmt: skip
KEPT = {**OFF, "change": {"kind": "crop"}, "name": "crop", "outcome": "kept", "lost": 0.04, "low": 0.02, "high": 0.06}
FACTS = {"used": ["crop"], "checked": True, "of_classes": True, "survivals": [OFF, KEPT]}


def test_what_is_off_says_which_why_and_by_which_option():
    off, used = augment_findings(FACTS)
    assert (off.rule, off.severity, off.where) == ("augment_off", "warning", "flip")
    for words in ("900 training images", "gets right 97.0 %", "30.0 % changed", "69.0 % are lost", "64.0 to 74.0",
                  "of class 7 100.0 %", "--augment.check no"):  # fmt: skip
        assert words in off.text, words
    assert used.rule == "augment_used" and "crop loses 4.0 % (at most 6.0 %)" in used.text


def test_values_are_explained_and_not_right():
    (off, _) = augment_findings({**FACTS, "of_classes": False, "survivals": [{**OFF, "worst": None}, KEPT]})
    assert "explains of the variance 97.0 %" in off.text and "of class" not in off.text


def test_what_could_not_be_told_or_was_not_asked_is_said():
    unclear, _ = augment_findings({**FACTS, "survivals": [{**OFF, "outcome": "unclear"}]})
    assert unclear.rule == "augment_unclear" and unclear.severity == "warning"
    few, _ = augment_findings({**FACTS, "survivals": [{**OFF, "outcome": "few", "rows": 6}]})
    assert few.rule == "augment_few" and "has only 6" in few.text
    unchecked, used = augment_findings({**FACTS, "checked": False, "survivals": []})
    assert unchecked.rule == "augment_unchecked" and "crop" in unchecked.where and used.rule == "augment_used"
    assert augment_findings({}) == ()


def test_a_mirror_is_no_view_where_labels_do_not_survive_it():
    assert not Augmented(facts=FACTS).may_flip
    assert Augmented().may_flip and Augmented(facts={**FACTS, "survivals": [KEPT]}).may_flip
