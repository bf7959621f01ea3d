from . import destination
SCENARIOS = destination.TABLE
