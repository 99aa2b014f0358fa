"""The instance on its tree: dates to periods, tables to arrays.

Other rooms use:

- ``arrays``: CHURN, Names, way_out_name
- ``calendar``: add_months, Calendar, calendar_of, Dates, MONTHS, NEVER
- ``contracts``: *, delivered_gw, extended_contracts, in_service, SERVICE, TABLES_READ, tail_periods, Tranches,
  tranches
- ``layouts``: Layouts
- ``near``: agree, nodes_by_day
- ``timeline``: branching, reveals, Timeline, timeline
"""
