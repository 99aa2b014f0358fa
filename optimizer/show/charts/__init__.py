"""Drawings that pictures and reports share.

Other rooms use:

- ``decisions``
- ``drawing``: *, Chart, Drawing, Entry, Panels, SERIES, SPOTS, worth
- ``money``: *, differences, offer_prices
- ``over_time``
- ``pictures``: *, PICTURES, refuse_existing, save
- ``position``
- ``scenarios``
- ``sweep``: *, chart, gw_of_cases, worth_of_cases
"""
