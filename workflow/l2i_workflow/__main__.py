"""`python -m l2i_workflow`: the command `l2i`."""

from l2i_workflow import main

main()
