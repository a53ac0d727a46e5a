"""What every kind of a family must do: functions that take a part and raise AssertionError when it does not.

`CHECKS` lists them by family; a new rule for a family is one more function there. A user's part is held to the same:

    for check in checks_of(Mine): check(Mine())
"""

from collections.abc import Callable
from typing import Any

from deepwright.core.part import Part
from tests.conformance import (
    augmenting,
    baselines,
    conforming,
    every_part,
    histories,
    judging,
    layers,
    networks,
    rows,
    texts,
    training,
)

Check = Callable[[Any], None]

EVERY_PART: tuple[Check, ...] = (
    every_part.plain_data_bring_it_back,
    every_part.every_option_is_explained,
    every_part.it_says_what_it_is_in_one_sentence,
    every_part.any_other_option_changes_the_hash,
    every_part.where_a_search_looks_is_allowed,
    every_part.methods_have_their_familys_arguments,
)

CHECKS: dict[str, tuple[Check, ...]] = {
    "network": (
        networks.a_network_gives_one_row_of_outputs_per_row,
        networks.a_network_answers_each_row_by_itself,
        networks.a_network_starts_the_same_from_the_same_seed,
        networks.a_network_learns,
        networks.a_network_takes_any_training_rows_in,
        networks.a_networks_graph_answers_as_torch_does,
    ),
    "layer": (
        layers.a_layer_takes_an_image_or_a_row,
        layers.a_layer_answers_each_row_by_itself,
    ),
    "loss": (
        training.a_loss_is_a_finite_scalar_with_a_gradient,
        training.a_loss_is_lower_at_the_truth,
        training.a_loss_is_a_mean_and_no_sum,
    ),
    "optimizer": (training.an_optimizer_lowers_a_quadratic, training.an_optimizers_state_can_be_kept),
    "schedule": (training.a_schedule_starts_in_0_1_and_stays_finite,),
    "metric": (
        judging.a_perfect_answer_is_best,
        judging.weights_count_rows,
        judging.the_order_of_rows_does_not_matter,
        judging.one_class_or_one_value_gives_a_number_or_nan,
        judging.several_weightings_at_once_are_each_alone,
        judging.what_it_learns_is_of_the_training_part,
    ),
    "decision": (
        judging.a_decision_gives_a_probability_or_none,
        judging.a_decision_does_not_depend_on_the_order_of_rows,
    ),
    "intervals": (
        conforming.intervals_hold_new_values_as_often_as_they_say,
        conforming.what_conforms_is_plain_data,
        conforming.the_order_of_calibration_rows_does_not_matter,
    ),
    "sets": (
        conforming.sets_hold_new_classes_as_often_as_they_say,
        conforming.what_conforms_is_plain_data,
        conforming.the_order_of_calibration_rows_does_not_matter,
    ),
    "split": (
        rows.a_splitter_gives_all_three_parts_and_no_other,
        rows.equal_rows_get_equal_parts,
        rows.a_split_depends_on_rows_and_not_on_their_order,
    ),
    "outliers": (
        rows.only_the_training_part_is_learned_from,
        rows.what_was_learned_is_the_same_in_numpy_and_onnx,
        rows.numbers_in_the_middle_stay,
    ),
    "dates": (
        rows.only_the_training_part_is_learned_from,
        rows.what_was_learned_is_the_same_in_numpy_and_onnx,
        rows.times_give_finite_numbers,
    ),
    "texts": (
        texts.only_the_training_part_is_learned_from,
        texts.a_row_is_the_same_beside_other_rows,
        texts.odd_texts_give_finite_numbers,
        texts.a_wide_one_keeps_these_promises_too,
    ),
    "tokenizer": (
        texts.only_the_training_part_is_learned_from,
        texts.a_row_is_the_same_beside_other_rows,
        texts.tokens_are_numbers_below_their_count,
    ),
    "features": (
        rows.only_the_training_part_is_learned_from,
        rows.what_was_learned_is_the_same_in_numpy_and_onnx,
        rows.huge_numbers_give_finite_ones,
    ),
    "history": (
        histories.only_training_windows_are_learned_from,
        histories.what_was_learned_is_the_same_in_numpy_and_onnx,
        histories.a_value_after_a_moment_changes_nothing_at_it,
        histories.huge_and_missing_values_give_no_infinity,
    ),
    "imputer": (
        rows.only_the_training_part_is_learned_from,
        rows.what_was_learned_is_the_same_in_numpy_and_onnx,
        rows.no_number_is_missing_after_it,
    ),
    "scaler": (
        rows.only_the_training_part_is_learned_from,
        rows.what_was_learned_is_the_same_in_numpy_and_onnx,
        rows.a_scaler_gives_finite_numbers_also_for_a_constant_column,
    ),
    "encoder": (
        rows.only_the_training_part_is_learned_from,
        rows.what_was_learned_is_the_same_in_numpy_and_onnx,
        rows.levels_become_numbers_and_a_new_one_has_its_place,
    ),
    "baseline": (
        baselines.a_baseline_is_the_same_in_numpy_and_onnx,
        baselines.a_baseline_is_the_same_each_time,
        baselines.a_baseline_counts_rows_by_their_weight,
    ),
    "augment": (
        augmenting.images_stay_images,
        augmenting.the_seed_decides_every_draw,
        augmenting.an_image_is_changed_by_itself,
        augmenting.what_is_asked_of_training_rows_changes_each_of_them,
    ),
    "operation": (),  # tests/core/test_operations.py has a case for every kind, and fails without one
    "source": (),  # reading is tested in tests/data
    "target": (),  # exporting is tested in tests/deploy
}


def checks_of(kind: type[Part]) -> tuple[Check, ...]:
    return (*EVERY_PART, *CHECKS[kind.family])
