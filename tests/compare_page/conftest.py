"""The makers of synthetic records stand with the tests of what else is derived from them."""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[1] / name) for name in ("results", "compare", "history")]
