"""A plan told: on a terminal, in charts, reports and workbooks."""
