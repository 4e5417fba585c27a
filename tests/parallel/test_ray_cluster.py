"""Its room and its two users are tested with them, in a real cluster where Ray is installed."""

import sys

import pytest

from gnn_nas.errors import UserError
from gnn_nas.parallel.ray_cluster import RayCluster


def test_missing_ray_is_told_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"needs Ray: pip install 'gnn_nas\[ray\]'"):
        RayCluster(1)


def test_a_cluster_that_cannot_be_joined_is_one_error(monkeypatch):
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'gnn_nas[ray]'")

    def refuse(**options):
        raise ConnectionError("nobody listens")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(UserError, match="cannot join or start a cluster: nobody listens"):
        RayCluster(1)
