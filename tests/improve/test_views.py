"""Views: which there are, and that a graph of them answers as torch and as the mean of single answers."""

import numpy as np
import onnxruntime
import pytest
import torch

from deepwright.core.families import Tensor
from deepwright.improve.views import View, viewed, views_of
from deepwright.model.answer import answering
from deepwright.model.cnn import CNN
from deepwright.model.export import export_network


def test_views_begin_with_the_image_itself():
    assert views_of("one", 0.1) == (View(),)
    assert views_of("flip", 0.1) == (View(), View(is_mirrored=True))
    assert [view.shift for view in views_of("shift", 0.1)] == [0.0, -0.1, 0.1]
    assert len(set(views_of("flip_shift", 0.1))) == 6 and views_of("flip_shift", 0.1)[0] == View()


def test_a_view_is_the_image_mirrored_and_moved():
    images = torch.arange(24.0).reshape(1, 4, 6, 1)
    identity = torch.nn.Identity()
    mirrored = viewed(identity, (View(is_mirrored=True),), 4, 6)(images)
    assert torch.equal(mirrored, images.flip(2))
    moved = viewed(identity, (View(shift=0.25),), 4, 6)(images)  # 1 of 4 down, 2 of 6 to the right
    assert torch.equal(moved[:, 1:, 2:], images[:, :3, :4])
    assert torch.equal(moved[:, 0, 2:], images[:, 1, :4])  # what came in is a mirror of what is there
    back = viewed(identity, (View(shift=-0.25),), 4, 6)(images)
    assert torch.equal(back[:, :3, :4], images[:, 1:, 2:])


@pytest.mark.parametrize("problem", ["classification", pytest.param("regression", marks=pytest.mark.slow)])
def test_the_graph_gives_the_mean_of_the_answers_about_each_view(problem):
    torch.manual_seed(0)
    inputs = (Tensor("image", 1, "uint8", shape=(9, 8, 1)),)
    net = CNN(widths=(4, 6), repeats=1).build(inputs, 1 if problem == "regression" else 3)
    answerer = answering(net, problem, mean=5.0, sd=2.0).eval()
    module = viewed(answerer, views_of("flip_shift", 0.125), 9, 8)
    images = torch.randint(0, 256, (5, 9, 8, 1), dtype=torch.uint8)
    with torch.no_grad():
        alone = [viewed(answerer, (view,), 9, 8)(images) for view in views_of("flip_shift", 0.125)]
        torch.testing.assert_close(module(images), torch.stack(alone).mean(dim=0))
        assert not torch.allclose(module(images), answerer(images), atol=1e-4)
    graph, _ = export_network(module, inputs, problem)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    for rows in (1, 5):
        (found,) = session.run(None, {"image": images[:rows].numpy()})
        np.testing.assert_allclose(found, module(images[:rows]).detach().numpy(), rtol=1e-4, atol=1e-5)
