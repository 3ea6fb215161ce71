"""The builders of synthetic records stand with the tests of what else is derived from them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "results"))
