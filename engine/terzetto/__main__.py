"""``python -m terzetto``: the same as the ``terzetto`` command."""

import sys

from terzetto.cli import main

sys.exit(main())
