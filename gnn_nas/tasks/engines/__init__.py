"""Where trainings are made: processes of this machine, or a Ray cluster.

A module ``some_name.py`` of an engine has a class with what `gnn_nas.tasks.engines.pool.Engine`
asks for.
"""

ENGINES = ("local", "ray")
