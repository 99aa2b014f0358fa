"""The instance on its tree: dates to periods, tables to arrays.

Other rooms use:

- ``arrays``: CHURN, delivered_gw, in_service, Names, of_rows, SERVICE, TABLES_READ, tail_periods
- ``calendar``: add_months, Calendar, calendar_of, Dates, MONTHS
- ``layouts``: Layouts
- ``near``: agree, nodes_by_day
- ``timeline``: branching, reveals, timeline, Timeline
"""
