"""`python -m analyzer` is the same as `posthoc`."""

import sys

from analyzer.cli import main

if __name__ == "__main__":
    sys.exit(main())
