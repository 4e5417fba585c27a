"""The fixtures of searches, which the tests of `gnn_nas.experiments.searches` share."""

from tests.helpers.stand_in import make_objective, make_queries, make_report

__all__ = ["make_objective", "make_queries", "make_report"]
