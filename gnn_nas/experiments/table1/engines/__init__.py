"""Where a comparison's commands run: processes of this machine, or of a Ray cluster's machines.

A module ``some_name.py`` has a class with what `gnn_nas.experiments.table1.jobs.Engine` asks for.
"""
