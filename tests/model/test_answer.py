import torch

from deepwright.model.answer import answering


def test_classes_are_answered_with_probabilities():
    answer = answering(torch.nn.Identity(), "classification")(torch.tensor([[0.0, 0.0], [1000.0, 0.0]]))
    assert answer.tolist() == [[0.5, 0.5], [1.0, 0.0]]


def test_values_are_answered_in_the_targets_unit():
    answer = answering(torch.nn.Identity(), "regression", mean=40.0, sd=10.0)(torch.tensor([[0.5], [-1.0]]))
    assert answer.tolist() == [45.0, 30.0]


def test_members_answer_with_the_mean_of_their_probabilities_not_of_their_scores():
    answer = answering(torch.nn.Identity(), "classification")(torch.tensor([[[0.0, 0.0], [1000.0, 0.0]]]))
    assert answer.tolist() == [[0.75, 0.25]]


def test_members_values_are_averaged_in_the_targets_unit():
    answer = answering(torch.nn.Identity(), "regression", mean=40.0, sd=10.0)(torch.tensor([[[0.5], [-1.0]]]))
    assert answer.tolist() == [37.5]
