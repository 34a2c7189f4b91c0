"""`python -m analyzer` is the same as `posthoc`: nothing is imported from the working directory, where `-m` looks."""

import sys

if sys.path and not getattr(sys.flags, "safe_path", False) and not __file__.startswith(f"{sys.path[0]}/analyzer/"):
    del sys.path[0]  # before anything else is imported; a checkout that is run from its own root keeps it

from analyzer.cli import main

if __name__ == "__main__":
    sys.exit(main())
