"""Stage 4, evaluation: metrics with intervals, evidence, comparison, verdict, and the report that shows them."""
