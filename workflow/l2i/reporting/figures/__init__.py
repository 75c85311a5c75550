"""Figures, drawn from finished tables and scores: one module for each, and what they share.

Nothing here computes a number that is not in the table beside the picture. What a figure is called
and what it shows stands in workflow/report, which goes into the files too (`saving`); how all of
them look is `style`, and what they are put together from `panels`.
"""
