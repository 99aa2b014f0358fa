"""A plan told: on a terminal, in charts, reports and workbooks.

Other rooms use:

- ``page``: cut, decimals, formatter, left_out, listed, maximised, number, Page, percent, printed, signed, Twig,
  wrapped
- ``tables``
- ``theme``: *, FAINT, Fill, GAIN, GREY, GREYS, HEIGHT, INK, installed, Layer, LINE_HEIGHT, LOSS, MARK,
  NothingToShowError, PALE, pathway_colours, pool_colours, RAMP, Stroke, WIDTH
- ``vega``: *, as_altair
- ``view``: Matrix, MONTH_NAMES, Span, View
"""
