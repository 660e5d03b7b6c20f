"""PostgreSQL and the broker (Valkey) from Python packages, for a run or a test without anything installed.

`services.running()` is the way in; `postgresql` and `valkey` each know one server. Nothing here imports Django:
the servers must be up before the settings are read.
"""
