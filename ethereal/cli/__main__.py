"""`python -m ethereal.cli` is `ethereal`."""

from ethereal.cli import main

main()
