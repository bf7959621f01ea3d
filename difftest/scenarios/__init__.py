"""The tables of scenarios, and all of them in a row."""

from . import checkpoint, destination, disk, encryption, format, incremental, layout, name, order, server

TABLES = (destination, format, disk, layout, name, server, incremental, checkpoint, encryption, order)
SCENARIOS = [scenario for table in TABLES for scenario in table.TABLE]
