"""Run the command line as ``python -m allocator``."""

from allocator.cli import main

if __name__ == "__main__":
    main()
