"""The tables of scenarios, and all of them in a row."""

from . import advice, changed, checkpoint, destination, disk, encryption, format, incremental, layout, name, order, own, server

TABLES = (destination, format, disk, layout, name, server, incremental, checkpoint, encryption, order, advice, own, changed)
SCENARIOS = [scenario for table in TABLES for scenario in table.TABLE]
